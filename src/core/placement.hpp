// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Who stands where in the next world: survivors, standbys, holes.
/// Intuition: survivors keep their place, a hole is filled by the nearest standby, and where there is none the highest
/// slots move down, so that the world stays dense, and engines and lockstep groups stay whole: a unit that cannot be
/// refilled is dissolved, its live members are standbys.
/// Units: a world has engines x engine_ranks slots; engine e has the slots e * engine_ranks and up.
/// Pure: the same input gives the same world on every member.

#include <cstdint>
#include <functional>
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
    bool client = false;  ///< Member of the pool, but never an engine or a standby.
};

/// Number of trailing components in which two locations differ: 0 on one node, 1 in one rack, 2 beyond.
[[nodiscard]] std::uint32_t distance(const std::string& a, const std::string& b);

struct PlacementSettings {
    std::uint32_t engines = 0;       ///< Wanted size of the world, in engines.
    std::uint32_t engine_ranks = 1;  ///< Members per engine.
    std::uint32_t group_size = 0;    ///< Engines per lockstep group; 0: one group, the whole world, of any size.
    /// As Config::layout; empty: groups are consecutive engines.
    std::function<std::uint32_t(std::uint32_t engine, std::uint32_t engines)> layout{};
    SlotOrder order = SlotOrder::stable;
};

/// Members that are placed or dissolved together: those of a lockstep group, or of an engine where there is one group.
[[nodiscard]] std::uint32_t unit_of(const PlacementSettings& settings);

/// Shape: one per slot of a world of whole engines: its lockstep group.
[[nodiscard]] std::vector<std::uint32_t> groups_of(const PlacementSettings& settings, std::uint32_t world_size);

/// The receiving member of each engine, by slot. `world`: slot -> rank.
[[nodiscard]] std::vector<Rank> sources_of(const PlacementSettings& settings, const std::vector<Rank>& world);

/// What is wrong with the layout at any size to which the world can shrink, by engine; empty: nothing.
[[nodiscard]] std::string complaint_about_layout(const PlacementSettings& settings);

struct Promotion {
    Rank rank;
    Slot slot;
};

struct Placement {
    std::vector<Rank> world;          ///< Shape: one per slot.
    std::vector<Rank> standbys;       ///< Ascending.
    std::vector<Promotion> promoted;  ///< Standbys that became engines, ascending by slot.
};

/// The next world from the last one. `previous`: slot -> rank of the last complete round, the dead included; of whole
/// groups where there is a layout.
/// `launch`: every member that was ever launched, indexed by Rank (the dead too: a hole's place counts).
/// `available`: the live members that stay and are no clients, ascending by Rank.
[[nodiscard]] Placement place(const PlacementSettings& settings, const std::vector<Rank>& previous,
                              const std::vector<Member>& launch, const std::vector<Rank>& available);

/// partner[s] keeps a copy of slot s's shard: a permutation in which partner and slot sit on different nodes wherever
/// no node holds more than half of the world, and never s itself in a world of two or more. As far as that leaves a
/// choice, partner and slot are of different units (unit_of()), so that a dissolved unit's shards are held elsewhere.
[[nodiscard]] std::vector<Slot> partners(const PlacementSettings& settings, const std::vector<Rank>& world,
                                         const std::vector<Member>& launch);
/// The same where every member is a unit of its own.
[[nodiscard]] std::vector<Slot> partners(const std::vector<Rank>& world, const std::vector<Member>& launch);

}  // namespace muster::core
