// SPDX-License-Identifier: Apache-2.0
#include "agent/crossings.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace muster::agent {
namespace {

TEST(Crossings, CountNothingBeforeTheFirstRound) {
    Crossings crossings;
    EXPECT_FALSE(crossings.record(1));
    crossings.thaw(0);
    EXPECT_TRUE(crossings.record(1));
    EXPECT_EQ(crossings.freeze(), 1u);
}

TEST(Crossings, AFrozenPictureStaysTrueUntilTheEngineTakesTheNextRound) {
    Crossings crossings;
    crossings.thaw(4);
    EXPECT_EQ(crossings.freeze(), 4u);
    EXPECT_FALSE(crossings.record(5));
    EXPECT_EQ(crossings.freeze(), 4u);
    crossings.thaw(5);  // The others had crossed it.
    EXPECT_TRUE(crossings.record(6));
}

/// The engine crosses as fast as it can, the agent freezes at any moment: what it saw is what the engine believes.
TEST(Crossings, WhateverTheAgentSawTheEngineBelieves) {
    for (int run = 0; run < 2000; ++run) {
        Crossings crossings;
        crossings.thaw(0);
        std::uint64_t believed = 0;
        std::thread engine([&] {
            while (crossings.record(believed + 1)) ++believed;
        });
        const auto seen = crossings.freeze();
        engine.join();
        ASSERT_EQ(seen, believed);
    }
}

}  // namespace
}  // namespace muster::agent
