// SPDX-License-Identifier: Apache-2.0
#include "core/turn_history.hpp"

#include <gtest/gtest.h>

namespace muster::core {
namespace {

TEST(TurnHistory, WhoSetsNothingHasNoDeadline) {
    TurnHistory history;
    for (int i = 0; i < 100; ++i) history.add(5);
    EXPECT_FALSE(history.deadline_ms({}));
    EXPECT_EQ(history.deadline_ms({.deadline_ms = 700}), 700U);
}

TEST(TurnHistory, ADeadlineIsLearnedFromTheLongestOfTheLastTurns) {
    TurnHistory history;
    const TurnLimits limits{.factor = 20};
    for (std::size_t i = 0; i + 1 < TurnHistory::kNeeded; ++i) history.add(100);
    EXPECT_FALSE(history.deadline_ms(limits)) << "a few turns teach nothing: the first ones are often slow";
    history.add(400);
    EXPECT_EQ(history.deadline_ms(limits), 8'000U);
    EXPECT_EQ(history.deadline_ms({.deadline_ms = 3'000, .factor = 20}), 3'000U);
    EXPECT_EQ(history.deadline_ms({.deadline_ms = 9'000, .factor = 20}), 8'000U);
    for (std::size_t i = 0; i < TurnHistory::kKept; ++i) history.add(60);
    EXPECT_EQ(history.deadline_ms(limits), 1'200U);
    for (std::size_t i = 0; i < TurnHistory::kKept; ++i) history.add(0);
    EXPECT_EQ(history.deadline_ms(limits), TurnHistory::kLearnedLeastMs);
}

}  // namespace
}  // namespace muster::core
