// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Who holds its lockstep group up, and by how much. Nobody is evicted for it.
/// Intuition: each engine says how long its own part of a turn takes (gauge "turn_ms"); whoever takes clearly longer
/// than the others' median does is what they all wait for.
/// Units: milliseconds. Pure.

#include <vector>

#include "core/load_message.hpp"
#include "muster/types.hpp"

namespace muster::core {

inline constexpr char kTurnGauge[] = "turn_ms";

struct Straggler {
    Slot slot;
    Rank rank;
    double turn_ms = 0, median_ms = 0;  ///< Its own; the others'.
};

/// Ascending by slot. Slow: half as long again as the others, and a millisecond more.
[[nodiscard]] std::vector<Straggler> stragglers(const GroupWord& group);

}  // namespace muster::core
