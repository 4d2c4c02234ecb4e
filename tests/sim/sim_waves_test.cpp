// SPDX-License-Identifier: Apache-2.0
/// Worlds of requests, loads and waves: bursts and silences, pins, aborts and bounds, while members die, hang and
/// regroup.
#include <gtest/gtest.h>

#include "../core/support.hpp"
#include "sim/study.hpp"
#include "sim/wave_worlds.hpp"
#include "support.hpp"

namespace muster::sim {
namespace {

using core::testing::replay;
using core::testing::seeds;

std::string live(const WorldOptions& options, Counts& counts) {
    const auto findings = run({.world = options, .seeds = 1, .cycles = 15}, [](const Findings&) {});
    counts = findings.counts;
    return findings.violations.empty() ? "" : findings.violations.front().text;
}

TEST(SimWaves, ManySeeds) {
    Counts sum;
    for (const std::uint64_t seed : seeds(150)) {
        SCOPED_TRACE(replay(seed));
        Counts counts;
        ASSERT_EQ(live(testing::waves_world(seed), counts), "");
        sum.rounds += counts.rounds;
        sum.deaths += counts.deaths;
        sum.hangs += counts.hangs;
        sum.waves += counts.waves;
        sum.replies += counts.replies;
        sum.aborted += counts.aborted;
        sum.busy += counts.busy;
        sum.told += counts.told;
    }
    if (std::getenv("MUSTER_SEED") != nullptr) return;
    EXPECT_GT(sum.rounds, 500U);
    EXPECT_GT(sum.deaths, 300U);
    EXPECT_GT(sum.hangs, 500U);
    EXPECT_GT(sum.waves, 2'000U);
    EXPECT_GT(sum.replies, 50'000U);
    EXPECT_GT(sum.aborted, 2'000U);
    EXPECT_GT(sum.busy, 10'000U);
    EXPECT_GT(sum.told, 4'000U);
}

TEST(SimWaves, TheSameSeedIsTheSameRun) {
    const auto figures = [](std::uint64_t seed) {
        World world(testing::waves_world(seed));
        world.run(Tick{100'000});
        return world.story() + std::to_string(world.counts().events) + " " + std::to_string(world.counts().told);
    };
    EXPECT_EQ(figures(3), figures(3));
    EXPECT_NE(figures(3), figures(4));
}

/// Packets of loads stay within the fan-out for each member and interval, and a wake takes a tree's depth.
TEST(SimWaves, LoadsCostAFanOutAndWakesTakeTimeThatGrowsWithLogN) {
    for (const std::uint32_t fan_out : {2U, 4U}) {
        SCOPED_TRACE(fan_out);
        const auto costs = wave_costs(1'000, fan_out, 1);
        for (const auto& cost : costs) {
            SCOPED_TRACE(cost.members);
            EXPECT_EQ(cost.violations, "");
            EXPECT_GE(cost.loads_most, fan_out);
            // From client to coordinator to engine to leader, then down the tree, 8 ticks a message and 3 a thread.
            EXPECT_LE(cost.wake_max.value, 11 * (cost.levels + 3));
        }
    }
}

}  // namespace
}  // namespace muster::sim
