// SPDX-License-Identifier: Apache-2.0
/// Worlds whose controller wants replicas: lockstep groups come and go with rounds, and members die meanwhile.
#include <gtest/gtest.h>

#include "../core/support.hpp"
#include "sim/world.hpp"
#include "story.hpp"
#include "support.hpp"

namespace muster::sim {
namespace {

using core::testing::replay;
using core::testing::seeds;

TEST(SimSeats, TheSameSeedIsTheSameRun) {
    const auto run = [](std::uint64_t seed) {
        World world(testing::seats_world(seed));
        world.run(Tick{150'000});
        return world.story() + std::to_string(world.counts().events) + " " + std::to_string(world.counts().seated);
    };
    EXPECT_EQ(run(3), run(3));
    EXPECT_NE(run(3), run(4));
}

TEST(SimSeats, ManySeeds) {
    Counts sum;
    for (const std::uint64_t seed : seeds(200)) {
        SCOPED_TRACE(replay(seed));
        World world(testing::seats_world(seed));
        ASSERT_EQ(testing::live_through(world, Tick{150'000}), "");
        const auto counts = world.counts();
        sum.rounds += counts.rounds;
        sum.deaths += counts.deaths;
        sum.fenced += counts.fenced;
        sum.seated += counts.seated;
        sum.unseated += counts.unseated;
        sum.no_room += counts.no_room;
        sum.dissolved += counts.dissolved;
    }
    if (std::getenv("MUSTER_SEED") != nullptr) return;
    EXPECT_GT(sum.rounds, 2'000U);
    EXPECT_GT(sum.deaths, 400U);
    EXPECT_GT(sum.fenced, 30U);
    EXPECT_GT(sum.seated, 1'500U);
    EXPECT_GT(sum.unseated, 1'000U);
    EXPECT_GT(sum.no_room, 500U);
    EXPECT_GT(sum.dissolved, 15U);
}

}  // namespace
}  // namespace muster::sim
