// SPDX-License-Identifier: Apache-2.0
#include "core/load_board.hpp"

#include <gtest/gtest.h>

namespace muster::core {
namespace {

constexpr std::int64_t kNow = 1'000'000;

LoadBoard board(bool source_timing, std::size_t engines = 2) {
    return LoadBoard({.engines = engines, .source_timing = source_timing}, kNow);
}

/// Both, where they must be alike.
struct BothBoards : ::testing::TestWithParam<bool> {
    LoadBoard board = core::board(GetParam());
};
INSTANTIATE_TEST_SUITE_P(LoadBoard, BothBoards, ::testing::Bool(),
                         [](const auto& one) { return one.param ? "AsTheSource" : "Ours"; });

TEST_P(BothBoards, V1_Defaults) {
    EXPECT_EQ(LoadSettings{}.interval_ms, 100);
    EXPECT_EQ(LoadSettings{}.idle_interval_ms, 5'000);
    EXPECT_EQ(LoadSettings{}.settle_ms, 50);
    EXPECT_EQ(board.loads(), Loads(2));
    EXPECT_EQ(board.newest(), (StepMark{-1, -1}));
}

TEST_P(BothBoards, V7_FiveSecondsWithoutAChangeAHundredMillisecondsWithOne) {
    EXPECT_EQ(board.publish(kNow), Loads(2));
    EXPECT_EQ(board.poll_timeout_ms(kNow), 5'000);
    EXPECT_EQ(board.poll_timeout_ms(kNow + 1'000), 4'000);
    EXPECT_TRUE(board.report(kNow + 1'000, 0, {{0, 1}, {1, 0}}));
    EXPECT_EQ(board.poll_timeout_ms(kNow + 1'000), 50) << "overdue, but the step's other reports may be under way";
    (void)board.publish(kNow + 1'050);
    EXPECT_TRUE(board.report(kNow + 1'060, 1, {{0, 1}, {1, 0}}));
    EXPECT_EQ(board.poll_timeout_ms(kNow + 1'060), 90);
}

TEST_P(BothBoards, V7_NoSettlingWhereAWholeStepIsKept) {
    (void)board.publish(kNow);
    EXPECT_TRUE(board.report(kNow + 99, 0, {{0, 1}, {1, 0}}));
    EXPECT_EQ(board.poll_timeout_ms(kNow + 99), 50);
    EXPECT_TRUE(board.report(kNow + 99, 0, {{0, 2}, {2, 0}}));
    EXPECT_EQ(board.poll_timeout_ms(kNow + 99), 1);
    EXPECT_EQ(board.poll_timeout_ms(kNow + 500), 0);
}

TEST(LoadBoard, V7_TheSourceSettlesFromThePollOursFromTheStep) {
    for (const bool source_timing : {true, false}) {
        auto one = board(source_timing);
        (void)one.publish(kNow);
        EXPECT_TRUE(one.report(kNow + 200, 0, {{0, 1}, {1, 0}}));
        EXPECT_EQ(one.poll_timeout_ms(kNow + 240), source_timing ? 50 : 10);
        EXPECT_TRUE(one.report(kNow + 240, 1, {{0, 1}, {1, 0}}));
        EXPECT_EQ(one.poll_timeout_ms(kNow + 240), source_timing ? 50 : 10) << "the same step";
    }
}

TEST_P(BothBoards, V8_TheFirstPublicationIsDueOnceSettled) { EXPECT_EQ(board.poll_timeout_ms(kNow), 50); }

TEST_P(BothBoards, V10_AKeptStepIsPublishedFirstAndThePresentFiguresInTheNextInterval) {
    (void)board.publish(kNow);
    EXPECT_TRUE(board.report(kNow + 1, 0, {{0, 1}, {1, 1}}));
    EXPECT_TRUE(board.report(kNow + 1, 1, {{0, 1}, {2, 2}}));
    EXPECT_TRUE(board.report(kNow + 2, 0, {{0, 2}, {3, 3}}));
    EXPECT_EQ(board.publish(kNow + 100), (Loads{{1, 1}, {2, 2}}));
    EXPECT_EQ(board.poll_timeout_ms(kNow + 100), 100) << "still changed";
    EXPECT_EQ(board.publish(kNow + 200), (Loads{{3, 3}, {2, 2}}));
    EXPECT_EQ(board.poll_timeout_ms(kNow + 200), 5'000);
}

TEST_P(BothBoards, V19_AReportSetsOneEngine) {
    EXPECT_TRUE(board.report(kNow, 1, {{0, 0}, {4, 5}}));
    EXPECT_EQ(board.loads(), (Loads{{}, {4, 5}}));
    EXPECT_TRUE(board.report(kNow, 1, {{0, 1}, {0, 1, {{"kv", 0.25}}}}));
    EXPECT_EQ(board.loads().at(1).gauges.at("kv"), 0.25);
}

TEST_P(BothBoards, V20_ANewStepKeepsTheOneBefore) {
    EXPECT_TRUE(board.report(kNow, 0, {{0, 5}, {1, 0}}));
    EXPECT_TRUE(board.report(kNow, 1, {{0, 5}, {2, 0}}));
    EXPECT_TRUE(board.report(kNow, 1, {{1, 0}, {9, 0}})) << "a later wave, though its step is lower";
    EXPECT_EQ(board.newest(), (StepMark{1, 0}));
    EXPECT_EQ(board.publish(kNow), (Loads{{1, 0}, {2, 0}}));
}

TEST_P(BothBoards, V20_NothingIsKeptWhereNothingHasChanged) {
    EXPECT_TRUE(board.report(kNow, 0, {{0, 1}, {1, 0}}));
    EXPECT_EQ(board.publish(kNow), (Loads{{1, 0}, {}})) << "the first step is not of two";
    EXPECT_TRUE(board.report(kNow, 0, {{0, 2}, {2, 0}}));
    EXPECT_EQ(board.publish(kNow), (Loads{{2, 0}, {}})) << "what was before it has been published";
}

TEST_P(BothBoards, V20_ALaterStepReplacesTheKeptOne) {
    for (std::int64_t step = 1; step <= 3; ++step) EXPECT_TRUE(board.report(kNow, 0, {{0, step}, {step, 0}}));
    EXPECT_EQ(board.publish(kNow), (Loads{{2, 0}, {}}));
}

TEST_P(BothBoards, V21_TheSameStepIsSilentAnOlderOneIsSaid) {
    EXPECT_TRUE(board.report(kNow, 0, {{1, 3}, {1, 0}}));
    EXPECT_TRUE(board.report(kNow, 1, {{1, 3}, {1, 0}}));
    EXPECT_FALSE(board.report(kNow, 1, {{1, 2}, {7, 0}}));
    EXPECT_FALSE(board.report(kNow, 0, {{0, 9}, {8, 0}}));
    EXPECT_EQ(board.loads(), (Loads{{8, 0}, {7, 0}})) << "applied";
    EXPECT_EQ(board.newest(), (StepMark{1, 3})) << "and no step back";
}

/// That the source is not: wave_load_test, V11.
TEST(LoadBoard, V11_OursIsDueHoweverOftenSomethingComesIn) {
    auto ours = board(false);
    std::int64_t published = 0, longest = 0, last = kNow;
    for (std::int64_t time = kNow; time < kNow + 2'000; time += 10) {  // A report every 10 ms, a step every 40.
        if (ours.due(time)) {
            (void)ours.publish(time);
            longest = std::max(longest, time - last);
            last = time;
            ++published;
        }
        EXPECT_TRUE(ours.report(time, 0, {{0, time / 40}, {1, 0}}));
    }
    EXPECT_GE(published, 18);
    EXPECT_LE(longest, 110);
}

TEST(LoadBoard, V13V14_AKeptStepIsResizedToo) {
    auto ours = board(false), source = board(true);
    for (auto* one : {&ours, &source}) {
        EXPECT_TRUE(one->report(kNow, 1, {{0, 1}, {1, 0}}));
        EXPECT_TRUE(one->report(kNow, 1, {{0, 2}, {2, 0}}));
        one->resize(1);
        EXPECT_EQ(one->loads(), Loads(1));
    }
    EXPECT_EQ(ours.publish(kNow), Loads(1)) << "figures never refer to who is gone";
    EXPECT_EQ(source.publish(kNow), (Loads{{}, {1, 0}})) << "the source's do, once";
    ours.resize(3);
    EXPECT_EQ(ours.loads(), Loads(3));
}

TEST(LoadBoard, ARoundMovesFiguresWithTheirEngines) {
    auto ours = board(false, 3);
    for (std::size_t engine = 0; engine < 3; ++engine)
        EXPECT_TRUE(ours.report(kNow, engine, {{0, 1}, {static_cast<std::int64_t>(engine) + 1, 0}}));
    EXPECT_TRUE(ours.report(kNow, 2, {{0, 2}, {9, 0}}));
    ours.rearrange({2, std::nullopt, 0, 7});
    EXPECT_EQ(ours.publish(kNow), (Loads{{3, 0}, {}, {1, 0}, {}})) << "of the kept step";
    EXPECT_EQ(ours.publish(kNow), (Loads{{9, 0}, {}, {1, 0}, {}}));
}

}  // namespace
}  // namespace muster::core
