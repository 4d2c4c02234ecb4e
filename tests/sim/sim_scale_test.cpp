// SPDX-License-Identifier: Apache-2.0
/// What a pause costs as the job grows: messages a member stay the same, time grows with log n.
#include <gtest/gtest.h>

#include <cmath>

#include "sim/world.hpp"

namespace muster::sim {
namespace {

constexpr Tick kLong{5'000'000};
constexpr std::uint32_t kFanOut = 4;

struct Cost {
    std::uint64_t ticks = 0, packets_most = 0;
    double packets_mean = 0;
};

Cost cost_of_a_pause(std::uint32_t members) {
    World world({.engines = members, .group_size = 2, .fan_out = kFanOut, .recovery = false});
    EXPECT_TRUE(world.settles(State::running, kLong)) << members;
    const auto before = world.counts();
    const auto begun = world.now();
    world.signal(core::Wanted::pause);
    EXPECT_TRUE(world.settles(State::paused, kLong)) << members;
    EXPECT_EQ(world.violations(), "");
    const auto after = world.counts();
    return {after.last_crossing.value - begun.value, after.packets_most - before.packets_most,
            static_cast<double>(after.packets - before.packets) / members};
}

TEST(SimScale, APauseCostsAFewMessagesAMemberAndTimeThatGrowsWithLogN) {
    const auto base = cost_of_a_pause(10);
    for (const std::uint32_t members : {10U, 100U, 1'000U, 10'000U}) {
        SCOPED_TRACE(members);
        const auto cost = cost_of_a_pause(members);
        // Down the tree, an acknowledgement up, and the client's own few.
        EXPECT_LE(cost.packets_most, kFanOut + 4);
        EXPECT_LE(cost.packets_mean, 2.5);
        const double levels = std::log2(members) / std::log2(10.0);
        EXPECT_LE(static_cast<double>(cost.ticks), static_cast<double>(base.ticks) * levels * 1.5);
    }
}

}  // namespace
}  // namespace muster::sim
