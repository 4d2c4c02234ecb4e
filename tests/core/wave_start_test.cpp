// SPDX-License-Identifier: Apache-2.0
#include "core/wave_start.hpp"

#include <gtest/gtest.h>

#include "wave_support.hpp"

namespace muster::core {
namespace {

using testing::Words;
using testing::words_of;

const Words kReadyWords = {"READY", "log: All engine subscriptions received by DP coordinator"};

Words subscribe(WaveStart& start, std::int64_t engine) { return words_of(start.subscribed(EngineIndex{engine})); }

WaveStart source_start(std::size_t engines) { return WaveStart({.engines = engines, .source_timing = true}, 0); }

TEST(WaveStart, V3_ReadyOnceAllHaveSubscribed) {
    WaveStart start({.engines = 3}, 0);
    EXPECT_EQ(subscribe(start, 2), Words{});
    EXPECT_EQ(subscribe(start, 0), Words{});
    EXPECT_FALSE(start.ready());
    EXPECT_EQ(subscribe(start, 1), kReadyWords);
    EXPECT_TRUE(start.ready());
}

TEST(WaveStart, V3_TheSourceCountsAndDoesNotAskWho) {
    auto start = source_start(2);
    EXPECT_EQ(subscribe(start, 1), Words{});
    EXPECT_EQ(subscribe(start, 1), kReadyWords);
}

TEST(WaveStart, V3_OursCountsAnEngineOnce) {
    WaveStart start({.engines = 2}, 0);
    EXPECT_EQ(subscribe(start, 1), Words{});
    EXPECT_EQ(subscribe(start, 1), Words{}) << "a repeat is not the other engine";
    EXPECT_EQ(subscribe(start, 2), Words{"log: Dropped the subscription of engine 2: there are 2"});
    EXPECT_EQ(subscribe(start, 0), kReadyWords);
}

TEST(WaveStart, V4_AnyOtherMessageEndsTheStart) {
    for (const bool source_timing : {true, false}) {
        WaveStart start({.engines = 2, .source_timing = source_timing}, 0);
        EXPECT_EQ(subscribe(start, 0), Words{});
        EXPECT_EQ(words_of(start.other_message()),
                  Words{"log: DP Coordinator received unexpected message while waiting for engines to subscribe"});
        EXPECT_TRUE(start.failed());
        EXPECT_EQ(subscribe(start, 1), Words{}) << "no READY any more";
        EXPECT_FALSE(start.ready());
    }
}

TEST(WaveStart, V5_TheSourceWaitsForEver) {
    auto start = source_start(2);
    EXPECT_EQ(start.deadline_ms(), std::nullopt);
    EXPECT_EQ(words_of(start.tick(std::int64_t{1} << 50)), Words{});
    EXPECT_FALSE(start.failed());
}

TEST(WaveStart, V5_OursHasADeadlineAndNamesWhoIsMissing) {
    WaveStart start({.engines = 4}, 1'000);
    EXPECT_EQ(subscribe(start, 2), Words{});
    EXPECT_EQ(start.deadline_ms(), 121'000);
    EXPECT_EQ(words_of(start.tick(120'999)), Words{});
    EXPECT_EQ(words_of(start.tick(121'000)),
              Words{"log: engines 0, 1, 3 of 4 did not subscribe within 120000 ms: see whether they have started, or "
                    "raise the limit"});
    EXPECT_TRUE(start.failed());
    EXPECT_EQ(words_of(start.tick(999'999)), Words{}) << "once";
}

TEST(WaveStart, V5_OfManyOnlySomeAreNamed) {
    WaveStart start({.engines = 1'000, .limit_ms = 5}, 0);
    (void)start.tick(5);
    EXPECT_EQ(start.why().substr(0, 57), "engines 0, 1, 2, 3, 4, 5, 6, 7 and 992 more of 1000 did n");
    WaveStart one({.engines = 2, .limit_ms = 5}, 0);
    EXPECT_EQ(subscribe(one, 0), Words{});
    (void)one.tick(5);
    EXPECT_EQ(one.why().substr(0, 13), "engine 1 of 2");
}

TEST(WaveStart, V5_ReadyEndsTheDeadline) {
    WaveStart start({.engines = 1}, 0);
    EXPECT_EQ(subscribe(start, 0), kReadyWords);
    EXPECT_EQ(words_of(start.tick(1'000'000)), Words{});
    EXPECT_FALSE(start.failed());
}

TEST(WaveStart, V6_TheSourceNeverReadsALateSubscription) {
    auto start = source_start(1);
    EXPECT_EQ(subscribe(start, 0), kReadyWords);
    EXPECT_EQ(subscribe(start, 0), Words{});
}

TEST(WaveStart, V6_OursTellsALateEngineToo) {
    WaveStart start({.engines = 1}, 0);
    EXPECT_EQ(subscribe(start, 0), kReadyWords);
    EXPECT_EQ(subscribe(start, 0), Words{"READY 0"}) << "it has come back";
    EXPECT_EQ(subscribe(start, 4), Words{"READY 4"}) << "it comes with a resize";
    EXPECT_EQ(words_of(start.other_message()), Words{}) << "the start is over";
}

}  // namespace
}  // namespace muster::core
