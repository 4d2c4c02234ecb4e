// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Who has said that it leaves, and when the round must close for it.
/// Intuition: engines that reach the end of a job do so within a moment of each other; one round for all of them is
/// better than one each. A single leaver waits a little, then the others go on without it.
/// Units: milliseconds of any steady clock.

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "muster/types.hpp"

namespace muster::core {

class LeaveDesk {
public:
    explicit LeaveDesk(std::uint64_t window_ms) : window_ms_(window_ms) {}

    void leaving(Rank rank, std::uint64_t now_ms) {
        if (!first_ms_) first_ms_ = now_ms;
        leaving_.insert(rank);
    }

    /// True when all engines of `world` have said so, or the first has waited for the window.
    [[nodiscard]] bool due(const std::vector<Rank>& world, std::uint64_t now_ms) const {
        if (!first_ms_) return false;
        for (const Rank rank : world)
            if (!leaving_.contains(rank)) return now_ms >= *first_ms_ + window_ms_;
        return true;
    }

    void clear() {
        leaving_.clear();
        first_ms_.reset();
    }

private:
    std::uint64_t window_ms_;
    std::set<Rank> leaving_;
    std::optional<std::uint64_t> first_ms_;
};

}  // namespace muster::core
