// SPDX-License-Identifier: Apache-2.0
// The waves themselves: wake, rest, exclude, one word to the fronts.
#include "core/wave_tracker.hpp"

#include <gtest/gtest.h>

#include "wave_support.hpp"

namespace muster::core {
namespace {

using namespace testing;

INSTANTIATE_TEST_SUITE_P(WaveTracker, BothTimings, ::testing::Bool(), timing_name);

TEST_P(BothTimings, V1_Defaults) {
    EXPECT_TRUE(WaveSettings{}.coordination);
    EXPECT_EQ(WaveSettings{}.load.interval_ms, 100);
    EXPECT_EQ(group.tracker.wave(), Wave{0});
    EXPECT_FALSE(group.tracker.running());
    EXPECT_EQ(group.at(50), Words{"front 0+0 0+0 0+0 0 off"});
}

TEST_P(BothTimings, V12_AFrontsSubscriptionEndsTheTurn) {
    EXPECT_EQ(group.at(1, together(front_subscribes(), says(completes(0)))), Words{});
    EXPECT_TRUE(group.turn.engine_waits);
    EXPECT_EQ(group.tracker.wave(), Wave{0});
    EXPECT_EQ(group.at(1, says(completes(0))), Words{"front nil 1 off"});
    EXPECT_FALSE(group.turn.engine_waits);
}

TEST_P(BothTimings, V15_AWakeWhileRunningIsIgnored) {
    group.run(4);
    EXPECT_EQ(group.at(1, wake(1, 4)), Words{});
    EXPECT_EQ(group.at(1, wake(std::nullopt, 9)), Words{});
    EXPECT_EQ(group.tracker.wave(), Wave{4});
}

TEST_P(BothTimings, V15_V28_WithoutCoordinationOnlyLoadsFlow) {
    Group off(2, GetParam(), false);
    EXPECT_EQ(off.at(1, wake(1, 0)), Words{});
    EXPECT_EQ(off.at(1, says(starts(3, 1))), Words{});
    auto news = load(1, {0, 1}, {2, 3});
    news.wave_complete = Wave{0};
    EXPECT_EQ(off.at(2, says(news)), Words{});
    EXPECT_EQ(off.tracker.wave(), Wave{0});
    EXPECT_FALSE(off.tracker.running());
    EXPECT_EQ(off.at(52), Words{"front 0+0 2+3 0 off"});
}

TEST_P(BothTimings, V16_AWakeCarriesTheCurrentWaveNeverTheRequests) {
    group.rest_before(2);
    EXPECT_EQ(group.at(1, wake(1, 7)), (Words{"START 2 -1", "front nil 2 on"}));
    EXPECT_TRUE(group.tracker.running());
}

TEST_P(BothTimings, V17_AStaleWaveExcludesNobody) {
    group.rest_before(2);
    EXPECT_EQ(group.at(1, wake(1, 1)), (Words{"START 2 -nil", "front nil 2 on"}));
}

TEST_P(BothTimings, V17_TheCurrentWaveKeepsTheExcludedEngine) {
    group.rest_before(2);
    EXPECT_EQ(group.at(1, wake(1, 2)), (Words{"START 2 -1", "front nil 2 on"}));
}

TEST_P(BothTimings, V18_OutputsAreAProtocolViolation) {
    auto news = completes(0);
    news.payload = true;
    EXPECT_EQ(group.at(1, says(news)), Words{});
    EXPECT_EQ(group.turn.fault, "engine 0 sent outputs to the coordinator: they belong to clients");
    EXPECT_EQ(group.tracker.wave(), Wave{0}) << "nothing of that message counts";
}

TEST_P(BothTimings, V18_TheFrontComesFirst) {
    auto news = completes(0);
    news.payload = true;
    const Words source = {"START 0 -nil"};  // Its process ends before it tells the fronts.
    const Words ours = {"START 0 -nil", "front nil 0 on"};
    EXPECT_EQ(group.at(1, together(wake(std::nullopt, 0), says(news))), GetParam() ? source : ours);
    EXPECT_TRUE(group.turn.fault);
}

TEST_P(BothTimings, V23_ACompleteWaveIsFollowedByTheNext) {
    group.run(4);
    EXPECT_EQ(group.at(1, says(completes(4))), Words{"front nil 5 off"});
    EXPECT_EQ(group.at(1, says(completes(4))), Words{}) << "stale";
    EXPECT_EQ(group.at(1, says(completes(9))), Words{"front nil 10 off"}) << "of a future wave";
    EXPECT_EQ(group.tracker.wave(), Wave{10});
    EXPECT_FALSE(group.tracker.running());
}

TEST_P(BothTimings, V24_AnEngineStartsAFutureWaveOrTheCurrentOneOnce) {
    const std::string excluded = GetParam() ? "2" : "nil";
    EXPECT_EQ(group.at(1, says(starts(0, 2))), (Words{"START 0 -" + excluded, "front nil 0 on"}));
    EXPECT_EQ(group.at(1, says(starts(0, 1))), Words{}) << "it is running";
    EXPECT_EQ(group.at(1, says(starts(3, 2))), (Words{"START 3 -" + excluded, "front nil 3 on"})) << "though running";
    EXPECT_EQ(group.at(1, says(starts(2, 2))), Words{}) << "stale";
    EXPECT_EQ(group.tracker.wave(), Wave{3});
}

TEST(WaveTracker, V24_OursWakesTheSenderTooUnlessItSaysThatItIsAwake) {
    Group group(3);
    auto news = starts(0, 2);
    news.awake = true;
    EXPECT_EQ(group.at(1, says(news)), (Words{"START 0 -2", "front nil 0 on"}));
}

TEST_P(BothTimings, V25_BesideACompleteWaveAStartIsNotLookedAt) {
    auto news = completes(0);
    news.start_wave = Wave{5};
    EXPECT_EQ(group.at(1, says(news)), Words{"front nil 1 off"});
    news.wave_complete = Wave{0};
    EXPECT_EQ(group.at(1, says(news)), Words{}) << "not even where the other is stale";
    EXPECT_EQ(group.tracker.wave(), Wave{1});
}

TEST_P(BothTimings, V26_OneWordATurnWhateverHasChanged) {
    EXPECT_EQ(group.at(1, together(wake(1, 0), says(completes(0)))), (Words{"START 0 -1", "front nil 1 off"}));
}

TEST_P(BothTimings, V26_TheWordDoesNotPutOffThePeriodicOne) {
    EXPECT_EQ(group.at(50), Words{"front 0+0 0+0 0+0 0 off"});
    EXPECT_EQ(group.at(3'050, wake(1, 0)), (Words{"START 0 -1", "front nil 0 on"}));
    EXPECT_EQ(group.turn.next_poll_ms, 2'000);
}

TEST_P(BothTimings, V27_StartCarriesWaveAndExcludedEngine) {
    group.rest_before(6);
    (void)group.at(1, wake(2, 6));
    EXPECT_EQ(std::get<StartWave>(group.turn.effects.at(0)), (StartWave{Wave{6}, EngineIndex{2}}));
    (void)group.at(1, says(completes(6)));
    (void)group.at(1, wake(std::nullopt, 7));
    EXPECT_EQ(std::get<StartWave>(group.turn.effects.at(0)), (StartWave{Wave{7}, std::nullopt}));
}

TEST_P(BothTimings, V30_StartGoesOutBeforeTheFrontsWordAndStatsBeforeWaves) {
    (void)group.at(1, says(load(0, {0, 2}, {1, 0})));
    auto news = load(0, {0, 1}, {2, 0});
    news.start_wave = Wave{4};
    const auto words = group.at(2, says(news));
    ASSERT_EQ(words.size(), 3u);
    EXPECT_EQ(words[0], "log: Received stats for out-of-order step (0, 1) from engine 0 (expected > (0, 2))");
    EXPECT_EQ(words[1].substr(0, 7), "START 4");
    EXPECT_EQ(words[2], "front nil 4 on");
}

TEST_P(BothTimings, V30_OneTrackerAGroup) {
    Group other(2, GetParam());
    EXPECT_EQ(group.at(1, wake(1, 0)), (Words{"START 0 -1", "front nil 0 on"}));
    EXPECT_FALSE(other.tracker.running());
    EXPECT_EQ(other.at(1, wake(0, 0)), (Words{"START 0 -0", "front nil 0 on"})) << "places within the group";
}

TEST(WaveTracker, AWaveNumberAtItsEndStaysThere) {
    Group group(1);
    const auto last = std::numeric_limits<std::int64_t>::max();
    (void)group.at(1, says(completes(last)));
    EXPECT_EQ(group.tracker.wave(), Wave{last});
    (void)group.at(1, says(completes(last)));
    EXPECT_EQ(group.tracker.wave(), Wave{last});
}

TEST(WaveTracker, OursExcludesNobodyWhoIsNotThere) {
    Group ours(2), source(2, true);
    EXPECT_EQ(ours.at(1, wake(5, 0)).at(0), "START 0 -nil");
    EXPECT_EQ(source.at(1, wake(5, 0)).at(0), "START 0 -5");
}

}  // namespace
}  // namespace muster::core
