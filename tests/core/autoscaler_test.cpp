// SPDX-License-Identifier: Apache-2.0
#include "core/autoscaler.hpp"

#include <gtest/gtest.h>

namespace muster::core {

namespace {

const AutoscalingConfig kConfig{.min_replicas = 1, .max_replicas = 10};

/// Observes every second; the replicas follow at once. After `seconds`: how many there are.
std::uint32_t after(Autoscaler& scaler, std::uint64_t& now_ms, std::uint32_t replicas, double ongoing, int seconds,
                    const AutoscalingConfig& config = kConfig) {
    for (int i = 0; i < seconds; ++i) replicas = scaler.observe(config, {now_ms += 1000, ongoing, replicas});
    return replicas;
}

}  // namespace

TEST(Autoscaler, GrowsAfter30SecondsToTheTargetPerReplica) {
    Autoscaler scaler;
    std::uint64_t now = 0;
    EXPECT_EQ(after(scaler, now, 1, 7, 30), 1U);
    EXPECT_EQ(after(scaler, now, 1, 7, 1), 4U);  // 7 requests, 2 each.
    EXPECT_EQ(after(scaler, now, 4, 7, 700), 4U);
}

TEST(Autoscaler, ShrinksAfter600Seconds) {
    Autoscaler scaler;
    std::uint64_t now = 0;
    EXPECT_EQ(after(scaler, now, 4, 2, 600), 4U);
    EXPECT_EQ(after(scaler, now, 4, 2, 1), 1U);
}

TEST(Autoscaler, APauseInTheWishBeginsTheDelayAnew) {
    Autoscaler scaler;
    std::uint64_t now = 0;
    const AutoscalingConfig config{.min_replicas = 1, .max_replicas = 10, .look_back_period_s = 0};
    EXPECT_EQ(after(scaler, now, 1, 7, 20, config), 1U);
    EXPECT_EQ(after(scaler, now, 1, 1, 1, config), 1U);
    EXPECT_EQ(after(scaler, now, 1, 7, 30, config), 1U);
    EXPECT_EQ(after(scaler, now, 1, 7, 1, config), 4U);
}

TEST(Autoscaler, AShortBurstIsNoReason) {
    Autoscaler scaler;
    std::uint64_t now = 0;
    EXPECT_EQ(after(scaler, now, 1, 1, 60), 1U);
    EXPECT_EQ(after(scaler, now, 1, 30, 1), 1U);  // The mean over 30 s stays below 2.
    EXPECT_EQ(after(scaler, now, 1, 1, 120), 1U);
}

TEST(Autoscaler, StaysWithinItsBounds) {
    Autoscaler scaler;
    std::uint64_t now = 0;
    EXPECT_EQ(after(scaler, now, 1, 1e300, 31), 10U);
    EXPECT_EQ(scaler.observe({.min_replicas = 3, .max_replicas = 5}, {now += 1000, 0, 1}), 3U);  // At once.
    EXPECT_EQ(scaler.observe({.min_replicas = 3, .max_replicas = 5}, {now += 1000, 99, 9}), 5U);
}

TEST(Autoscaler, FromZeroTheFirstRequestDoesNotWait) {
    Autoscaler scaler;
    std::uint64_t now = 0;
    const AutoscalingConfig config{.min_replicas = 0, .max_replicas = 4};
    EXPECT_EQ(after(scaler, now, 1, 0, 600, config), 1U);
    EXPECT_EQ(after(scaler, now, 1, 0, 1, config), 0U);
    EXPECT_EQ(after(scaler, now, 0, 0, 10, config), 0U);
    EXPECT_EQ(after(scaler, now, 0, 5, 1, config), 3U);
}

}  // namespace muster::core
