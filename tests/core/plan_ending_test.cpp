// SPDX-License-Identifier: Apache-2.0
/// How a job ends, who was lost, and what people are told about it.
#include <gtest/gtest.h>

#include "core/plan.hpp"
#include "survivors.hpp"

namespace muster::core {
namespace {

using testing::ranks;
using testing::Survivors;

std::string text_of(const Plan& plan, std::uint32_t rank) {
    for (const auto& loss : plan.lost)
        if (loss.rank == Rank{rank}) return loss.text;
    return "not lost";
}

TEST(PlanEnding, AnyMembersWishEndsTheJobWithItsCodeAndReason) {
    Survivors job(ranks({1}));
    job.of(5).wish = Wish{ExitCode::stopped, "asked for by a signal"};
    const Plan plan = job.decide();
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->code, ExitCode::stopped);
    EXPECT_EQ(plan.ending->reason, "asked for by a signal");
    EXPECT_TRUE(plan.world.empty());
    EXPECT_EQ(text_of(plan, 1), "killed") << "an ending still says who was lost";
}

TEST(PlanEnding, WhenAllEnginesLeaveTheJobIsFinished) {
    Survivors job({});
    for (const std::uint32_t rank : {0u, 1u, 2u, 3u}) job.of(rank).leaving = true;
    const Plan plan = job.decide();
    ASSERT_TRUE(plan.ending) << "the standbys do not count";
    EXPECT_EQ(plan.ending->code, ExitCode::finished);
    EXPECT_EQ(plan.ending->reason, "");
}

TEST(PlanEnding, WhenSomeLeaveTheyAreDismissedAndTheOthersGoOn) {
    Survivors job({});
    job.of(1).leaving = true;
    job.of(5).leaving = true;
    const Plan plan = job.decide();
    ASSERT_FALSE(plan.ending);
    EXPECT_EQ(plan.dismissed, ranks({1, 5}));
    EXPECT_EQ(plan.world, ranks({0, 4, 2, 3}));
    EXPECT_TRUE(plan.standbys.empty());
    EXPECT_EQ(text_of(plan, 1), "left");
}

TEST(PlanEnding, BelowMinItSaysHowManyThereAreAndWhatToDo) {
    Survivors job(ranks({1, 4, 5}));
    job.settings.engines_min = 4;
    const Plan plan = job.decide();
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->code, ExitCode::below_min);
    EXPECT_NE(plan.ending->reason.find("3 live members make a world of 3, fewer than the 4"), std::string::npos)
        << plan.ending->reason;
    EXPECT_NE(plan.ending->reason.find("--min"), std::string::npos) << plan.ending->reason;
    EXPECT_TRUE(plan.world.empty());
}

TEST(PlanEnding, AtMinTheJobGoesOn) {
    Survivors job(ranks({1, 4, 5}));
    job.settings.engines_min = 3;
    EXPECT_FALSE(job.decide().ending);
}

TEST(PlanEnding, AWorldOfNoneIsBelowMinWhateverMinSays) {
    Survivors job(ranks({1}));
    job.settings.engines_min = 0;
    job.settings.placement = {.engines = 8, .group_size = 8};
    const Plan plan = job.decide();
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->code, ExitCode::below_min);
}

TEST(PlanEnding, AMinorityWithoutProofHasLostItsQuorum) {
    const Plan plan = Survivors(ranks({0, 1, 2, 3}), false).decide();
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->code, ExitCode::lost_quorum);
    EXPECT_NE(plan.ending->reason.find("2 of 6"), std::string::npos) << plan.ending->reason;
}

TEST(PlanEnding, TheSameFewWithProofGoOn) { EXPECT_FALSE(Survivors(ranks({0, 1, 2, 3}), true).decide().ending); }

TEST(PlanEnding, AProofAgainstSomebodyWhoIsHereCountsForNothing) {
    Survivors job(ranks({0, 1, 2}), false);  // Half, and not on mpirun's node: one proof would be enough.
    job.of(4).proven_dead = ranks({5, 5});
    const Plan plan = job.decide();
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->code, ExitCode::lost_quorum);
}

TEST(PlanEnding, WhoGoesInTheMiddleOfItsWorkIsReplacedAndNotTakenForFinished) {
    Survivors job({});
    for (const std::uint32_t rank : {0u, 1u}) job.goes(rank, "exited 3");
    const Plan plan = job.decide();
    ASSERT_FALSE(plan.ending);
    EXPECT_EQ(plan.dismissed, ranks({0, 1}));
    EXPECT_EQ(plan.world, ranks({4, 5, 2, 3}));
    EXPECT_EQ(text_of(plan, 0), "exited 3");
}

TEST(PlanEnding, WhenAllWhoStillWorkedLeaveProperlyTheJobIsFinishedWithoutThoseThatWent) {
    Survivors job({});
    job.goes(0, "exited 3");
    for (const std::uint32_t rank : {1u, 2u, 3u}) job.of(rank).leaving = true;
    const Plan plan = job.decide();
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->code, ExitCode::finished);
}

TEST(PlanEnding, WhenAllEnginesGoInTheMiddleOfTheirWorkTheJobIsNotFinished) {
    Survivors job(ranks({4, 5}));
    for (const std::uint32_t rank : {0u, 1u, 2u, 3u}) job.goes(rank, "exited 1");
    const Plan plan = job.decide();
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->code, ExitCode::below_min);
}

TEST(PlanEnding, HalfGoesOnOnlyOnTheLaunchersNode) {
    Survivors job(ranks({3, 4, 5}), false);
    EXPECT_FALSE(job.decide().ending) << "without a name it is the lowest rank's node";
    job.settings.launcher_node = "n3";
    ASSERT_TRUE(job.decide().ending);
    EXPECT_EQ(job.decide().ending->code, ExitCode::lost_quorum);
}

/// Both halves have somebody on mpirun's node n1, and each takes the other for dead.
TEST(PlanEnding, OfTwoHalvesThatShareTheLaunchersNodeOneGoesOn) {
    EXPECT_FALSE(Survivors(ranks({1, 3, 5}), false).decide().ending) << "it has rank 0";
    const auto other = Survivors(ranks({0, 2, 4}), false).decide().ending;
    ASSERT_TRUE(other);
    EXPECT_EQ(other->code, ExitCode::lost_quorum);
}

TEST(PlanEnding, TheTieIsHeldByTheFirstWhoIsNotProvenDead) {
    Survivors job(ranks({0, 2, 4, 5}), false);
    job.of(1).proven_dead = ranks({0, 4});
    EXPECT_FALSE(job.decide().ending) << "2 of the 4 that may live, and rank 1 is the first of these";
    job.of(1).proven_dead = ranks({2, 4});
    ASSERT_TRUE(job.decide().ending) << "rank 0 may live elsewhere";
}

TEST(PlanEnding, ADeadlineNamesTheEnginesThatAreBehind) {
    Survivors job({});
    job.attempted(0, 7);
    job.attempted(2, 7);
    job.of(0).wish = Wish{ExitCode::timed_out, "waited 600 s for all engines to reach a commit"};
    const Plan plan = job.decide();
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->reason,
              "waited 600 s for all engines to reach a commit; not there: rank 1 on n1, rank 3 on n2")
        << "the standbys, who never commit, are not blamed";
}

TEST(PlanEnding, ADeadlineThatNobodyIsBehindOfNamesNobody) {
    Survivors job({});
    job.of(3).wish = Wish{ExitCode::timed_out, "waited 60 s for the coordinator's plan"};
    EXPECT_EQ(job.decide().ending->reason, "waited 60 s for the coordinator's plan");
}

TEST(PlanEnding, WhenAllWhoHeldTheStateAreGoneTheJobDoesNotBeginAnewInSilence) {
    Survivors job(ranks({0, 1, 2, 3}));
    EXPECT_FALSE(job.decide().ending) << "nothing was ever committed, as far as anybody knows";
    job.of(4).state_exists = true;
    const Plan plan = job.decide();
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->code, ExitCode::state_lost);
}

TEST(PlanEnding, AStateThatOnlyLeaversHoldIsLost) {
    Survivors job(ranks({1, 2, 3}));
    job.goes(0, "exited 3");
    const Plan plan = job.decide();
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->code, ExitCode::state_lost);
    EXPECT_NE(plan.ending->reason.find("step 6"), std::string::npos) << plan.ending->reason;
}

TEST(PlanEnding, AMinorityWhoseEnginesAllLeaveIsNotFinishedEither) {
    Survivors job(ranks({0, 1, 2, 4, 5}), false);
    job.of(3).leaving = true;
    ASSERT_TRUE(job.decide().ending);
    EXPECT_EQ(job.decide().ending->code, ExitCode::lost_quorum);
}

TEST(PlanLosses, SayHowFarItIsKnown) {
    Survivors job(ranks({1, 2}), false);
    job.of(0).proven_dead = ranks({1});
    job.goes(3, "exited 3");
    job.of(5).leaving = true;
    const Plan plan = job.decide();
    EXPECT_EQ(text_of(plan, 1), "killed") << "a witness saw that its process is gone";
    EXPECT_EQ(text_of(plan, 2), "lost") << "nobody knows more";
    EXPECT_EQ(text_of(plan, 3), "exited 3") << "its own last words";
    EXPECT_EQ(text_of(plan, 5), "left");
    EXPECT_EQ(text_of(plan, 0), "not lost");
    ASSERT_EQ(plan.lost.size(), 4u);
    EXPECT_EQ(plan.lost[0].node, "n1");
}

TEST(PlanLosses, WhoWasLostInAnEarlierRoundIsNotLostAgain) {
    Survivors job(ranks({1, 5}));
    job.complete = ranks({0, 1, 2, 3, 4});
    EXPECT_EQ(text_of(job.decide(), 5), "not lost");
}

}  // namespace
}  // namespace muster::core
