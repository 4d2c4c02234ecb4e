// SPDX-License-Identifier: Apache-2.0
#include "core/goal_waits.hpp"

namespace muster::core::controller {

void GoalWaits::wait(WaiterId waiter, GoalId goal, std::optional<std::uint64_t> until_ms) {
    forget(waiter);
    waiters_[waiter] = {goal, until_ms};
    by_goal_.insert({goal, waiter});
    if (until_ms) by_time_.insert({*until_ms, waiter});
}

void GoalWaits::forget(WaiterId waiter) {
    const auto found = waiters_.find(waiter);
    if (found == waiters_.end()) return;
    by_goal_.erase({found->second.goal, waiter});
    if (found->second.until_ms) by_time_.erase({*found->second.until_ms, waiter});
    waiters_.erase(found);
}

void GoalWaits::ended(GoalId goal, GoalOutcome outcome, std::uint64_t now_ms, Effects& out) {
    if (ended_.try_emplace(goal, now_ms).second) ended_by_time_.insert({now_ms, goal});
    for (auto next = by_goal_.lower_bound({goal, WaiterId{}}); next != by_goal_.end() && next->first == goal;
         next = by_goal_.lower_bound({goal, WaiterId{}})) {
        const auto waiter = next->second;
        forget(waiter);
        out.emplace_back(EndWait{waiter, goal, outcome});
    }
}

void GoalWaits::expire(std::uint64_t now_ms, Effects& out) {
    while (!by_time_.empty() && by_time_.begin()->first <= now_ms) {
        const auto waiter = by_time_.begin()->second;
        const auto goal = waiters_.at(waiter).goal;
        forget(waiter);
        out.emplace_back(EndWait{waiter, goal, GoalOutcome::pending});
    }
}

void GoalWaits::end_all(Effects& out) {
    for (const auto& [goal, waiter] : by_goal_) out.emplace_back(EndWait{waiter, goal, GoalOutcome::reached});
    *this = GoalWaits(kept_ms_);
}

std::vector<GoalId> GoalWaits::old(std::uint64_t now_ms) const {
    std::vector<GoalId> goals;
    for (const auto& [since, goal] : ended_by_time_) {
        if (now_ms - since < kept_ms_) break;
        goals.push_back(goal);
    }
    return goals;
}

void GoalWaits::forgotten(const std::vector<GoalId>& goals) {
    for (const auto goal : goals) {
        const auto found = ended_.find(goal);
        if (found == ended_.end()) continue;
        ended_by_time_.erase({found->second, goal});
        ended_.erase(found);
    }
}

}  // namespace muster::core::controller
