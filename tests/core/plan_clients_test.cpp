// SPDX-License-Identifier: Apache-2.0
/// Clients, engines of several ranks, and what is agreed on about signals and barriers.
#include <gtest/gtest.h>

#include "core/plan.hpp"
#include "survivors.hpp"

namespace muster::core {
namespace {

using testing::ranks;
using testing::Survivors;

/// As Survivors, but rank 5 is a client: one standby is left.
Survivors with_client(const std::vector<Rank>& dead, bool proven = true) {
    Survivors job(dead, proven);
    job.launch[5].client = true;
    return job;
}

/// Two engines of two ranks (0 .. 3), standbys 4 and 5.
Survivors pairs(const std::vector<Rank>& dead) {
    Survivors job(dead);
    job.settings.placement = {.engines = 2, .engine_ranks = 2};
    return job;
}

TEST(PlanClients, AClientIsNeitherAnEngineNorAStandby) {
    const Plan plan = with_client(ranks({0, 1})).decide();
    ASSERT_FALSE(plan.ending);
    EXPECT_EQ(plan.world, ranks({4, 3, 2})) << "the standby in the lowest hole, then the highest slot";
    EXPECT_TRUE(plan.standbys.empty());
    EXPECT_EQ(plan.clients, ranks({5}));
    for (const auto& newcomer : plan.newcomers) EXPECT_NE(newcomer.rank, Rank{5});
}

TEST(PlanClients, ClientsAloneKeepNoJobAlive) {
    const Plan plan = with_client(ranks({0, 1, 2, 3, 4})).decide();
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->code, ExitCode::below_min);
    EXPECT_NE(plan.ending->reason.find("0 live members make a world of 0"), std::string::npos) << plan.ending->reason;
}

TEST(PlanClients, AClientDoesNotCountTowardsTheMinimum) {
    auto job = with_client(ranks({0, 4}));
    job.settings.engines_min = 4;
    const Plan plan = job.decide();
    ASSERT_TRUE(plan.ending);
    EXPECT_NE(plan.ending->reason.find("3 live members make a world of 3, fewer than the 4"), std::string::npos)
        << plan.ending->reason;
}

TEST(PlanClients, AClientThatLeavesIsDismissedAndTheEnginesGoOn) {
    auto job = with_client({});
    job.of(5).leaving = true;
    const Plan plan = job.decide();
    ASSERT_FALSE(plan.ending);
    EXPECT_EQ(plan.dismissed, ranks({5}));
    EXPECT_TRUE(plan.clients.empty());
    EXPECT_EQ(plan.world, ranks({0, 1, 2, 3}));
}

TEST(PlanClients, WhenAllEnginesLeaveTheJobIsFinishedWhateverItsClientsDo) {
    auto job = with_client({});
    for (const std::uint32_t rank : {0u, 1u, 2u, 3u}) job.of(rank).leaving = true;
    ASSERT_TRUE(job.decide().ending);
    EXPECT_EQ(job.decide().ending->code, ExitCode::finished);
}

TEST(PlanClients, AClientThatDiedIsLostLikeAnybodyElse) {
    const Plan plan = with_client(ranks({5})).decide();
    ASSERT_FALSE(plan.ending);
    ASSERT_EQ(plan.lost.size(), 1u);
    EXPECT_EQ(plan.lost[0].rank, Rank{5});
    EXPECT_EQ(plan.world, ranks({0, 1, 2, 3}));
}

TEST(PlanClients, ClientsCountForTheFence) {
    auto job = with_client(ranks({0, 1}), false);  // Of 6: 2 3 4, and the client.
    EXPECT_FALSE(job.decide().ending);
    job.present.erase(Rank{5});  // Half, and not on mpirun's node.
    ASSERT_TRUE(job.decide().ending);
    EXPECT_EQ(job.decide().ending->code, ExitCode::lost_quorum);
}

TEST(PlanClients, AreAscendingWhateverTheOrderOfThePool) {
    Survivors job({});
    for (const std::uint32_t rank : {3u, 4u, 5u}) job.launch[rank].client = true;
    job.settings.placement.engines = 3;
    std::vector<Facts> present;
    for (const auto& [rank, facts] : job.present) present.insert(present.begin(), facts);
    const Plan plan = decide({job.settings, job.launch, Round{2}, job.complete, job.previous, job.worlds, present});
    EXPECT_EQ(plan.clients, ranks({3, 4, 5}));
}

TEST(PlanEngineRanks, TheMinimumCountsEngines) {
    auto job = pairs(ranks({1, 4, 5}));
    EXPECT_FALSE(job.decide().ending) << "one engine of two is left";
    EXPECT_EQ(job.decide().world, ranks({2, 3}));
    EXPECT_EQ(job.decide().standbys, ranks({0}));
    job.settings.engines_min = 2;
    const Plan plan = job.decide();
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->code, ExitCode::below_min);
    EXPECT_NE(plan.ending->reason.find(
                  "3 live members make a world of 1 engines of 2 members each, fewer than the 2 that the job needs"),
              std::string::npos)
        << plan.ending->reason;
}

TEST(PlanEngineRanks, ARefilledEngineIsFedByTheKeeperInAnotherEngine) {
    for (const std::uint32_t dead : {0u, 1u, 2u, 3u}) {
        auto job = pairs({Rank{dead}});
        job.launch = testing::launch_at({"n1", "n2", "n1", "n2", "n3", "n3"});
        const Plan plan = job.decide();
        ASSERT_EQ(plan.newcomers.size(), 1u);
        EXPECT_EQ(plan.newcomers[0].slot, Slot{dead});
        ASSERT_TRUE(plan.newcomers[0].holder);
        EXPECT_EQ(plan.newcomers[0].holder, partners(job.settings.placement, job.previous, job.launch)[dead]);
        EXPECT_NE(plan.newcomers[0].holder->value / 2, dead / 2);
    }
}

TEST(PlanLifecycle, IsWhatAllSurvivorsTogetherKnow) {
    auto job = with_client({});
    const SignalEntry pause{.number = 1, .signal = Signal::pause, .origin = Rank{5}, .operation = OperationId{1}};
    const SignalEntry unpause{.number = 2, .signal = Signal::unpause, .origin = Rank{5}, .operation = OperationId{2}};
    for (auto& [rank, facts] : job.present) facts.lifecycle.pending = {pause};
    job.of(3).lifecycle = {
        .crossed = 1, .state = State::paused, .pending = {}};  // Saw the last one arrive at the barrier.
    job.of(5).lifecycle.pending = {pause, unpause};            // The client, who has heard of the next signal.
    const Plan plan = job.decide();
    ASSERT_FALSE(plan.ending);
    EXPECT_EQ(plan.lifecycle.crossed, 1u);
    EXPECT_EQ(plan.lifecycle.state, State::paused);
    ASSERT_EQ(plan.lifecycle.pending.size(), 1u);
    EXPECT_EQ(plan.lifecycle.pending[0].signal, Signal::unpause);
}

TEST(PlanLifecycle, AnEndingSaysThatTheStopWasCrossed) {
    auto job = with_client({});
    for (const std::uint32_t rank : {0u, 1u, 2u, 3u}) {
        job.of(rank).leaving = true;
        job.of(rank).lifecycle = {.crossed = 2, .state = State::stopped, .pending = {}};
    }
    const Plan plan = job.decide();
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->code, ExitCode::finished);
    EXPECT_EQ(plan.ending->reason, "");
    EXPECT_EQ(plan.lifecycle.state, State::stopped);
    EXPECT_EQ(plan.lifecycle.crossed, 2u);
}

}  // namespace
}  // namespace muster::core
