// SPDX-License-Identifier: Apache-2.0
#include "core/leave_desk.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace muster::core {
namespace {

using testing::ranks;

TEST(LeaveDesk, IsNeverDueWhileNobodyLeaves) {
    const LeaveDesk desk(200);
    EXPECT_FALSE(desk.due(ranks({0, 1}), 1'000'000));
}

TEST(LeaveDesk, IsDueAtOnceWhenAllEnginesLeave) {
    LeaveDesk desk(200);
    desk.leaving(Rank{0}, 10);
    EXPECT_FALSE(desk.due(ranks({0, 1}), 11));
    desk.leaving(Rank{1}, 12);
    EXPECT_TRUE(desk.due(ranks({0, 1}), 12));
}

TEST(LeaveDesk, ASingleLeaverWaitsForTheWindowAndNoLonger) {
    LeaveDesk desk(200);
    desk.leaving(Rank{1}, 1'000);
    EXPECT_FALSE(desk.due(ranks({0, 1, 2}), 1'199));
    EXPECT_TRUE(desk.due(ranks({0, 1, 2}), 1'200));
}

TEST(LeaveDesk, TheFirstLeaversWindowCountsHoweverOftenItSaysSo) {
    LeaveDesk desk(200);
    desk.leaving(Rank{1}, 1'000);
    desk.leaving(Rank{1}, 1'150);
    desk.leaving(Rank{2}, 1'190);
    EXPECT_TRUE(desk.due(ranks({0, 1, 2}), 1'200));
}

TEST(LeaveDesk, AStandbyThatLeavesDoesNotStandForAnEngine) {
    LeaveDesk desk(200);
    desk.leaving(Rank{0}, 0);
    desk.leaving(Rank{7}, 0);
    EXPECT_FALSE(desk.due(ranks({0, 1}), 100));
}

TEST(LeaveDesk, ANewRoundBeginsWithAnEmptyDesk) {
    LeaveDesk desk(200);
    desk.leaving(Rank{0}, 0);
    desk.clear();
    EXPECT_FALSE(desk.due(ranks({0}), 10'000));
    desk.leaving(Rank{1}, 10'000);
    EXPECT_FALSE(desk.due(ranks({0, 1}), 10'100)) << "the window begins anew";
}

}  // namespace
}  // namespace muster::core
