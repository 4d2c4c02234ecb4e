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
