// SPDX-License-Identifier: Apache-2.0
/// Worlds in which members die at any moment, coordinators too, and during recoveries.
#include <gtest/gtest.h>

#include "../core/support.hpp"
#include "sim/world.hpp"
#include "story.hpp"
#include "support.hpp"

namespace muster::sim {
namespace {

using core::Wanted;
using core::testing::replay;
using core::testing::seeds;

constexpr Tick kLong{3'000'000};

TEST(SimFaults, AStandbyTakesTheDeadOnesPlaceAndTheWantedStateIsReached) {
    World world({.engines = 4, .standbys = 1, .clients = 1});
    ASSERT_TRUE(world.settles(State::running, kLong)) << world.story();
    world.signal(Wanted::pause);
    world.run(Tick{10});
    world.kill(Rank{2});
    ASSERT_TRUE(world.settles(State::paused, kLong)) << world.story() << world.violations();
    EXPECT_EQ(world.counts().rounds, 2U);
}

TEST(SimFaults, TheCoordinatorDiesInEachTickOfAPause) {
    for (std::uint64_t tick = 0; tick < 120; ++tick) {
        SCOPED_TRACE("killed after " + std::to_string(tick) + " ticks");
        World world({.engines = 4, .group_size = 2, .standbys = 1, .clients = 1});
        ASSERT_TRUE(world.settles(State::running, kLong)) << world.story();
        world.submit(8);
        world.signal(Wanted::pause);
        world.run(Tick{tick});
        world.kill(Rank{0});
        ASSERT_TRUE(world.settles(State::paused, kLong)) << world.story() << world.violations();
        world.signal(Wanted::unpause);
        ASSERT_TRUE(world.settles(State::running, kLong)) << world.story() << world.violations();
        EXPECT_EQ(world.counts().replies, 8U);
    }
}

TEST(SimFaults, AClientThatDiesHarmsNobody) {
    World world({.engines = 2, .clients = 2});
    ASSERT_TRUE(world.settles(State::running, kLong)) << world.story();
    world.submit(30);
    world.signal(Wanted::pause);
    world.run(Tick{3});
    world.kill(Rank{2});
    ASSERT_TRUE(world.reaches(State::running, kLong)) << world.story() << world.violations();
}

TEST(SimFaults, ManySeeds) {
    std::uint64_t deaths = 0, rounds = 0;
    for (const std::uint64_t seed : seeds(400)) {
        SCOPED_TRACE(replay(seed));
        World world(testing::deadly_world(seed));
        ASSERT_EQ(testing::live_through(world, Tick{60'000}), "");
        deaths += world.counts().deaths;
        rounds += world.counts().rounds;
    }
    if (std::getenv("MUSTER_SEED") != nullptr) return;
    EXPECT_GT(deaths, 400U);
    EXPECT_GT(rounds, 600U);
}

}  // namespace
}  // namespace muster::sim
