// SPDX-License-Identifier: Apache-2.0
/// A coordinator is gone: its successor begins with the controller's state and with what it has seen of the rounds.
#include "core/steward.hpp"
#include "steward_support.hpp"

namespace muster::core {
namespace {

using testing::name;
using testing::ranks;
using testing::spec_of;
using testing::Texts;
using testing::texts;

/// Groups of two. Ranks 0 and 1 were the coordinator's own; 2 to 5 are replicas 1 and 2, 6 to 9 standbys.
struct SuccessionTest : ::testing::Test {
    Steward steward{{.unit = 2, .start_limit_ms = 1'000, .gather_ms = 100}};
    SeatedWorld world{
        Round{1}, {{SeatId{1}, ranks({2, 3})}, {SeatId{2}, ranks({4, 5})}}, {ranks({0, 1})}, ranks({6, 7, 8, 9})};

    SuccessionTest() { EXPECT_EQ(round(false), Texts{}); }
    Texts round(bool coordinates) {
        ++world.round.value;
        return texts(steward.completed(world, coordinates, 0));
    }
    Texts attach(std::uint64_t seat, bool is_known = true) { return texts(steward.attach(spec_of(seat), is_known, 0)); }
    Texts ready(std::uint32_t rank, std::uint64_t seat) {
        return texts(steward.heard(Rank{rank}, message::ReplicaReady{SeatId{seat}}, 0));
    }
    std::vector<std::uint64_t> takers() {
        std::vector<std::uint64_t> seats;
        for (const auto& one : steward.replicas())
            if (one.takes) seats.push_back(one.seat.value);
        return seats;
    }
};

TEST_F(SuccessionTest, OnlyTheCoordinatorDoesAnything) {
    EXPECT_EQ(texts(steward.start(spec_of(3), 0)), Texts{});
    EXPECT_EQ(attach(1), Texts{});
    EXPECT_EQ(texts(steward.stop(name(1), 0, 0)), Texts{});
    EXPECT_EQ(texts(steward.check(name(1))), Texts{});
    EXPECT_EQ(texts(steward.tick(5'000)), Texts{});
}

TEST_F(SuccessionTest, R6WhatIsThereGoesOnAtOnceAndIsToldWhatItIs) {
    world.idle.clear();
    EXPECT_EQ(round(true), Texts{});
    EXPECT_TRUE(takers().empty()) << "not before the controller's state is here";
    EXPECT_EQ(attach(1), (Texts{"prepare#1>2", "prepare#1>3"}));
    EXPECT_EQ(attach(2), (Texts{"prepare#2>4", "prepare#2>5"}));
    EXPECT_EQ(takers(), (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(ready(2, 1), Texts{});
}

TEST_F(SuccessionTest, WhoHasComeMeanwhileIsWaitedFor) {
    world.seats[SeatId{2}] = ranks({4, 6});
    (void)round(true);
    (void)attach(1);
    EXPECT_EQ(attach(2), (Texts{"prepare#2>4", "prepare#2>6"}));
    EXPECT_EQ(takers(), std::vector<std::uint64_t>{1});
    EXPECT_EQ(ready(6, 2), Texts{}) << "it was started before";
    EXPECT_EQ(takers(), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(SuccessionTest, WhoCameInTheRoundBeforeThatIsWaitedForToo) {
    world.seats[SeatId{2}] = ranks({4, 6});
    (void)round(false);
    (void)round(true);
    (void)attach(2);
    EXPECT_TRUE(takers().empty()) << "the earlier coordinator may have died before it told rank 6";
    world.seats[SeatId{2}] = ranks({7, 6});
    (void)round(false);
    (void)round(true);
    (void)attach(2);
    EXPECT_TRUE(takers().empty()) << "nobody of it has been there all the time";
}

TEST_F(SuccessionTest, WhatIsGoneIsReported) {
    world.seats.erase(SeatId{1});
    (void)round(true);
    EXPECT_EQ(attach(1), Texts{"gone b#1"});
}

TEST_F(SuccessionTest, AnOldVersionGoesOnUnlessItHasANewMember) {
    world.seats[SeatId{2}] = ranks({4, 6});
    (void)round(true);
    EXPECT_EQ(attach(1, false), Texts{}) << "there is nothing to tell";
    EXPECT_EQ(attach(2, false), Texts{"warn:replica b#2 cannot go on: a member of it is new, and what it is to be is "
                                      "not known any more"});
    EXPECT_EQ(takers(), std::vector<std::uint64_t>{1});
    EXPECT_EQ(texts(steward.tick(0)), Texts{"round -2"});
    world.seats.erase(SeatId{2});
    EXPECT_EQ(round(true), Texts{"gone b#2"});
    world.seats[SeatId{1}] = ranks({2, 7});
    EXPECT_EQ(round(true).size(), 1u) << "the same later";
    EXPECT_EQ(texts(steward.tick(0)), Texts{"round -1"});
}

TEST_F(SuccessionTest, AStartWhoseRoundWasTheCoordinatorsLastGoesOn) {
    world.seats[SeatId{3}] = ranks({6, 7});
    (void)round(true);
    EXPECT_EQ(texts(steward.start(spec_of(3), 0)), (Texts{"prepare#3>6", "prepare#3>7"}));
    (void)ready(6, 3);
    EXPECT_EQ(ready(7, 3), Texts{"started b#3"});
}

TEST_F(SuccessionTest, ASeatThatNobodyWantsIsGivenBack) {
    (void)round(true);
    (void)attach(1);
    EXPECT_EQ(texts(steward.tick(0)), Texts{}) << "the controller has not said all that it wants";
    EXPECT_EQ(steward.strangers(), std::vector{SeatId{2}});
    steward.give_back(SeatId{2}, 0);
    steward.give_back(SeatId{1}, 0);  // Is wanted, and stays.
    EXPECT_TRUE(steward.strangers().empty());
    EXPECT_EQ(texts(steward.tick(0)), Texts{"round -2"});
    EXPECT_EQ(takers(), std::vector<std::uint64_t>{1});
    world.seats.erase(SeatId{2});
    EXPECT_EQ(round(true), Texts{}) << "the controller has never heard of it";
}

TEST_F(SuccessionTest, AStrangerThatIsWantedAfterAllIsReported) {
    (void)round(true);
    (void)attach(1);
    steward.give_back(SeatId{2}, 0);
    EXPECT_EQ(texts(steward.start(spec_of(2), 0)), Texts{}) << "it is on its way out";
    EXPECT_EQ(texts(steward.tick(0)), Texts{"round -2"});
    world.seats.erase(SeatId{2});
    EXPECT_EQ(round(true), Texts{"start_failed b#2"}) << "so that another is started";
}

TEST_F(SuccessionTest, R13AStopThatIsStillOpenIsDoneAgain) {
    (void)round(true);
    (void)attach(1);
    EXPECT_EQ(texts(steward.stop(name(2), 500, 0)), Texts{});
    ASSERT_EQ(steward.draining().size(), 1u);
    EXPECT_EQ(texts(steward.tick(0, {SeatId{2}})), Texts{"round -2"});
}

TEST_F(SuccessionTest, WhoCoordinatedBeforeBeginsAnew) {
    (void)round(true);
    (void)attach(1);
    (void)round(false);
    EXPECT_TRUE(takers().empty());
    (void)round(true);
    EXPECT_TRUE(takers().empty());
    (void)steward.tick(0);
    EXPECT_EQ(attach(1), (Texts{"prepare#1>2", "prepare#1>3"}));
}

}  // namespace
}  // namespace muster::core
