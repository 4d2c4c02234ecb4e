// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A job of switchboards with a controller in it, and replicas as a test's double: they start when told to, outlive
/// coordinators, and are reported to whoever coordinates.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/controller_call.hpp"
#include "core/overloaded.hpp"
#include "fake_members.hpp"

namespace muster::core::testing {

class ControllerJob : public FakeMembers {
public:
    using Kind = controller::ReplicaReport::Kind;

    explicit ControllerJob(Shape shape) : FakeMembers(std::move(shape)) {
        on_order = [this](std::uint32_t, const controller::Effect& order) { take(order); };
        on_crash = [this](std::uint32_t rank) {
            ++crashes;
            kill(rank);
        };
        pass();
    }

    /// Time goes by, and what can happen does, until all is quiet for a while.
    void pass(std::uint64_t ms = 600) {
        for (const auto until = now_ms + ms; now_ms < until; now_ms += 50) {
            while (step()) {
            }
            report_all();
            tick(now_ms);
        }
    }
    /// Some of what can happen, in any order.
    void stir(std::uint32_t steps) {
        while (steps-- > 0) {
            if (dice().one_in(6)) tick(now_ms += 20);
            if (dice().one_in(4)) report_one();
            (void)step();
        }
    }
    void rebuild_until_whole() {
        rebuild();
        while (!at(coordinator()).alive) rebuild();
    }

    /// Until a coordinator has lived through all there is to do.
    void live_on() {
        for (auto crashed = crashes + 1; crashed != crashes;) {
            crashed = crashes;
            pass();
            if (!at(coordinator()).alive) rebuild_until_whole();
        }
    }

    CallId call(std::uint32_t rank, const controller::Call& call, CallId settled = {}) {
        const CallId id{++calls_[rank]};
        carry_out(rank, board(rank).controller_call({id, encode(call), settled == CallId{} ? id : settled, {}}));
        return id;
    }
    [[nodiscard]] std::size_t answers(std::uint32_t rank, CallId id) { return at(rank).told[id].size(); }
    /// The one answer there is; nothing: it was refused, with `error`.
    template <class What>
    std::optional<What> answer(std::uint32_t rank, CallId id) {
        const auto& told = at(rank).told[id];
        if (told.size() != 1) {
            error = std::to_string(told.size()) + " answers";
            return std::nullopt;
        }
        error = told.front().error.value_or("");
        if (told.front().error) return std::nullopt;
        const auto decoded = controller::decode_answer(told.front().answer);
        return decoded && std::holds_alternative<What>(*decoded) ? std::optional(std::get<What>(*decoded))
                                                                 : std::nullopt;
    }
    template <class What>
    std::optional<What> now(std::uint32_t rank, const controller::Call& one) {
        const auto id = call(rank, one);
        pass();
        return answer<What>(rank, id);
    }
    [[nodiscard]] const controller::State& state() { return board(coordinator()).job_state().controller().state(); }

    std::uint64_t now_ms = 1'000;
    std::string error;
    std::set<controller::ReplicaName> running;
    std::size_t starts = 0, crashes = 0;
    std::set<controller::ReplicaName> started_twice;

private:
    void take(const controller::Effect& order) {
        using namespace controller;
        std::visit(Overloaded{[this](const StartReplica& one) {
                                  if (running.insert(one.name).second && !ever_.insert(one.name).second)
                                      started_twice.insert(one.name);
                                  ++starts;
                                  due_.push_back({one.name, Kind::started});
                              },
                              [this](const AttachReplica& one) {
                                  if (!running.contains(one.name)) due_.push_back({one.name, Kind::gone});
                              },
                              [this](const StopReplica& one) { stop(one.name); },
                              [this](const KillReplica& one) { stop(one.name); },
                              [this](const CheckReplica& one) {
                                  due_.push_back({one.name, Kind::well});
                              },
                              [](const auto&) {}},
                   order);
    }
    void stop(const controller::ReplicaName& name) {
        running.erase(name);
        due_.push_back({name, Kind::gone});
    }
    void report_one() {
        const auto to = coordinator();
        if (due_.empty() || !at(to).alive || at(to).round != view().round) return;
        const auto report = due_.front();
        due_.erase(due_.begin());
        carry_out(to, board(to).replica_report(report));
    }
    void report_all() {
        while (!due_.empty() && at(coordinator()).alive && at(coordinator()).round == view().round) report_one();
    }

    std::vector<controller::ReplicaReport> due_;
    std::set<controller::ReplicaName> ever_;
    std::map<std::uint32_t, std::uint64_t> calls_;
};

}  // namespace muster::core::testing
