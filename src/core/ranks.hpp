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

/// Who coordinates: the lowest Rank of the world that is in the pool, else the lowest of the pool, which is not empty.
[[nodiscard]] inline Rank coordinator_among(std::vector<Rank> world, const std::vector<Rank>& pool) {
    std::sort(world.begin(), world.end());  // Then the first look finds it, unless low ranks have died.
    for (const Rank rank : world)
        if (contains(pool, rank)) return rank;
    return *std::min_element(pool.begin(), pool.end());
}

}  // namespace muster::core
