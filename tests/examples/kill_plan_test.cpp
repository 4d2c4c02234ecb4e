// SPDX-License-Identifier: Apache-2.0
#include "train/kill_plan.hpp"

#include <gtest/gtest.h>

namespace train {
namespace {

TEST(KillPlan, ReadsRankStepAndPoint) {
    const auto plain = parse_kill("2@100");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->rank.value, 2U);
    EXPECT_EQ(plain->step, 100U);
    EXPECT_EQ(plain->point, Point::in_alltoall);
    EXPECT_EQ(parse_kill("0@7:in-commit")->point, Point::in_commit);
}

TEST(KillPlan, SaysWhatIsWrong) {
    for (const char* text : {"", "2", "2@", "@3", "-1@3", "2@3:", "2@3:never", "1@0", "99999999999@1"})
        EXPECT_FALSE(parse_kill(text)) << text;
    EXPECT_NE(parse_kill("2@3:never").error().text.find("in-commit"), std::string::npos);
}

TEST(KillPlan, IsDueForItsRankStepAndPointOnly) {
    const KillPlan plan({*parse_kill("2@100"), *parse_kill("1@5")}, muster::Rank{2});
    EXPECT_TRUE(plan.due(Point::in_alltoall, 100));
    EXPECT_FALSE(plan.due(Point::in_alltoall, 99));
    EXPECT_FALSE(plan.due(Point::in_commit, 100));
    EXPECT_FALSE(plan.due(Point::in_alltoall, 5));
}

TEST(KillPlan, AStandbyDiesInItsFirstRestoreAtOrAfterTheStep) {
    const KillPlan plan({*parse_kill("4@100:in-restore")}, muster::Rank{4});
    EXPECT_FALSE(plan.due(Point::in_restore, 99));
    EXPECT_TRUE(plan.due(Point::in_restore, 107));
}

}  // namespace
}  // namespace train
