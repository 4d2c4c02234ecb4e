// SPDX-License-Identifier: Apache-2.0
/// The next world and the state that it begins with. Endings and losses: plan_ending_test.cpp.
#include "core/plan.hpp"

#include <gtest/gtest.h>

#include "survivors.hpp"

namespace muster::core {
namespace {

using testing::ranks;
using testing::ranks_up_to;
using testing::Survivors;

TEST(Plan, ALossMakesTheNextRoundWithAStandbyInTheHole) {
    const Plan plan = Survivors(ranks({1})).decide();
    ASSERT_FALSE(plan.ending);
    EXPECT_EQ(plan.round, Round{2});
    EXPECT_EQ(plan.world, ranks({0, 4, 2, 3}));
    EXPECT_EQ(plan.standbys, ranks({5}));
    ASSERT_EQ(plan.promoted.size(), 1u);
    EXPECT_EQ(plan.promoted[0].rank, Rank{4});
    EXPECT_EQ(plan.promoted[0].slot, Slot{1});
    EXPECT_TRUE(plan.dismissed.empty());
}

TEST(PlanState, WhereOneSawTheCommitThoseThatAttemptedItGoForward) {
    Survivors job(ranks({1}));
    job.committed(2, 7);
    job.attempted(0, 7);
    job.attempted(3, 7);
    const Plan plan = job.decide();
    EXPECT_EQ(plan.step, Step{7});
    EXPECT_EQ(plan.source, Slot{0}) << "who only attempted it holds the same state";
    ASSERT_EQ(plan.newcomers.size(), 1u) << "only the promoted one";
    EXPECT_EQ(plan.newcomers[0].rank, Rank{4});
}

TEST(PlanState, WhereAllAttemptedAStepAndNobodySawItsCommitItIsDoneAgain) {
    Survivors job({});
    for (const std::uint32_t rank : {0u, 1u, 2u, 3u}) job.attempted(rank, 7);
    const Plan plan = job.decide();
    EXPECT_EQ(plan.step, Step{6});
    EXPECT_TRUE(plan.newcomers.empty());
}

TEST(PlanState, WhoeverHasNeitherCommittedNorAttemptedItIsANewcomer) {
    Survivors job({});
    for (const std::uint32_t rank : {0u, 1u, 2u}) job.committed(rank, 7);
    const Plan plan = job.decide();
    EXPECT_EQ(plan.step, Step{7});
    ASSERT_EQ(plan.newcomers.size(), 1u);
    EXPECT_EQ(plan.newcomers[0].rank, Rank{3}) << "step 6 is not step 7";
}

TEST(PlanState, BeforeTheFirstCommitEverybodyBeginsAtTheBeginning) {
    Survivors job({});
    for (auto& [rank, facts] : job.present) {
        facts.committed.reset();
        facts.committed_in = Round{0};
        facts.attempted = Step{1};
    }
    const Plan plan = job.decide();
    EXPECT_EQ(plan.step, std::nullopt);
    EXPECT_EQ(plan.source, std::nullopt);
    EXPECT_EQ(plan.newcomers.size(), plan.world.size());
}

TEST(PlanState, TheSourceIsTheLowestSlotThatHoldsIt) { EXPECT_EQ(Survivors(ranks({0})).decide().source, Slot{1}); }

TEST(PlanHolder, ANewcomersHolderIsThePartnerOfTheLastCommitsWorld) {
    const Survivors job(ranks({1}));
    const auto partner = partners(job.previous, job.launch);
    const Plan plan = job.decide();
    ASSERT_EQ(plan.newcomers.size(), 1u);
    EXPECT_EQ(plan.newcomers[0].slot, Slot{1});
    EXPECT_EQ(plan.newcomers[0].holder, partner[1]) << "survivors kept their slots";
}

TEST(PlanHolder, IsLookedUpInTheRoundOfTheCommitAndNotInTheLastOne) {
    Survivors job(ranks({1}));
    // The commit was in round 1, whose slot 1 was kept by rank 2; round 2 came and went without a commit.
    job.launch = testing::launch_at({"n1", "n1", "n1", "n1", "n1", "n1"});
    job.worlds = {{Round{1}, ranks({0, 1, 3, 2})}, {Round{2}, ranks_up_to(4)}};
    ASSERT_EQ(partners(job.worlds[Round{1}], job.launch)[1], Slot{3});
    EXPECT_EQ(job.decide().newcomers.at(0).holder, Slot{2}) << "rank 2 sits in slot 2 now";
}

TEST(PlanHolder, ThereIsNoneWhereThePartnerDiedToo) {
    const Survivors alive(ranks({1}));
    const Rank keeper = alive.previous[partners(alive.previous, alive.launch)[1].value];
    const Plan plan = Survivors({Rank{1}, keeper}).decide();
    ASSERT_EQ(plan.newcomers.size(), 2u);
    for (const auto& newcomer : plan.newcomers)
        if (newcomer.slot == Slot{1}) {
            EXPECT_EQ(newcomer.holder, std::nullopt);
        }
}

TEST(PlanHolder, ThereIsNoneWhereThePartnerIsANewcomerItself) {
    Survivors job(ranks({1}));
    const Rank keeper = job.previous[partners(job.previous, job.launch)[1].value];
    for (const std::uint32_t rank : {0u, 2u, 3u})
        if (Rank{rank} != keeper) job.committed(rank, 7);
    for (const auto& newcomer : job.decide().newcomers) {
        if (newcomer.slot == Slot{1}) {
            EXPECT_EQ(newcomer.holder, std::nullopt);
        }
    }
}

TEST(PlanHolder, ThereIsNoneWhereTheSizeChanged) {
    Survivors job(ranks({3, 4, 5}));
    for (const std::uint32_t rank : {1u, 2u}) job.committed(rank, 7);
    ASSERT_EQ(partners(job.previous, job.launch)[0], Slot{2}) << "who is there and holds step 7";
    const Plan plan = job.decide();
    ASSERT_EQ(plan.world, ranks_up_to(3));
    ASSERT_EQ(plan.newcomers.size(), 1u) << "rank 0, one step behind";
    EXPECT_EQ(plan.newcomers[0].holder, std::nullopt) << "slot 0 has other items now";
}

TEST(PlanHolder, ThereIsNoneWhereTheWorldOfTheCommitIsNotRemembered) {
    Survivors job(ranks({1}));
    job.worlds.clear();
    EXPECT_EQ(job.decide().newcomers.at(0).holder, std::nullopt);
}

TEST(PlanState, TheStatesRoundIsTheNewestInWhichAnybodyCommitted) {
    Survivors job({});
    job.committed(2, 7, 5);
    job.attempted(0, 7);
    EXPECT_EQ(job.decide().state_round, Round{5});
}

TEST(PlanState, WhereTheOnlyHolderWouldBeLeftOverTheStateIsStillInTheWorld) {
    Survivors job(ranks({0, 1, 2}));
    job.settings.placement.group_size = 2;
    const Plan plan = job.decide();
    ASSERT_FALSE(plan.ending);
    ASSERT_EQ(plan.world.size(), 2u);
    EXPECT_EQ(plan.step, Step{6});
    ASSERT_TRUE(plan.source) << "a step that nobody in the world holds cannot be gone on from";
    EXPECT_EQ(plan.world[plan.source->value], Rank{3});
}

}  // namespace
}  // namespace muster::core
