// SPDX-License-Identifier: Apache-2.0
#include "core/replica_health.hpp"

#include <gtest/gtest.h>

#include <string>

namespace muster::core {

using Names = std::vector<std::string>;

TEST(ReplicaHealth, EachIsAskedEveryTenSeconds) {
    ReplicaHealth<std::string> health({});
    health.watch("a", 0);
    EXPECT_EQ(health.due(9'999), Names{});
    EXPECT_EQ(health.due(10'000), Names{"a"});
    EXPECT_EQ(health.due(20'000), Names{});  // Not again while the question is open.
    health.answered("a", true, 20'000);
    EXPECT_EQ(health.due(20'000), Names{"a"});  // Ten seconds after it was asked.
    health.forget("a");
    EXPECT_EQ(health.due(90'000), Names{});
}

TEST(ReplicaHealth, ThreeBadAnswersInARowAreUnhealthy) {
    ReplicaHealth<std::string> health({});
    health.watch("a", 0);
    std::uint64_t now = 0;
    const auto ask = [&](bool well) {
        ASSERT_EQ(health.due(now += 10'000), Names{"a"});
        health.answered("a", well, now);
    };
    ask(false);
    ask(false);
    ask(true);  // Begins anew.
    ask(false);
    ask(false);
    EXPECT_EQ(health.unhealthy(now), Names{});
    ask(false);
    EXPECT_EQ(health.unhealthy(now), Names{"a"});
    health.forget("a");
    EXPECT_EQ(health.unhealthy(now), Names{});
}

TEST(ReplicaHealth, SilenceCountsAsABadAnswer) {
    ReplicaHealth<std::string> health({});
    health.watch("a", 0);
    for (std::uint64_t now = 0; now <= 105'000; now += 1'000) {
        static_cast<void>(health.due(now));
        // Asked at 10, 41 and 72 s, each for 30 s.
        EXPECT_EQ(health.unhealthy(now).size(), now < 102'000 ? 0U : 1U) << now;
    }
}

TEST(ReplicaHealth, AnswersThatNobodyAskedForAreDropped) {
    ReplicaHealth<std::string> health({});
    health.answered("nobody", false, 0);
    health.watch("a", 0);
    for (int i = 0; i < 5; ++i) health.answered("a", false, 1'000);
    EXPECT_EQ(health.unhealthy(1'000), Names{});
}

TEST(StartRetries, ThreeForEachReplicaTwentyInAll) {
    EXPECT_EQ(start_failures_max(0), 3U);
    EXPECT_EQ(start_failures_max(1), 3U);
    EXPECT_EQ(start_failures_max(6), 18U);
    EXPECT_EQ(start_failures_max(7), 20U);
    EXPECT_EQ(start_failures_max(4'000'000'000U), 20U);
}

}  // namespace muster::core
