// SPDX-License-Identifier: Apache-2.0
#include "core/rolling_update.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace muster::core {

namespace {

struct Story {
    std::uint32_t running_least = 0, turns = 0, new_running = 0, old_live = 0, starting_most = 0;
};

/// Each start takes a turn; what is stopped is gone at once and makes room.
Story roll(std::uint32_t wanted, std::optional<std::uint32_t> room) {
    RollingUpdate update{.wanted = wanted, .old_live = wanted, .room = room};
    Story story{.running_least = wanted};
    for (; story.turns < 1000 && (update.old_live > 0 || update.new_running < wanted); ++story.turns) {
        const auto step = next_step(update);
        update.new_running += update.new_starting;
        update.new_starting = step.start_new;
        update.old_live -= step.stop_old;
        if (update.room) *update.room = *update.room - step.start_new + step.stop_old;
        story.running_least = std::min(story.running_least, update.old_live + update.new_running);
        story.starting_most = std::max(story.starting_most, update.new_starting);
    }
    story.new_running = update.new_running;
    story.old_live = update.old_live;
    return story;
}

}  // namespace

TEST(RollingUpdate, ABatchIsAFifthAndOneAtLeast) {
    EXPECT_EQ(rolling_batch(0), 1U);
    EXPECT_EQ(rolling_batch(4), 1U);
    EXPECT_EQ(rolling_batch(10), 2U);
    EXPECT_EQ(rolling_batch(4'000'000'000U), 800'000'000U);
}

TEST(RollingUpdate, WithRoomAsManyRunAllTheTime) {
    for (const std::uint32_t wanted : {1U, 2U, 5U, 10U, 33U}) {
        const auto story = roll(wanted, std::nullopt);
        EXPECT_EQ(story.running_least, wanted);
        EXPECT_EQ(story.new_running, wanted);
        EXPECT_EQ(story.old_live, 0U);
        EXPECT_LE(story.starting_most, rolling_batch(wanted));
    }
}

TEST(RollingUpdate, WithoutRoomABatchIsMissingAtMost) {
    for (const std::uint32_t wanted : {2U, 5U, 10U, 33U}) {
        const auto story = roll(wanted, 0);
        EXPECT_GE(story.running_least, wanted - rolling_batch(wanted));
        EXPECT_EQ(story.new_running, wanted);
        EXPECT_EQ(story.old_live, 0U);
        EXPECT_LE(story.starting_most, rolling_batch(wanted));
    }
}

TEST(RollingUpdate, WhereTheNewFailTheOldStay) {
    EXPECT_EQ(next_step({.wanted = 5, .old_live = 5, .new_starting = 1, .failed = true}),
              (RollingStep{.drop_new = true}));
    EXPECT_EQ(next_step({.wanted = 5, .old_live = 4, .new_running = 1, .failed = true}), RollingStep{});
}

TEST(RollingUpdate, OnesThatAreTooManyGoFirst) {
    EXPECT_EQ(next_step({.wanted = 2, .old_live = 6}), (RollingStep{.start_new = 1, .stop_old = 4}));
    EXPECT_EQ(next_step({.wanted = 0, .old_live = 3}), (RollingStep{.stop_old = 3}));
}

}  // namespace muster::core
