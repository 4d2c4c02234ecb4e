// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Who waits for which goal, and how long ended goals have been kept.
/// Intuition: any number may wait for the same goal; waking them takes nothing away from it (R9). Waiters are a matter
/// of this coordinator alone: clients ask a successor again. Units: milliseconds of this coordinator's clock. Thread
/// safety: none.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/controller_effect.hpp"

namespace muster::core::controller {

class GoalWaits {
public:
    explicit GoalWaits(std::uint64_t kept_ms) : kept_ms_(kept_ms) {}

    void wait(WaiterId waiter, GoalId goal, std::optional<std::uint64_t> until_ms);
    void forget(WaiterId waiter);
    /// The goal has ended: wakes all who wait for it, and its time begins.
    void ended(GoalId goal, GoalOutcome outcome, std::uint64_t now_ms, Effects& out);
    void expire(std::uint64_t now_ms, Effects& out);
    void end_all(Effects& out);
    /// Goals that have been kept long enough, oldest first. They are named until forgotten() says that they are gone.
    [[nodiscard]] std::vector<GoalId> old(std::uint64_t now_ms) const;
    void forgotten(const std::vector<GoalId>& goals);
    [[nodiscard]] std::size_t waiting() const { return waiters_.size(); }

private:
    struct Waiter {
        GoalId goal;
        std::optional<std::uint64_t> until_ms;
    };
    std::uint64_t kept_ms_;
    std::map<WaiterId, Waiter> waiters_;
    std::set<std::pair<GoalId, WaiterId>> by_goal_;
    std::set<std::pair<std::uint64_t, WaiterId>> by_time_;
    std::map<GoalId, std::uint64_t> ended_;  ///< When this coordinator has seen it ended.
    std::set<std::pair<std::uint64_t, GoalId>> ended_by_time_;
};

}  // namespace muster::core::controller
