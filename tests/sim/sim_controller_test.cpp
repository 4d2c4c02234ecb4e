// SPDX-License-Identifier: Apache-2.0
/// Worlds whose programs use the job's controller: backends and endpoints come and go, requests go by them, replicas
/// start, drain and fail, while coordinators die in a row and those who hold copies with them.
#include <gtest/gtest.h>

#include "../core/support.hpp"
#include "sim/controller_worlds.hpp"
#include "sim/world.hpp"
#include "sim/written_value.hpp"
#include "story.hpp"

namespace muster::sim {
namespace {

using core::testing::replay;
using core::testing::seeds;

constexpr Tick kRestless{400'000};

WorldOptions controller_world(std::uint64_t seed) {
    WorldOptions options{.seed = seed, .engines = 20};
    draw_deployments(options);
    if (std::getenv("MUSTER_TRACE") != nullptr)
        options.trace = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
    return options;
}

TEST(SimController, TheSameSeedIsTheSameRun) {
    const auto run = [](std::uint64_t seed) {
        World world(controller_world(seed));
        world.run(kRestless);
        return world.story() + std::to_string(world.counts().events) + " " + std::to_string(world.counts().heard);
    };
    EXPECT_EQ(run(3), run(3));
    EXPECT_NE(run(3), run(4));
}

TEST(SimController, ManySeeds) {
    Counts sum;
    for (const std::uint64_t seed : seeds(80)) {
        SCOPED_TRACE(replay(seed));
        World world(controller_world(seed));
        ASSERT_EQ(testing::live_through(world, kRestless), "");
        const auto counts = world.counts();
        for (const auto figure :
             {&Counts::rounds, &Counts::deaths, &Counts::orders, &Counts::orders_done, &Counts::orders_refused,
              &Counts::waited, &Counts::heard, &Counts::prepares, &Counts::prepares_failed, &Counts::copies,
              &Counts::seated, &Counts::unseated, &Counts::replies, &Counts::losses, &Counts::events})
            sum.*figure += counts.*figure;
    }
    if (std::getenv("MUSTER_SEED") != nullptr) return;
    std::printf(
        "rounds %lu deaths %lu orders %lu done %lu refused %lu waited %lu heard %lu prepares %lu failed %lu "
        "copies %lu seated %lu unseated %lu replies %lu losses %lu events %lu\n",
        sum.rounds, sum.deaths, sum.orders, sum.orders_done, sum.orders_refused, sum.waited, sum.heard, sum.prepares,
        sum.prepares_failed, sum.copies, sum.seated, sum.unseated, sum.replies, sum.losses, sum.events);
}

}  // namespace
}  // namespace muster::sim
