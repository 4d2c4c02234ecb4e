// SPDX-License-Identifier: Apache-2.0
/// Rounds that somebody asks for: parked members, a closed rendezvous.
#include <gtest/gtest.h>

#include "core/plan.hpp"
#include "survivors.hpp"

namespace muster::core {
namespace {

using testing::ranks;
using testing::Survivors;

std::vector<Rank> nobody;

Plan decide_closed(const Survivors& job) {
    std::vector<Facts> facts;
    for (const auto& [rank, one] : job.present) facts.push_back(one);
    return decide({job.settings, job.launch, Round{2}, job.complete, job.previous, job.worlds, facts, true});
}

TEST(PlanRounds, AnEngineThatParksIsReplacedByAStandbyAndIsOneItself) {
    Survivors job({});
    job.of(1).parked = job.of(1).asked = true;
    const Plan plan = job.decide();
    ASSERT_FALSE(plan.ending);
    EXPECT_EQ(plan.world, ranks({0, 4, 2, 3}));
    EXPECT_EQ(plan.standbys, ranks({1, 5}));
    EXPECT_TRUE(plan.lost.empty()) << "it has not gone";
    EXPECT_TRUE(plan.asked);
}

TEST(PlanRounds, ParkedStandbysAreNotPromoted) {
    Survivors job(ranks({1}));
    job.of(4).parked = true;
    EXPECT_EQ(job.decide().world, ranks({0, 5, 2, 3}));
    job.of(5).parked = true;
    const Plan plan = job.decide();
    EXPECT_EQ(plan.world, ranks({0, 3, 2})) << "the world shrinks";
    EXPECT_EQ(plan.standbys, ranks({4, 5}));
    EXPECT_EQ(plan.waiting, ranks({4, 5})) << "there would be a place";
}

TEST(PlanRounds, WhereTheOthersAreTooFewParkedMembersAreTakenBackOneByOne) {
    Survivors job(ranks({1, 5}));
    job.settings.engines_min = 3;
    for (const std::uint32_t rank : {0u, 2u, 4u}) job.of(rank).parked = true;
    const Plan plan = job.decide();
    ASSERT_FALSE(plan.ending);
    EXPECT_EQ(plan.world, ranks({0, 3, 2})) << "only as many as are needed, in order of their ranks";
    EXPECT_EQ(plan.standbys, ranks({4}));
}

TEST(PlanRounds, WhereOnlyParkedMembersHoldTheStateOneOfThemIsTakenBack) {
    Survivors job({});
    for (const std::uint32_t rank : {0u, 1u, 2u, 3u}) job.of(rank).parked = true;
    const Plan plan = job.decide();
    ASSERT_FALSE(plan.ending);
    ASSERT_TRUE(plan.source);
    EXPECT_EQ(plan.world, ranks({0, 4, 5}));
    EXPECT_EQ(plan.standbys, ranks({1, 2, 3}));
    EXPECT_EQ(plan.newcomers.size(), 2U);
}

TEST(PlanRounds, FewerThanMinIsTheEndAlsoWithAllThatWereParked) {
    Survivors job(ranks({1, 2, 3}));
    job.settings.engines_min = 4;
    job.of(4).parked = true;
    const Plan plan = job.decide();
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->code, ExitCode::below_min);
    EXPECT_NE(plan.ending->reason.find("3 live members make a world of 3"), std::string::npos) << plan.ending->reason;
}

TEST(PlanRounds, T18_ClosingIsALastRoundThatSendsTheStandbysHome) {
    Survivors job({});
    job.of(2).close = job.of(2).asked = true;
    const Plan plan = job.decide();
    ASSERT_FALSE(plan.ending);
    EXPECT_TRUE(plan.closed);
    EXPECT_EQ(plan.world, ranks({0, 1, 2, 3}));
    EXPECT_EQ(plan.standbys, nobody);
    EXPECT_EQ(plan.dismissed, ranks({4, 5}));
}

/// Found by the simulator: the coordinator waited for ever for a copy from a member that the closing had sent home.
TEST(PlanRounds, WhoIsSentHomeIsNotAskedForItsCopyOfTheRegistry) {
    Survivors job({});
    job.of(0).parked = true;
    for (const std::uint32_t rank : {0u, 1u, 2u}) job.of(rank).mirror = {.term = Round{1}, .index = 5};
    EXPECT_EQ(job.decide().keeper, Rank{0}) << "a standby keeps a copy as well as anybody";
    job.of(2).close = true;
    const Plan plan = job.decide();
    EXPECT_EQ(plan.dismissed, ranks({0, 5}));
    EXPECT_EQ(plan.keeper, Rank{1});
}

TEST(PlanRounds, ADeathAfterClosingEndsTheJobAndNamesWhoWasLost) {
    const Plan plan = decide_closed(Survivors(ranks({1})));
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->code, ExitCode::stopped);
    EXPECT_EQ(plan.ending->reason,
              "the rendezvous 'muster' is closed, so that no round can follow round 1: rank 1 on n1 killed");
}

TEST(PlanRounds, AClosedJobStillFinishes) {
    Survivors job({});
    for (const std::uint32_t rank : {0u, 1u, 2u, 3u}) job.of(rank).leaving = true;
    const Plan plan = decide_closed(job);
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->code, ExitCode::finished);
}

}  // namespace
}  // namespace muster::core
