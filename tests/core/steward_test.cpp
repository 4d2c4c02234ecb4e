// SPDX-License-Identifier: Apache-2.0
/// Starting replicas, step by step.
#include "steward_fixture.hpp"

namespace muster::core {
namespace {

using testing::kGather;
using testing::kLimit;
using testing::name;
using testing::ranks;
using testing::StewardTest;
using testing::Texts;

TEST_F(StewardTest, AStartPreparesThenBringsInThenServes) {
    EXPECT_EQ(start(1), (Texts{"prepare#1>0", "prepare#1>1"})) << "the idle group first";
    EXPECT_EQ(start(1), Texts{}) << "a repeat";
    EXPECT_EQ(prepared(0, 1), Texts{});
    EXPECT_EQ(tick(), Texts{}) << "no round before all are prepared";
    EXPECT_EQ(prepared(1, 1), Texts{});
    EXPECT_EQ(tick(), Texts{"round +1"});
    EXPECT_EQ(tick(10), Texts{}) << "one at a time";
    bring(1, 0, 1);
    EXPECT_EQ(round(), Texts{}) << "in the world is not enough";
    EXPECT_FALSE(has(1));
    EXPECT_EQ(ready(1, 1), Texts{});
    EXPECT_EQ(ready(1, 1), Texts{});
    EXPECT_EQ(ready(0, 1), Texts{"started b#1"});
    EXPECT_TRUE(takes(1));
    EXPECT_EQ(start(1), Texts{"started b#1"}) << "where one of this name runs, it is that one (R6)";
    EXPECT_EQ(ready(0, 1), Texts{});
}

TEST_F(StewardTest, SeveralComeInOneRound) {
    EXPECT_EQ(start(1).size(), 2u);
    EXPECT_EQ(start(2), (Texts{"prepare#2>2", "prepare#2>3"}));
    EXPECT_EQ(start(3), (Texts{"prepare#3>4", "prepare#3>5"}));
    for (const auto& [rank, seat] : {std::pair{0, 1}, {1, 1}, {4, 3}, {5, 3}}) (void)prepared(rank, seat);
    EXPECT_EQ(tick(), Texts{}) << "the second is about to be ready";
    (void)prepared(2, 2);
    (void)prepared(3, 2);
    EXPECT_EQ(tick(10), Texts{"round +1,2,3"});
}

TEST_F(StewardTest, WhoIsReadyDoesNotWaitForeverForTheOthers) {
    (void)start(1);
    (void)start(2);
    (void)prepared(0, 1);
    (void)prepared(1, 1);
    EXPECT_EQ(tick(kGather - 1), Texts{});
    EXPECT_EQ(tick(1), Texts{"round +1"});
    bring(1, 0, 1);
    (void)round();
    (void)prepared(2, 2);
    (void)prepared(3, 2);
    EXPECT_EQ(tick(), Texts{"round +2"});
}

TEST_F(StewardTest, AtMostSixteenInOneRound) {
    world = {Round{1}, {}, {}, testing::ranks_up_to(40)};
    (void)round();
    for (std::uint64_t seat = 1; seat <= 20; ++seat) (void)start(seat);
    for (std::uint64_t seat = 1; seat <= 20; ++seat)
        for (std::uint32_t rank = 0; rank < 2; ++rank)
            (void)prepared(2 * static_cast<std::uint32_t>(seat - 1) + rank, seat);
    EXPECT_EQ(tick(), Texts{"round +1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"});
    for (std::uint32_t seat = 1; seat <= 16; ++seat) bring(seat, 2 * seat - 2, 2 * seat - 1);
    (void)round();
    EXPECT_EQ(tick(), Texts{"round +17,18,19,20"});
}

// Starts that come to nothing: no round, and the old world serves on.

TEST_F(StewardTest, ANoRollsBackWithoutARound) {
    (void)start(1);
    (void)start(2);
    (void)prepared(2, 2);
    EXPECT_EQ(refused(3, 2),
              (Texts{"warn:replica b#2 does not start: rank 3 refused: no memory", "cancel#2>2", "start_failed b#2"}));
    EXPECT_EQ(tick(kGather), Texts{});
    EXPECT_EQ(prepared(2, 2), Texts{}) << "too late";
    EXPECT_EQ(refused(2, 2), Texts{});
    EXPECT_EQ(start(3), (Texts{"prepare#3>2", "prepare#3>3"})) << "they are free again";
}

TEST_F(StewardTest, WhoStaysOutIsNotAskedAgainBeforeTheNextRound) {
    (void)start(1);
    (void)start(2);
    EXPECT_EQ(steward.capacity(), 4u);
    (void)refused(2, 2, true);
    EXPECT_EQ(start(3), (Texts{"prepare#3>3", "prepare#3>4"}));
    EXPECT_EQ(steward.capacity(), 3u);
    (void)round();
    EXPECT_EQ(steward.capacity(), 4u);
}

TEST_F(StewardTest, ADeathRollsBack) {
    (void)start(1);
    (void)start(2);
    (void)prepared(2, 2);
    std::erase(world.standbys, Rank{3});
    EXPECT_EQ(round(), (Texts{"cancel#2>2", "warn:replica b#2 does not start: rank 3 is not there any more",
                              "start_failed b#2"}))
        << "and the other goes on";
    (void)prepared(0, 1);
    (void)prepared(1, 1);
    EXPECT_EQ(tick(), Texts{"round +1"});
}

TEST_F(StewardTest, AStandbyThatFillsAHoleMeanwhileRollsBack) {
    serve(1, 0, 1);
    (void)start(2);
    world.seats[SeatId{1}] = ranks({0, 2});
    std::erase(world.standbys, Rank{2});
    EXPECT_EQ(round(), (Texts{"prepare#1>2", "cancel#2>3",
                              "warn:replica b#2 does not start: rank 2 is not there any more", "start_failed b#2"}));
}

TEST_F(StewardTest, TheDeadlineRollsBack) {
    (void)start(1);
    (void)prepared(0, 1);
    EXPECT_EQ(tick(kLimit - 1), Texts{});
    EXPECT_EQ(tick(1), (Texts{"warn:replica b#1 does not start: rank 1 has not got ready in time", "cancel#1>0",
                              "cancel#1>1", "start_failed b#1"}));
}

TEST_F(StewardTest, ARoundThatHasNoPlaceForItRollsBack) {
    (void)start(1);
    (void)prepared(0, 1);
    (void)prepared(1, 1);
    (void)tick();
    EXPECT_EQ(round(),
              (Texts{"cancel#1>0", "cancel#1>1",
                     "warn:replica b#1 does not start: there is no room for it in the world", "start_failed b#1"}));
    EXPECT_EQ(tick(), Texts{});
}

TEST_F(StewardTest, ARoundThatNeverComesRollsBack) {
    (void)start(1);
    (void)prepared(0, 1);
    (void)prepared(1, 1);
    (void)tick();
    EXPECT_EQ(tick(kLimit), (Texts{"warn:replica b#1 does not start: no round has brought it in", "cancel#1>0",
                                   "cancel#1>1", "start_failed b#1"}));
    bring(1, 0, 1);
    EXPECT_EQ(round(), Texts{}) << "it comes after all";
    EXPECT_EQ(steward.strangers(), std::vector{SeatId{1}});
    steward.give_back(SeatId{1}, now);
    EXPECT_EQ(tick(), Texts{"round -1"}) << "nobody wants it";
}

TEST_F(StewardTest, ANoAfterTheRoundTakesItOutAgain) {
    (void)start(1);
    (void)prepared(0, 1);
    (void)prepared(1, 1);
    (void)tick();
    bring(1, 0, 2);  // The round had its own mind about who comes in.
    EXPECT_EQ(round(), (Texts{"cancel#1>1", "prepare#1>2"}));
    (void)ready(0, 1);
    EXPECT_EQ(refused(2, 1), Texts{"warn:replica b#1 does not start: rank 2 refused: no memory"});
    EXPECT_EQ(tick(), Texts{"round -1"});
    world.seats.clear();
    EXPECT_EQ(round(), Texts{"start_failed b#1"});
}

TEST_F(StewardTest, ANoWhileTheRoundIsOnItsWayTakesItOutAgain) {
    (void)start(1);
    (void)prepared(0, 1);
    (void)prepared(1, 1);
    (void)tick();
    EXPECT_EQ(refused(1, 1), Texts{});
    bring(1, 0, 1);
    (void)round();
    EXPECT_EQ(tick(), Texts{"round -1"});
    world.seats.clear();
    EXPECT_EQ(round(), Texts{"start_failed b#1"});
}

TEST_F(StewardTest, WhatIsInTheWorldAndDoesNotGetReadyIsTakenOut) {
    (void)start(1);
    (void)prepared(0, 1);
    (void)prepared(1, 1);
    (void)tick();
    bring(1, 0, 1);
    (void)round();
    (void)ready(0, 1);
    EXPECT_EQ(tick(kLimit), (Texts{"warn:replica b#1 does not start: rank 1 has not got ready in time", "round -1"}));
    world.seats.clear();
    EXPECT_EQ(round(), Texts{"start_failed b#1"});
}

TEST_F(StewardTest, WithoutMembersAStartWaits) {
    world.standbys = ranks({2, 3, 4});
    (void)round();
    (void)start(1);
    (void)start(2);
    EXPECT_EQ(start(3), Texts{});
    EXPECT_EQ(steward.capacity(), 2u);
    world.standbys = ranks({2, 3, 4, 5});
    EXPECT_EQ(round(), (Texts{"prepare#3>4", "prepare#3>5"}));
}

TEST_F(StewardTest, WithoutMembersAStartFailsAtItsDeadline) {
    world.standbys = {};
    (void)round();
    (void)start(1);
    (void)start(2);
    (void)prepared(0, 1);
    (void)prepared(1, 1);
    (void)tick(kGather);
    bring(1, 0, 1);
    (void)round();
    (void)ready(0, 1);
    (void)ready(1, 1);
    EXPECT_EQ(tick(kLimit),
              (Texts{"warn:replica b#2 does not start: there are no members for it", "start_failed b#2"}));
}

}  // namespace
}  // namespace muster::core
