// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A job around a controller: a journal, replicas that outlive it, and a driver that can die between any two effects.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/controller.hpp"
#include "core/overloaded.hpp"

namespace muster::core::controller {

inline std::ostream& operator<<(std::ostream& out, const ReplicaName& name) { return out << text_of(name); }

namespace testing {

using Texts = std::vector<std::string>;

inline std::string text_of(const Effect& effect) {
    const auto listed = [](const Texts& tags) {
        std::string text;
        for (const auto& tag : tags) text += (text.empty() ? " " : ",") + tag;
        return text;
    };
    using controller::text_of;
    return std::visit(
        Overloaded{
            [&](const Push& one) { return std::string("push:") + name_of(one.topic) + listed(one.tags); },
            [](const Retire& one) { return std::string("retire:") + name_of(one.topic) + " " + one.tag; },
            [](const EndWait& one) {
                return "wake:" + std::to_string(one.waiter.value) + " g" + std::to_string(one.goal.value) + " " +
                       std::to_string(static_cast<int>(one.outcome));
            },
            [](const StartReplica& one) { return "start:" + text_of(one.name); },
            [](const AttachReplica& one) { return "attach:" + text_of(one.name); },
            [](const StopReplica& one) { return "stop:" + text_of(one.name) + " " + std::to_string(one.grace_ms); },
            [](const CheckReplica& one) { return "check:" + text_of(one.name); },
            [](const StartGate& one) { return "start_gate:" + one.node; },
            [](const StopGate& one) { return "stop_gate:" + one.node; },
            [](const KillGate& one) { return "kill_gate:" + one.node; },
            [](const KillReplica& one) { return "kill:" + text_of(one.name); },
            [](const DeleteCheckpoint&) { return std::string("delete_checkpoint"); },
            [](const Exit& one) { return "exit:" + std::to_string(one.code); },
            [](const Warn& one) { return "warn:" + one.text; }},
        effect);
}

struct Answer {
    std::optional<std::string> error;
    std::optional<GoalId> goal;
    Texts effects;  ///< With "checkpoint" in its place.
};

class Job {
public:
    explicit Job(const ControllerSettings& settings = {}) : settings_(settings) { recover(); }

    /// The controller is gone; what it has written and what it has started is not.
    Texts recover() {
        Answer answer;
        folded = std::make_unique<FoldedState>();
        for (const auto& record : journal) EXPECT_TRUE(folded->apply(record));
        controller = std::make_unique<Controller>(*folded, settings_);
        controller->gates().set_nodes(nodes);
        dead = false;
        carry_out(controller->start(now_ms), answer);
        return answer.effects;
    }

    Answer call(const Command& command) {
        Answer answer;
        const auto step = controller->call(command, around, now_ms);
        answer.error = step.error;
        answer.goal = step.goal;
        carry_out(step, answer);
        return answer;
    }

    Texts tick(std::uint64_t after_ms = 1000) {
        now_ms += after_ms;
        Answer answer;
        carry_out(controller->turn(now_ms), answer);
        if (!dead) carry_out(controller->settle(now_ms), answer);
        return answer.effects;
    }

    void settle() {
        for (int i = 0; i < 6; ++i) tick();
    }

    void report(const std::string& name, ReplicaReport::Kind kind) {
        controller->report({*replica_from(name), kind}, now_ms);
    }
    void kill(const std::string& name) {
        alive.erase(name);
        report(name, ReplicaReport::Kind::gone);
    }
    [[nodiscard]] const State& state() const { return folded->state(); }
    [[nodiscard]] Texts handles(const std::string& tag) const {
        Texts names;
        for (const auto& name : handles_of(state(), tag)) names.push_back(controller::text_of(name));
        return names;
    }

    std::unique_ptr<FoldedState> folded;
    std::unique_ptr<Controller> controller;
    std::vector<Bytes> journal;
    std::set<std::string> alive;  ///< Replicas that run.
    std::vector<std::string> nodes{"n0"};
    Surroundings around;
    std::uint64_t now_ms = 0;
    bool starts = true, stops = true;      ///< Replicas do, and say so, at once.
    bool fail_starts = false;              ///< They say that they could not.
    std::optional<std::size_t> die_after;  ///< Effects, the checkpoint among them, that are still carried out.
    std::size_t torn_after = 0;            ///< Records that still reach the journal where it dies in a checkpoint.
    std::size_t records_max = 0;
    bool dead = false;
    double chance = 1;

private:
    bool goes_on() {
        if (die_after && *die_after == 0) dead = true;
        if (die_after && !dead) --*die_after;
        return !dead;
    }

    void carry_out(const Step& step, Answer& answer) {
        if (!step.records.empty()) {
            const bool whole = goes_on();
            const auto count = whole ? step.records.size() : std::min(torn_after, step.records.size());
            journal.insert(journal.end(), step.records.begin(),
                           step.records.begin() + static_cast<std::ptrdiff_t>(count));
            records_max = std::max(records_max, step.records.size());
            if (!whole) return;
            answer.effects.emplace_back("checkpoint");
        }
        if (!step.error) carry_out(controller->commit(step, chance), answer);
    }

    void carry_out(const Effects& effects, Answer& answer) {
        for (const auto& effect : effects) {
            if (!goes_on()) return;
            answer.effects.push_back(testing::text_of(effect));
            std::visit(Overloaded{[this](const StartReplica& one) { start(one.name); },
                                  [this](const StopReplica& one) { stop(one.name); },
                                  [this](const KillReplica& one) { stop(one.name); },
                                  [this](const AttachReplica& one) {
                                      const auto name = controller::text_of(one.name);
                                      if (!alive.contains(name)) report(name, ReplicaReport::Kind::gone);
                                  },
                                  [this](const StartGate& one) { controller->gates().up(one.node); },
                                  [this](const StopGate& one) { controller->gates().gone(one.node); },
                                  [this](const KillGate& one) { controller->gates().gone(one.node); },
                                  [this](const DeleteCheckpoint& one) {
                                      journal.clear();
                                      EXPECT_TRUE(folded->apply(one.record));
                                      static_cast<void>(controller->cleared());
                                  },
                                  [this](const Exit&) { dead = true; }, [](const auto&) {}},
                       effect);
        }
    }

    void start(const ReplicaName& name) {
        const auto text = controller::text_of(name);
        if (fail_starts) return report(text, ReplicaReport::Kind::start_failed);
        if (!starts) return;
        alive.insert(text);
        report(text, ReplicaReport::Kind::started);
    }
    void stop(const ReplicaName& name) {
        if (!stops) return;
        kill(controller::text_of(name));
    }

    ControllerSettings settings_;
};

inline BackendConfig replicas(std::int64_t count) {
    BackendConfig config;
    config.num_replicas = count;
    return config;
}
inline CreateBackend create(const std::string& tag, std::int64_t count, const std::string& program = "\"f\"") {
    return {tag, replicas(count), program};
}
inline UpdateBackendConfig scale(const std::string& tag, std::int64_t count) {
    BackendConfigUpdate options;
    options.num_replicas = count;
    return {tag, options};
}
inline CreateEndpoint endpoint(const std::string& name, const TrafficDict& traffic) {
    return {name, traffic, "/" + name, {"GET"}};
}

}  // namespace testing

}  // namespace muster::core::controller
