// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/placement.hpp"
#include "support.hpp"

namespace muster::core {
namespace {

using testing::Dice;
using testing::launch_at;
using testing::ranks_up_to;

TEST(Partners, AWorldOfOneIsItsOwnPartner) {
    EXPECT_EQ(partners(ranks_up_to(1), launch_at({"n1"})), std::vector<Slot>{Slot{0}});
    EXPECT_TRUE(partners({}, {}).empty());
}

TEST(Partners, TwoNodesKeepEachOthersCopies) {
    const auto launch = launch_at({"n1", "n1", "n2", "n2"});
    EXPECT_EQ(partners(ranks_up_to(4), launch), (std::vector<Slot>{Slot{2}, Slot{3}, Slot{0}, Slot{1}}));
}

TEST(Partners, OnOneNodeTheTwoLockstepGroupsKeepEachOthersCopies) {
    for (const std::uint32_t group : {1u, 2u, 3u, 4u, 8u}) {
        const auto launch = launch_at(std::vector<std::string>(2 * group, "n1"));
        const auto partner = partners(ranks_up_to(2 * group), launch);
        for (std::uint32_t s = 0; s < 2 * group; ++s) EXPECT_NE(partner[s].value / group, s / group) << s;
    }
}

/// How many slots have their copy on their own node, and how many in their own unit.
struct Shared {
    std::size_t nodes = 0, units = 0;
};

Shared shared(const std::vector<Slot>& partner, const std::vector<Rank>& world, const std::vector<Member>& launch,
              const std::vector<std::uint32_t>& unit) {
    Shared count;
    for (std::uint32_t s = 0; s < world.size(); ++s) {
        count.nodes += launch[world[s].value].node == launch[world[partner[s].value].value].node ? 1 : 0;
        count.units += unit[s] == unit[partner[s].value] ? 1 : 0;
    }
    return count;
}

TEST(Partners, WhateverTheLayoutACopyIsNotInItsOwnLockstepGroup) {
    for (const std::uint32_t nodes : {1u, 2u, 4u})
        for (const bool blocks : {true, false}) {  // How ranks are dealt out to the nodes.
            std::vector<std::string> places;
            for (std::uint32_t r = 0; r < 16; ++r)
                places.push_back("n" + std::to_string(blocks ? r * nodes / 16 : r % nodes));
            const auto launch = launch_at(places);
            for (const bool strided : {true, false})
                for (const std::uint32_t engine_ranks : {1u, 2u}) {
                    PlacementSettings settings{
                        .engines = 16 / engine_ranks, .engine_ranks = engine_ranks, .group_size = 2};
                    if (strided) settings.layout = testing::strided(2);
                    const auto partner = partners(settings, ranks_up_to(16), launch);
                    const auto count = shared(partner, ranks_up_to(16), launch, groups_of(settings, 16));
                    EXPECT_EQ(count.units, 0u) << nodes << " nodes, in blocks: " << blocks << ", strided: " << strided
                                               << ", engines of " << engine_ranks;
                    EXPECT_EQ(count.nodes, nodes == 1 ? 16u : 0u);
                }
        }
}

TEST(Partners, WithoutGroupsACopyIsNotInItsOwnEngine) {
    const PlacementSettings settings{.engines = 3, .engine_ranks = 2};
    const auto launch = launch_at({"n1", "n2", "n1", "n2", "n1", "n2"});
    const auto partner = partners(settings, ranks_up_to(6), launch);
    const auto count = shared(partner, ranks_up_to(6), launch, {0, 0, 1, 1, 2, 2});
    EXPECT_EQ(count.units, 0u);
    EXPECT_EQ(count.nodes, 0u);
}

TEST(Partners, OtherUnitsAreFoundWithoutGivingUpOtherNodes) {
    std::size_t all_before = 0, all_after = 0;
    for (const auto seed : testing::seeds(5'000)) {
        SCOPED_TRACE(testing::replay(seed));
        Dice dice(seed);
        const auto members = 4 * dice.between(1, 8);
        const auto launch = testing::scattered(dice, members, dice.between(1, 6), 2);
        PlacementSettings settings{.engines = members, .group_size = dice.one_in(2) ? 2u : 4u};
        if (dice.one_in(2)) settings.layout = testing::strided(settings.group_size);
        const auto unit = groups_of(settings, members);
        const auto plain = partners(ranks_up_to(members), launch);
        const auto partner = partners(settings, ranks_up_to(members), launch);
        ASSERT_EQ(std::set<Slot>(partner.begin(), partner.end()).size(), members) << "not a permutation";
        for (std::uint32_t s = 0; s < members; ++s) ASSERT_NE(partner[s], Slot{s});
        const auto before = shared(plain, ranks_up_to(members), launch, unit);
        const auto after = shared(partner, ranks_up_to(members), launch, unit);
        ASSERT_EQ(after.nodes, before.nodes);
        all_before += before.units;
        all_after += after.units;
    }
    if (std::getenv("MUSTER_SEED")) return;
    EXPECT_LT(5 * all_after, all_before) << "what is left has no better choice, but for one case in a hundred";
}

TEST(Partners, EverybodyHasOneAndItSitsElsewhereWhereverThatCanBe) {
    for (const auto seed : testing::seeds(20'000)) {
        SCOPED_TRACE(testing::replay(seed));
        Dice dice(seed);
        const auto members = dice.between(1, 24);
        const auto launch = testing::scattered(dice, members, dice.between(1, 6), 2);
        std::vector<Rank> world = ranks_up_to(members);
        for (std::uint32_t i = members; i > 1; --i) std::swap(world[i - 1], world[dice.below(i)]);
        world.resize(dice.between(1, members));

        const auto partner = partners(world, launch);
        ASSERT_EQ(partner.size(), world.size());
        ASSERT_EQ(std::set<Slot>(partner.begin(), partner.end()).size(), world.size()) << "not a permutation";
        std::map<std::string, std::size_t> on;
        std::size_t fullest = 0, at_home = 0;
        for (const Rank rank : world) fullest = std::max(fullest, ++on[launch[rank.value].node]);
        for (std::uint32_t s = 0; s < world.size(); ++s) {
            ASSERT_LT(partner[s].value, world.size());
            if (world.size() > 1) {
                ASSERT_NE(partner[s], Slot{s});
            }
            at_home += launch[world[s].value].node == launch[world[partner[s].value].value].node ? 1 : 0;
        }
        if (2 * fullest <= world.size()) {
            ASSERT_EQ(at_home, 0u) << "a slot and its copy on one node";
        } else {
            ASSERT_EQ(at_home, 2 * fullest - world.size()) << "more copies at home than need be";
        }
    }
}

}  // namespace
}  // namespace muster::core
