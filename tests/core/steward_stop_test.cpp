// SPDX-License-Identifier: Apache-2.0
/// Draining and checking replicas, and rounds that nobody has asked for.
#include "steward_fixture.hpp"

namespace muster::core {
namespace {

using testing::kGather;
using testing::kLimit;
using testing::name;
using testing::ranks;
using testing::StewardTest;
using testing::Texts;
using testing::texts;

// Stopping.

TEST_F(StewardTest, AStopDrainsThenLeaves) {
    serve(1, 0, 1);
    EXPECT_EQ(stop(1), Texts{});
    EXPECT_TRUE(has(1));
    EXPECT_FALSE(takes(1));
    ASSERT_EQ(steward.draining().size(), 1u);
    EXPECT_EQ(tick(400), Texts{}) << "it has requests, and its grace time is not over";
    EXPECT_EQ(tick(10, {SeatId{1}}), Texts{"round -1"});
    EXPECT_TRUE(steward.draining().empty());
    world.seats.clear();
    world.idle = {ranks({0, 1})};
    EXPECT_EQ(round(), Texts{"gone b#1"});
    EXPECT_EQ(stop(1), Texts{"gone b#1"}) << "already gone is fine (R13)";
}

TEST_F(StewardTest, AGraceTimeIsTheLongest) {
    serve(1, 0, 1);
    (void)stop(1, 500);
    EXPECT_EQ(stop(1, 10'000), Texts{}) << "a repeat makes it no longer";
    EXPECT_EQ(tick(499), Texts{});
    EXPECT_EQ(tick(1), Texts{"round -1"});
}

TEST_F(StewardTest, WithoutGraceItLeavesAtOnce) {
    serve(1, 0, 1);
    (void)stop(1, 500);
    EXPECT_EQ(stop(1, 0), Texts{});
    EXPECT_EQ(tick(), Texts{"round -1"});
}

TEST_F(StewardTest, AStopBeforeTheRoundCallsItOff) {
    (void)start(1);
    (void)prepared(0, 1);
    EXPECT_EQ(stop(1), (Texts{"cancel#1>0", "cancel#1>1", "gone b#1"}));
    EXPECT_EQ(tick(kLimit), Texts{});
}

TEST_F(StewardTest, AStopWhileTheRoundIsOnItsWayWaitsForIt) {
    (void)start(1);
    (void)prepared(0, 1);
    (void)prepared(1, 1);
    (void)tick();
    EXPECT_EQ(stop(1), Texts{});
    bring(1, 0, 1);
    (void)round();
    EXPECT_EQ(tick(), Texts{"round -1"});
    world.seats.clear();
    EXPECT_EQ(round(), Texts{"gone b#1"});
}

TEST_F(StewardTest, ARoundThatDoesNotTakeItOutIsNotAskedForAgainAtOnce) {
    serve(1, 0, 1);
    (void)stop(1, 0);
    EXPECT_EQ(tick(), Texts{"round -1"});
    (void)round();
    EXPECT_EQ(tick(1), Texts{});
    EXPECT_EQ(tick(kGather), Texts{"round -1"});
}

TEST_F(StewardTest, OneComesAndOneGoesInTheSameRound) {
    serve(1, 0, 1);
    (void)start(2);
    (void)stop(1);
    (void)prepared(2, 2);
    (void)prepared(3, 2);
    EXPECT_EQ(tick(10, {SeatId{1}}), Texts{"round +2 -1"});
}

// Rounds that nobody here has asked for.

TEST_F(StewardTest, WhatADeathHasDissolvedIsReportedGone) {
    serve(1, 0, 1);
    world.seats.clear();
    EXPECT_EQ(round(), Texts{"gone b#1"});
    EXPECT_FALSE(has(1));
}

TEST_F(StewardTest, WhoFillsAHoleIsToldAndUntilItWorksNothingNewIsGiven) {
    serve(1, 0, 1);
    world.seats[SeatId{1}] = ranks({0, 4});
    std::erase(world.standbys, Rank{4});
    EXPECT_EQ(round(), Texts{"prepare#1>4"});
    EXPECT_TRUE(has(1)) << "it keeps what it has";
    EXPECT_FALSE(takes(1));
    EXPECT_EQ(ready(4, 1), Texts{}) << "started was said before";
    EXPECT_TRUE(takes(1));
}

TEST_F(StewardTest, WhoFillsAHoleAndCannotIsReportedGoneNotFailed) {
    serve(1, 0, 1);
    world.seats[SeatId{1}] = ranks({0, 4});
    (void)round();
    EXPECT_EQ(refused(4, 1), Texts{"warn:replica b#1 cannot go on: rank 4 refused: no memory"});
    EXPECT_EQ(tick(), Texts{"round -1"});
    world.seats.clear();
    EXPECT_EQ(round(), Texts{"gone b#1"});
}

// Checks.

TEST_F(StewardTest, AReplicaIsWellIfAllItsMembersAre) {
    const auto health = [&](std::uint32_t rank, std::uint64_t number, bool well) {
        return texts(steward.heard(Rank{rank}, message::ReplicaHealth{SeatId{1}, number, well}, now));
    };
    serve(1, 0, 1);
    EXPECT_EQ(texts(steward.check(name(1))), (Texts{"check#1/1>0", "check#1/1>1"}));
    EXPECT_EQ(health(0, 1, true), Texts{});
    EXPECT_EQ(health(0, 1, true), Texts{}) << "the same one twice is not both";
    EXPECT_EQ(health(2, 1, true), Texts{}) << "a stranger";
    EXPECT_EQ(health(1, 1, true), Texts{"well b#1"});
    (void)steward.check(name(1));
    EXPECT_EQ(health(0, 1, false), Texts{}) << "an answer to the last question";
    EXPECT_EQ(health(0, 2, false), Texts{"unwell b#1"});
    EXPECT_EQ(health(1, 2, false), Texts{}) << "said once";
    EXPECT_EQ(texts(steward.check(name(7))), Texts{"gone b#7"});
}

TEST_F(StewardTest, WhoHasDiedSinceIsNotWaitedFor) {
    serve(1, 0, 1);
    (void)steward.check(name(1));
    (void)steward.heard(Rank{0}, message::ReplicaHealth{SeatId{1}, 1, true}, now);
    world.seats[SeatId{1}] = ranks({0, 4});
    EXPECT_EQ(round(), (Texts{"prepare#1>4", "well b#1"}));
}

}  // namespace
}  // namespace muster::core
