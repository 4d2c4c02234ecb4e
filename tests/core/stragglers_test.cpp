// SPDX-License-Identifier: Apache-2.0
#include "core/stragglers.hpp"

#include <gtest/gtest.h>

namespace muster::core {
namespace {

GroupWord group_of(const std::vector<double>& turns) {
    GroupWord group;
    for (std::uint32_t s = 0; s < turns.size(); ++s) {
        group.engines.push_back({.slot = Slot{s}, .rank = Rank{10 + s}, .load = {}});
        if (turns[s] > 0) group.engines.back().load.gauges[kTurnGauge] = turns[s];
    }
    return group;
}

TEST(Stragglers, WhoTakesClearlyLongerThanTheOthersIsNamedWithBothTimes) {
    const auto slow = stragglers(group_of({10, 11, 30, 9}));
    ASSERT_EQ(slow.size(), 1U);
    EXPECT_EQ(slow[0].slot, Slot{2});
    EXPECT_EQ(slow[0].rank, Rank{12});
    EXPECT_DOUBLE_EQ(slow[0].turn_ms, 30);
    EXPECT_DOUBLE_EQ(slow[0].median_ms, 10);
}

TEST(Stragglers, NobodyIsWhereAllAreAlikeOrTooFastToMatter) {
    EXPECT_TRUE(stragglers(group_of({10, 14, 12, 9})).empty());
    EXPECT_TRUE(stragglers(group_of({0.1, 0.9, 0.1})).empty());
    EXPECT_TRUE(stragglers(group_of({10})).empty());
    EXPECT_TRUE(stragglers(group_of({})).empty());
}

TEST(Stragglers, WhoSaysNothingIsNotComparedWith) {
    EXPECT_TRUE(stragglers(group_of({0, 30, 0})).empty());
    EXPECT_EQ(stragglers(group_of({0, 30, 10})).size(), 1U);
}

TEST(Stragglers, OfTwoTheSlowOneIsNamedAndOfManyAlsoTwo) {
    EXPECT_EQ(stragglers(group_of({10, 20})).size(), 1U);
    EXPECT_EQ(stragglers(group_of({10, 40, 10, 50, 10, 10})).size(), 2U);
}

}  // namespace
}  // namespace muster::core
