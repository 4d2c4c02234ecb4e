// SPDX-License-Identifier: Apache-2.0
/// Worlds in which nobody dies: every shape and every setting goes through the lifecycle and loses nothing.
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

constexpr Tick kLong{2'000'000};

TEST(SimLifecycle, OneCycleThroughAllStableStates) {
    World world({.engines = 4, .group_size = 2, .clients = 1});
    ASSERT_TRUE(world.settles(State::running, kLong)) << world.story();
    for (const auto& [wanted, state] : {std::pair{Wanted::pause, State::paused},
                                        {Wanted::suspend, State::suspended},
                                        {Wanted::resume, State::paused},
                                        {Wanted::unpause, State::running},
                                        {Wanted::stopped, State::stopped},
                                        {Wanted::start, State::running}}) {
        world.signal(wanted);
        ASSERT_TRUE(world.settles(state, kLong)) << name_of(state) << "\n" << world.story() << world.violations();
    }
    EXPECT_EQ(world.violations(), "");
    EXPECT_EQ(world.counts().barriers, 7U);  // A compound stop has two.
}

TEST(SimLifecycle, RequestsWaitWhilePausedAndAreAnsweredAfterwards) {
    World world({.engines = 4, .group_size = 2, .clients = 1});
    world.signal(Wanted::pause);
    ASSERT_TRUE(world.settles(State::paused, kLong)) << world.story();
    world.submit(20);
    world.run(Tick{50'000});
    EXPECT_EQ(world.counts().replies, 0U);
    world.signal(Wanted::unpause);
    ASSERT_TRUE(world.settles(State::running, kLong)) << world.story();
    EXPECT_EQ(world.counts().replies, 20U);
}

TEST(SimLifecycle, ARestingGroupRunsNoForwards) {
    World world({.engines = 4, .group_size = 2, .clients = 1});
    world.submit(3);
    ASSERT_TRUE(world.settles(State::running, kLong)) << world.story();
    world.run(Tick{5'000});
    const auto before = world.counts();
    world.run(Tick{500'000});
    EXPECT_EQ(world.counts().votes, before.votes);
    EXPECT_EQ(world.counts().forwards + world.counts().dummy_forwards, before.forwards + before.dummy_forwards);
}

TEST(SimLifecycle, TheSameSeedIsTheSameRun) {
    const auto run = [](std::uint64_t seed) {
        World world(testing::deadly_world(seed));
        world.run(Tick{100'000});
        return world.story() + std::to_string(world.counts().events);
    };
    EXPECT_EQ(run(3), run(3));
    EXPECT_NE(run(3), run(4));
}

TEST(SimLifecycle, EveryShapeGoesThroughAllOfIt) {
    for (const std::uint64_t seed : seeds(150)) {
        SCOPED_TRACE(replay(seed));
        World world(testing::quiet_world(seed));
        ASSERT_EQ(testing::live_through(world, Tick{60'000}), "");
        EXPECT_GT(world.counts().barriers, 0U);
    }
}

}  // namespace
}  // namespace muster::sim
