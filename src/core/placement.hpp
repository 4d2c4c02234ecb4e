// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Who stands where in the next world: survivors, standbys, holes.
/// Intuition: survivors keep their place, a hole is filled by the nearest standby, and where there is none the highest
/// slots move down, so that the world stays dense and whole lockstep groups stay whole.
/// Pure: the same input gives the same world on every member.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "muster/config.hpp"
#include "muster/types.hpp"

namespace muster::core {

/// Where a member lives. `location` is a path in the topology, outermost first: "rack2/n17".
struct Member {
    Rank rank;
    std::string node;
    std::string location;
};

/// Number of trailing components in which two locations differ: 0 on one node, 1 in one rack, 2 beyond.
[[nodiscard]] std::uint32_t distance(const std::string& a, const std::string& b);

struct PlacementSettings {
    std::uint32_t engines = 0;     ///< Wanted size of the world.
    std::uint32_t group_size = 0;  ///< The size is a multiple of it; 0 or 1: any size.
    SlotOrder order = SlotOrder::stable;
};

struct Promotion {
    Rank rank;
    Slot slot;
};

struct Placement {
    std::vector<Rank> world;          ///< Shape: one per slot.
    std::vector<Rank> standbys;       ///< Ascending.
    std::vector<Promotion> promoted;  ///< Standbys that became engines, ascending by slot.
};

/// The next world from the last one. `previous`: slot -> rank of the last complete round, the dead included.
/// `launch`: every member that was ever launched, indexed by Rank (the dead too: a hole's place counts).
/// `available`: the live members that stay, ascending by Rank.
[[nodiscard]] Placement place(const PlacementSettings& settings, const std::vector<Rank>& previous,
                              const std::vector<Member>& launch, const std::vector<Rank>& available);

/// partner[s] keeps a copy of slot s's shard: a permutation in which partner and slot sit on different nodes wherever
/// no node holds more than half of the world, and never s itself in a world of two or more.
[[nodiscard]] std::vector<Slot> partners(const std::vector<Rank>& world, const std::vector<Member>& launch);

}  // namespace muster::core
