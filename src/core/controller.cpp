// SPDX-License-Identifier: Apache-2.0
// Calls, the commit, and what this incarnation remembers of both. The control loop: controller_turn.cpp.
#include "core/controller.hpp"

#include <set>
#include <utility>

#include "core/assert.hpp"
#include "core/overloaded.hpp"

namespace muster::core::controller {

namespace {

template <class Map>
std::vector<std::string> keys_of(const Map& map) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : map) keys.push_back(key);
    return keys;
}

/// Backends, those without a replica too (which is not the same as being gone), and deleted ones that still have some.
std::vector<std::string> with_replicas(const State& state) {
    std::set<std::string> tags;
    for (const auto& [tag, backend] : state.backends) tags.insert(tag);
    for (const auto& [tag, replicas] : state.replicas) tags.insert(tag);
    return {tags.begin(), tags.end()};
}

/// The goal that a call takes the place of.
std::optional<GoalId> replaced_by(const Event& event, const State& before) {
    const auto pending = [&before](const std::string& tag) -> std::optional<GoalId> {
        const auto found = before.pending.find(tag);
        return found == before.pending.end() ? std::nullopt : std::optional(found->second);
    };
    if (const auto* set = std::get_if<event::BackendSet>(&event)) return pending(set->tag);
    if (const auto* deleted = std::get_if<event::BackendDeleted>(&event)) return pending(deleted->tag);
    return std::nullopt;
}

}  // namespace

const char* name_of(Topic topic) {
    switch (topic) {
        case Topic::backend_configs: return "BACKEND_CONFIGS";
        case Topic::replica_handles: return "REPLICA_HANDLES";
        case Topic::route_table: return "ROUTE_TABLE";
        case Topic::traffic_policies: return "TRAFFIC_POLICIES";
    }
    return "?";
}

Controller::Controller(FoldedState& folded, const ControllerSettings& settings)
    : folded_(folded),
      settings_(settings),
      health_(settings.health),
      gates_(settings.http),
      waits_(settings.goals_kept_ms) {}

Effects Controller::start(std::uint64_t now_ms) {
    Effects effects;
    if (state().shutting_down) {
        end_job(effects);
        return effects;
    }
    gates_.act(effects);
    effects.emplace_back(Push{Topic::backend_configs, keys_of(state().backends)});
    effects.emplace_back(Push{Topic::replica_handles, with_replicas(state())});
    if (!state().endpoints.empty()) {
        effects.emplace_back(Push{Topic::route_table, keys_of(state().endpoints)});
        effects.emplace_back(Push{Topic::traffic_policies, keys_of(state().endpoints)});
    }
    for (const auto& [tag, replicas] : state().replicas)
        for (const auto& [id, replica] : replicas) {
            if (!serves(replica)) continue;
            effects.emplace_back(AttachReplica{{tag, id}});
            health_.watch({tag, id}, now_ms);
        }
    for (const auto& [id, goal] : state().goals)
        if (goal.outcome != GoalOutcome::pending) waits_.ended(id, goal.outcome, now_ms, effects);
    return effects;
}

Step Controller::call(const Command& command, const Surroundings& around, std::uint64_t now_ms) {
    MUSTER_ASSERT(!locked_);
    auto decision = decide(state(), command, around);
    Step step;
    step.error = std::move(decision.error);
    step.goal = decision.goal;
    step.scaled = decision.scaled;
    step.now_ms = now_ms;
    if (!decision.event) return step;
    locked_ = true;
    over_ = false;
    if (const auto goal = replaced_by(*decision.event, state())) step.ended.push_back(*goal);
    step.records.push_back(encode(*decision.event));
    step.effects = std::move(decision.effects);
    step.events.push_back(std::move(*decision.event));
    return step;
}

Effects Controller::commit(const Step& step, double chance) {
    MUSTER_ASSERT(locked_ || step.records.empty());  // R2.
    for (const auto& record : step.records) {
        const bool is_event = folded_.apply(record);
        MUSTER_ASSERT(is_event);
    }
    return committed(step, chance);
}

Effects Controller::committed(const Step& step, double chance) {
    MUSTER_ASSERT(locked_ || step.records.empty());
    locked_ = false;
    const bool dies = settings_.detached && !step.records.empty() && chance < settings_.crash_after_checkpoint;
    if (dies) return {Exit{0}};
    Effects effects = step.effects;
    learn(step, effects);
    if (step.is_turn) act(step.now_ms, effects);
    for (const auto& event : step.events)
        if (std::holds_alternative<event::ShuttingDown>(event)) end_job(effects);
    return effects;
}

void Controller::abandon(const Step& step) {
    MUSTER_ASSERT(locked_ || step.records.empty());
    locked_ = false;
}

Effects Controller::cleared() {
    Effects effects;
    waits_.end_all(effects);
    over_ = true;
    reports_.clear();
    asked_to_start_.clear();
    asked_to_stop_.clear();
    starts_.clear();
    autoscalers_.clear();
    health_ = ReplicaHealth<ReplicaName>(settings_.health);
    return effects;
}

/// What is soft follows from what has become hard.
void Controller::learn(const Step& step, Effects& out) {
    reports_.erase(reports_.begin(), reports_.begin() + static_cast<std::ptrdiff_t>(step.reports));
    for (const auto& event : step.events)
        std::visit(
            Overloaded{[this](const event::BackendSet& one) { starts_.erase(one.tag); },
                       [this](const event::BackendDeleted& one) {
                           starts_.erase(one.tag);
                           autoscalers_.erase(one.tag);
                           ongoing_.erase(one.tag);
                       },
                       [this, &step](const event::ReplicasMoved& one) { learn(one, step.now_ms); },
                       [this](const event::GoalsForgotten& one) { waits_.forgotten(one.goals); }, [](const auto&) {}},
            event);
    for (const auto goal : step.ended) waits_.ended(goal, state().goals.at(goal).outcome, step.now_ms, out);
}

void Controller::learn(const event::ReplicasMoved& event, std::uint64_t now_ms) {
    if (!event.running.empty()) starts_.erase(event.tag);
    for (const auto id : event.running) {
        health_.watch({event.tag, id}, now_ms);
        asked_to_start_.erase({event.tag, id});
    }
    for (const auto* list : {&event.stop, &event.stopping, &event.gone})
        for (const auto id : *list) health_.forget({event.tag, id});
    for (const auto id : event.gone) {
        asked_to_start_.erase({event.tag, id});
        asked_to_stop_.erase({event.tag, id});
    }
}

/// R20: gates, then replicas, for good; the checkpoint goes last, so that a successor of a coordinator that dies on the
/// way finishes it.
void Controller::end_job(Effects& out) const {
    gates_.kill(out);
    for (const auto& [tag, replicas] : state().replicas)
        for (const auto& [id, replica] : replicas) out.emplace_back(KillReplica{{tag, id}});
    out.emplace_back(DeleteCheckpoint{encode(Event{event::Cleared{}})});
}

void Controller::report(const ReplicaReport& report, std::uint64_t now_ms) {
    if (report.kind == ReplicaReport::Kind::well || report.kind == ReplicaReport::Kind::unwell)
        health_.answered(report.name, report.kind == ReplicaReport::Kind::well, now_ms);
    else
        reports_.push_back(report);
    if (report.kind == ReplicaReport::Kind::start_failed) count_failure(report.name.backend, now_ms);
}

void Controller::count_failure(const std::string& tag, std::uint64_t now_ms) {
    if (!state().backends.contains(tag)) return;
    auto& starts = starts_[tag];
    ++starts.failures;
    starts.last_ms = now_ms;
}

Warn Controller::failed(const Effect& effect, const std::string& why) {
    const auto what = std::visit(Overloaded{[this](const StartReplica& one) {
                                                asked_to_start_.erase(one.name);
                                                return "starting replica " + text_of(one.name);
                                            },
                                            [this](const StopReplica& one) {
                                                asked_to_stop_.erase(one.name);
                                                return "stopping replica " + text_of(one.name);
                                            },
                                            [this](const StartGate& one) {
                                                gates_.gone(one.node);
                                                return "starting the gate on " + one.node;
                                            },
                                            [this](const StopGate& one) {
                                                gates_.up(one.node);
                                                return "stopping the gate on " + one.node;
                                            },
                                            [](const auto&) { return std::string("an effect"); }},
                                 effect);
    return {"control loop: " + what + " failed: " + why + ". It is tried again in the next turn."};
}

std::optional<Warn> Controller::took(std::uint64_t turn_ms) const {
    if (turn_ms <= settings_.slow_turn_ms) return std::nullopt;
    return Warn{"control loop: a turn took " + std::to_string(turn_ms) + " ms, more than " +
                std::to_string(settings_.slow_turn_ms) + " ms."};
}

std::optional<GoalOutcome> Controller::wait_for_goal(WaiterId waiter, GoalId goal,
                                                     std::optional<std::uint64_t> until_ms) {
    const auto found = state().goals.find(goal);
    if (found == state().goals.end()) return GoalOutcome::reached;
    if (found->second.outcome != GoalOutcome::pending) return found->second.outcome;
    waits_.wait(waiter, goal, until_ms);
    return std::nullopt;
}

}  // namespace muster::core::controller
