// SPDX-License-Identifier: Apache-2.0
/// Engines of several ranks and lockstep groups of any layout: what is one unit, and what becomes of it.
#include <gtest/gtest.h>

#include "core/placement.hpp"
#include "support.hpp"

namespace muster::core {
namespace {

using testing::launch_at;
using testing::ranks;
using testing::ranks_up_to;
using testing::strided;

std::vector<Member> on_one_node(std::size_t count) { return launch_at(std::vector<std::string>(count, "n1")); }

Placement next(const PlacementSettings& settings, const std::vector<Rank>& previous, const std::vector<Rank>& live) {
    return place(settings, previous, on_one_node(32), live);
}

using Groups = std::vector<std::uint32_t>;

TEST(Shape, AGroupIsGivenForEverySlot) {
    EXPECT_EQ(groups_of({.engines = 4}, 4), (Groups{0, 0, 0, 0})) << "one group, the whole world";
    EXPECT_EQ(groups_of({.engines = 4, .group_size = 2}, 4), (Groups{0, 0, 1, 1}));
    EXPECT_EQ(groups_of({.engines = 4, .engine_ranks = 2, .group_size = 2}, 8), (Groups{0, 0, 0, 0, 1, 1, 1, 1}));
    const PlacementSettings striped{.engines = 4, .engine_ranks = 2, .group_size = 2, .layout = strided(2)};
    EXPECT_EQ(groups_of(striped, 8), (Groups{0, 0, 1, 1, 0, 0, 1, 1}));
    EXPECT_EQ(groups_of(striped, 4), (Groups{0, 0, 0, 0})) << "the layout is asked for the size that there is";
}

TEST(Shape, TheLowestSlotOfAnEngineReceives) {
    EXPECT_EQ(sources_of({.engines = 3}, ranks({5, 1, 2})), ranks({5, 1, 2}));
    EXPECT_EQ(sources_of({.engines = 2, .engine_ranks = 3}, ranks({5, 1, 2, 9, 0, 7})), ranks({5, 9}));
}

TEST(Shape, AUnitIsAGroupElseAnEngine) {
    EXPECT_EQ(unit_of({.engines = 4}), 1u);
    EXPECT_EQ(unit_of({.engines = 4, .engine_ranks = 3}), 3u);
    EXPECT_EQ(unit_of({.engines = 4, .engine_ranks = 3, .group_size = 2}), 6u);
}

TEST(Layout, WhatIsWrongWithItIsSaidByEngine) {
    PlacementSettings settings{.engines = 6, .group_size = 2, .layout = strided(2)};
    EXPECT_EQ(complaint_about_layout(settings), "");
    settings.layout = {};
    EXPECT_EQ(complaint_about_layout(settings), "") << "consecutive engines need no layout";
    settings.layout = [](std::uint32_t engine, std::uint32_t) { return engine / 2 + 1; };
    EXPECT_EQ(complaint_about_layout(settings),
              "the layout puts engine 0 of 2 into lockstep group 1, but with groups of 2 the highest is 0");
    settings.layout = [](std::uint32_t engine, std::uint32_t engines) {
        return engines == 6 ? (engine < 3 ? 0U : 1U) : engine / 2;
    };
    EXPECT_EQ(complaint_about_layout(settings),
              "the layout puts engine 2 of 6 into lockstep group 0, which has its 2 engines already");
    settings.group_size = 0;
    EXPECT_NE(complaint_about_layout(settings).find("group_size"), std::string::npos);
}

TEST(Layout, IsAskedForEverySizeThatWholeGroupsCanShrinkTo) {
    std::vector<std::uint32_t> asked;
    const PlacementSettings settings{.engines = 9, .group_size = 3, .layout = [&](std::uint32_t e, std::uint32_t n) {
                                         if (e == 0) asked.push_back(n);
                                         return e % (n / 3);
                                     }};
    EXPECT_EQ(complaint_about_layout(settings), "");
    EXPECT_EQ(asked, (Groups{3, 6, 9}));
}

TEST(EngineRanks, AStandbyRefillsABrokenEngine) {
    const auto placed = next({.engines = 3, .engine_ranks = 2}, ranks_up_to(6), ranks({0, 1, 2, 4, 5, 6}));
    EXPECT_EQ(placed.world, ranks({0, 1, 2, 6, 4, 5}));
    EXPECT_TRUE(placed.standbys.empty());
}

TEST(EngineRanks, ABrokenEngineThatCannotBeRefilledIsDissolved) {
    const auto placed = next({.engines = 3, .engine_ranks = 2}, ranks_up_to(6), ranks({0, 1, 2, 4, 5}));
    EXPECT_EQ(placed.world, ranks({0, 1, 4, 5})) << "whole engines stay as they are";
    EXPECT_EQ(placed.standbys, ranks({2}));
}

TEST(EngineRanks, OfTwoBrokenEnginesOneIsMade) {
    const auto placed = next({.engines = 3, .engine_ranks = 2}, ranks_up_to(6), ranks({0, 2, 4, 5}));
    EXPECT_EQ(placed.world, ranks({0, 2, 4, 5}));
    EXPECT_TRUE(placed.standbys.empty());
}

TEST(EngineRanks, AGroupIsWholeOnlyWithAllRanksOfItsEngines) {
    const PlacementSettings settings{.engines = 4, .engine_ranks = 2, .group_size = 2};
    const auto placed = next(settings, ranks_up_to(8), ranks({0, 1, 2, 4, 5, 6, 7}));
    EXPECT_EQ(placed.world, ranks({4, 5, 6, 7}));
    EXPECT_EQ(placed.standbys, ranks({0, 1, 2}));
}

TEST(EngineRanks, MembersOfADissolvedGroupAreUsedAgain) {
    const PlacementSettings settings{.engines = 4, .engine_ranks = 2, .group_size = 2};
    const auto dissolved = next(settings, ranks_up_to(8), ranks({0, 1, 2, 4, 5, 6, 7}));
    ASSERT_EQ(dissolved.standbys, ranks({0, 1, 2}));
    const auto refilled = next(settings, dissolved.world, ranks({0, 1, 2, 4, 5, 7}));
    EXPECT_EQ(refilled.world, ranks({4, 5, 0, 7})) << "as standbys of the group that is left";
    EXPECT_EQ(refilled.standbys, ranks({1, 2}));
    const auto grown = next(settings, dissolved.world, ranks({0, 1, 2, 4, 5, 6, 7, 8}));
    EXPECT_EQ(grown.world, ranks({4, 5, 6, 7, 0, 1, 2, 8})) << "as a group, with the standby that was missing";
}

TEST(Layout, SurvivorsKeepTheirSlotsWhereTheSizeStays) {
    const PlacementSettings settings{.engines = 4, .group_size = 2, .layout = strided(2)};
    const auto placed = next(settings, ranks_up_to(4), ranks({0, 1, 3, 4}));
    EXPECT_EQ(placed.world, ranks({0, 1, 4, 3}));
    ASSERT_EQ(placed.promoted.size(), 1u);
    EXPECT_EQ(placed.promoted[0].slot, Slot{2});
}

TEST(Layout, TheGroupThatIsWholeStaysTogether) {
    const PlacementSettings settings{.engines = 4, .engine_ranks = 2, .group_size = 2, .layout = strided(2)};
    // Groups: engines 0 and 2 (ranks 0 1 4 5), engines 1 and 3 (ranks 2 3 6 7).
    const auto placed = next(settings, ranks_up_to(8), ranks({0, 1, 2, 3, 4, 6, 7}));
    EXPECT_EQ(placed.world, ranks({2, 3, 6, 7}));
    EXPECT_EQ(placed.standbys, ranks({0, 1, 4}));
}

TEST(Layout, WhereTheSizeChangesGroupsMoveAsAWhole) {
    const PlacementSettings settings{.engines = 6, .group_size = 2, .layout = strided(2)};
    // Groups (0 3) (1 4) (2 5); the first is gone. Of four engines the layout makes the groups (0 2) (1 3).
    const auto placed = next(settings, ranks_up_to(6), ranks({1, 2, 4, 5}));
    EXPECT_EQ(placed.world, ranks({2, 1, 5, 4}));
}

TEST(Layout, IsNotAskedWhereThereIsOneGroup) {
    const PlacementSettings settings{.engines = 3, .layout = [](std::uint32_t e, std::uint32_t) { return e; }};
    EXPECT_EQ(groups_of(settings, 3), (Groups{0, 0, 0}));
    EXPECT_EQ(next(settings, ranks_up_to(3), ranks({0, 2})).world, ranks({0, 2}));
}

}  // namespace
}  // namespace muster::core
