// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Looking a Rank up in a list of them.

#include <algorithm>
#include <optional>
#include <vector>

#include "muster/types.hpp"

namespace muster::core {

[[nodiscard]] inline bool contains(const std::vector<Rank>& ranks, Rank rank) {
    return std::find(ranks.begin(), ranks.end(), rank) != ranks.end();
}

/// A member's place in a world (slot -> rank); nothing where it has none.
[[nodiscard]] inline std::optional<Slot> slot_of(const std::vector<Rank>& world, Rank rank) {
    const auto place = std::find(world.begin(), world.end(), rank);
    if (place == world.end()) return std::nullopt;
    return Slot{static_cast<std::uint32_t>(place - world.begin())};
}

}  // namespace muster::core
