// SPDX-License-Identifier: Apache-2.0
// A tracker's loads and its engines' coming and going.
#include <gtest/gtest.h>

#include "core/wave_tracker.hpp"
#include "wave_support.hpp"

namespace muster::core {
namespace {

using namespace testing;

INSTANTIATE_TEST_SUITE_P(WaveLoad, BothTimings, ::testing::Bool(), timing_name);

TEST_P(BothTimings, V8_V9_TheFirstWordComesFiftyMillisecondsAfterReady) {
    EXPECT_EQ(group.at(0, front_subscribes()), Words{});
    EXPECT_EQ(group.turn.next_poll_ms, 50);
    group.run(2);
    EXPECT_EQ(group.at(50), Words{"front 0+0 0+0 0+0 2 on"});
    EXPECT_EQ(group.turn.next_poll_ms, 5'000);
}

TEST_P(BothTimings, V10_TheWholeStepFirst) {
    (void)group.at(50);
    EXPECT_EQ(group.at(60, says(load(0, {0, 1}, {1, 1}))), Words{});
    EXPECT_EQ(group.turn.next_poll_ms, 90);
    EXPECT_EQ(group.at(70, says(load(1, {0, 2}, {2, 2}))), Words{});
    EXPECT_EQ(group.turn.next_poll_ms, 80);
    EXPECT_EQ(group.at(150), Words{"front 1+1 0+0 0+0 0 off"});
    EXPECT_EQ(group.at(250), Words{"front 1+1 2+2 0+0 0 off"});
    EXPECT_EQ(group.turn.next_poll_ms, 5'000);
}

TEST_P(BothTimings, V11_UnderContinuousInput) {
    std::size_t published = 0;
    for (std::int64_t time = 0; time <= 1'000; time += 10)
        published += group.at(time, says(load(0, {0, time}, {1, 0}))).size();
    if (GetParam())
        EXPECT_EQ(published, 0u) << "the source's poll is never idle";
    else
        EXPECT_GE(published, 9u);
}

TEST_P(BothTimings, V13_NewEnginesHaveNothingToDoAndTheGroupCountsAsResting) {
    group.run(3);
    (void)group.at(1, says(load(2, {0, 1}, {5, 6})));
    EXPECT_EQ(group.at(2, together(scale(5), says(completes(3)))),
              Words{"log: DPCoordinator scaled up from 3 to 5 engines"});
    EXPECT_TRUE(group.turn.engine_waits) << "V30";
    EXPECT_FALSE(group.tracker.running());
    EXPECT_EQ(group.tracker.wave(), Wave{3});
    EXPECT_EQ(group.at(60), Words{"front 0+0 0+0 5+6 0+0 0+0 3 off"});
    EXPECT_EQ(group.at(61, wake(4, 3)), (Words{"START 3 -4", "front nil 3 on"})) << "all are woken, newcomers too";
}

TEST_P(BothTimings, V14_FewerEnginesOrAsManyLeaveTheWaveAsItIs) {
    group.run(3);
    EXPECT_EQ(group.at(1, scale(3)), Words{"log: DPCoordinator scaled down from 3 to 3 engines"});
    EXPECT_TRUE(group.tracker.running());
    EXPECT_EQ(group.at(2, scale(1)), Words{"log: DPCoordinator scaled down from 3 to 1 engines"});
    EXPECT_TRUE(group.tracker.running());
    EXPECT_EQ(group.at(50), Words{"front 0+0 3 on"});
    Group off(2, GetParam(), false);
    (void)off.at(1, scale(4));
    EXPECT_EQ(off.tracker.board().engines(), 4u) << "without coordination, too";
}

TEST_P(BothTimings, V14_FiguresOfWhoIsGone) {
    (void)group.at(50);
    (void)group.at(60, says(load(2, {0, 1}, {7, 0})));
    (void)group.at(61, says(load(2, {0, 2}, {8, 0})));
    (void)group.at(62, scale(2));
    EXPECT_EQ(group.at(150), Words{GetParam() ? "front 0+0 0+0 7+0 0 off" : "front 0+0 0+0 0 off"});
}

TEST_P(BothTimings, V19_WithoutStatsCountsStay) {
    (void)group.at(1, says(load(1, {0, 1}, {4, 2})));
    (void)group.at(2, says(completes(0, 1)));
    EXPECT_EQ(group.at(60), Words{"front 0+0 4+2 0+0 1 off"});
}

TEST_P(BothTimings, V21_AWarningNamesBothStepsAndTheEngine) {
    (void)group.at(1, says(load(1, {2, 7}, {4, 2})));
    EXPECT_EQ(group.at(1, says(load(0, {2, 7}, {4, 2}))), Words{});
    EXPECT_EQ(group.at(1, says(load(2, {1, 9}, {4, 2}))),
              Words{"log: Received stats for out-of-order step (1, 9) from engine 2 (expected > (2, 7))"});
}

TEST(WaveLoad, V22_TheSourceEndsAtStatsOfAnUnknownEngineAndHearsTheRest) {
    Group group(2, true);
    EXPECT_EQ(group.at(1, says(load(2, {0, 1}, {4, 2}))), Words{});
    EXPECT_EQ(group.turn.fault, "stats of engine 2: there are 2 engines");
    EXPECT_EQ(group.at(1, says(starts(3, 9))), (Words{"START 3 -9", "front nil 3 on"}));
    EXPECT_EQ(group.at(1, says(load(-1, {0, 1}, {4, 2}))), Words{});
    EXPECT_FALSE(group.turn.fault) << "Python's last one";
    EXPECT_EQ(group.at(60), Words{"front 0+0 4+2 3 on"});
}

TEST(WaveLoad, V22_OursDropsAllThatAnUnknownEngineSays) {
    Group group(2);
    for (const std::int64_t stranger : {2, -1}) {
        auto news = load(stranger, {0, 1}, {4, 2});
        news.start_wave = Wave{3};
        news.wave_complete = Wave{3};
        EXPECT_EQ(group.at(1, says(news)),
                  Words{"log: Dropped a message from engine " + std::to_string(stranger) + ": there are 2 engines"});
        EXPECT_EQ(group.at(1, says(starts(3, stranger))).size(), 1u) << "without stats, too";
    }
    EXPECT_FALSE(group.turn.fault);
    EXPECT_EQ(group.at(50), Words{"front 0+0 0+0 0 off"});
}

TEST(WaveLoad, OursRefusesAnImpossibleSize) {
    Group group(2);
    EXPECT_EQ(group.at(1, scale(-1)), Words{"log: Dropped a change to -1 engines"});
    EXPECT_EQ(group.at(1, scale(1'000'000'000'000)), Words{"log: Dropped a change to 1000000000000 engines"});
    EXPECT_EQ(group.tracker.board().engines(), 2u);
    Group source(3, true);
    (void)source.at(1, scale(-2));
    EXPECT_EQ(source.tracker.board().engines(), 1u) << "[:-2]";
}

TEST(WaveLoad, ATickThatIsEarlyPublishesNothingInOurs) {
    Group ours(1), source(1, true);
    EXPECT_EQ(ours.at(49), Words{});
    EXPECT_EQ(ours.turn.next_poll_ms, 1);
    EXPECT_EQ(source.at(49), Words{"front 0+0 0 off"}) << "its poll returns nothing only when its time is over";
}

TEST(WaveLoad, V13_ARoundWithNewcomersRestsOneWithoutDoesNot) {
    Group group(3);
    group.run(4);
    (void)group.at(1, says(load(2, {0, 1}, {5, 6})));
    group.tracker.regroup({2, 0});
    EXPECT_TRUE(group.tracker.running());
    EXPECT_EQ(group.at(51), Words{"front 5+6 0+0 4 on"});
    group.tracker.regroup({0, std::nullopt});
    EXPECT_FALSE(group.tracker.running());
    EXPECT_EQ(group.at(52, wake(1, 4)), (Words{"START 4 -1", "front nil 4 on"}));
}

}  // namespace
}  // namespace muster::core
