// SPDX-License-Identifier: Apache-2.0
/// Starting, draining and checking replicas, step by step.
#include "core/steward.hpp"

#include "steward_support.hpp"

namespace muster::core {
namespace {

using testing::name;
using testing::ranks;
using testing::spec_of;
using testing::Texts;
using testing::texts;

constexpr std::uint64_t kLimit = 1'000, kGather = 100;

/// Groups of two. At first ranks 0 and 1 are an idle group, 2 to 7 are standbys.
struct StewardTest : ::testing::Test {
    Steward steward{{.unit = 2, .start_limit_ms = kLimit, .gather_ms = kGather}};
    SeatedWorld world{Round{1}, {}, {ranks({0, 1})}, ranks({2, 3, 4, 5, 6, 7})};
    std::uint64_t now = 0;

    StewardTest() { EXPECT_EQ(round(), Texts{}); }
    Texts round(bool coordinates = true) {
        ++world.round.value;
        return texts(steward.completed(world, coordinates, now));
    }
    Texts start(std::uint64_t seat) { return texts(steward.start(spec_of(seat), now)); }
    Texts stop(std::uint64_t seat, std::uint64_t grace = 500) { return texts(steward.stop(name(seat), grace, now)); }
    Texts prepared(std::uint32_t rank, std::uint64_t seat) {
        return texts(steward.heard(Rank{rank}, message::ReplicaPrepared{SeatId{seat}}, now));
    }
    Texts ready(std::uint32_t rank, std::uint64_t seat) {
        return texts(steward.heard(Rank{rank}, message::ReplicaReady{SeatId{seat}}, now));
    }
    Texts refused(std::uint32_t rank, std::uint64_t seat, bool stays_out = false) {
        return texts(steward.heard(Rank{rank}, message::ReplicaRefused{SeatId{seat}, "no memory", stays_out}, now));
    }
    Texts tick(std::uint64_t later = 0, const std::set<SeatId>& drained = {}) {
        return texts(steward.tick(now += later, drained));
    }
    /// Replica `seat` of ranks `a` and `b`, serving.
    void serve(std::uint64_t seat, std::uint32_t a, std::uint32_t b) {
        (void)start(seat);
        (void)prepared(a, seat);
        (void)prepared(b, seat);
        EXPECT_EQ(tick(), Texts{"round +" + std::to_string(seat)});
        bring(seat, a, b);
        (void)round();
        (void)ready(a, seat);
        EXPECT_EQ(ready(b, seat), Texts{"started b#" + std::to_string(seat)});
    }
    void bring(std::uint64_t seat, std::uint32_t a, std::uint32_t b) {
        world.seats[SeatId{seat}] = ranks({a, b});
        std::erase(world.standbys, Rank{a});
        std::erase(world.standbys, Rank{b});
        std::erase(world.idle, ranks({a, b}));
    }
    bool takes(std::uint64_t seat) {
        for (const auto& one : steward.replicas())
            if (one.seat == SeatId{seat}) return one.takes;
        return false;
    }
    bool has(std::uint64_t seat) {
        for (const auto& one : steward.replicas())
            if (one.seat == SeatId{seat}) return true;
        return false;
    }
};

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
