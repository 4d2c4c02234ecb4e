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

/// The rule that the witness goes by: who began after another was answered has overwritten it, once it is done itself.
TEST(WrittenValue, OnlyWhatMayNotBeOverwrittenMayBeSeen) {
    WrittenValue value;
    EXPECT_TRUE(value.may_be(std::nullopt, 5, 0));
    const auto first = value.write("a", 10), second = value.write("b", 12);
    EXPECT_TRUE(value.may_be("a", 15, 0)) << "it may be done already";
    EXPECT_TRUE(value.may_be(std::nullopt, 15, 0));
    value.done(first, 20, 0);
    value.done(second, 21, 0);
    EXPECT_FALSE(value.may_be(std::nullopt, 30, 0));
    EXPECT_TRUE(value.may_be("a", 30, 0)) << "they overlap";
    const auto third = value.write("c", 40);
    EXPECT_TRUE(value.may_be("a", 50, 0));
    value.done(third, 45, 0);
    EXPECT_FALSE(value.may_be("a", 50, 0));
    EXPECT_TRUE(value.may_be("a", 44, 0)) << "whoever has begun to look before may see the old one";
    EXPECT_FALSE(value.may_be("d", 50, 0)) << "nobody has written that";
    EXPECT_TRUE(value.may_be("a", 50, 1)) << "all who held it are gone";
    const auto fourth = value.write("d", 60);
    value.refused(fourth);
    EXPECT_FALSE(value.may_be("d", 70, 0));
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
    EXPECT_GT(sum.rounds, 500U);
    EXPECT_GT(sum.deaths, 150U);
    EXPECT_GT(sum.orders_done, 2'500U);
    EXPECT_GT(sum.orders_refused, 2'500U);
    EXPECT_GT(sum.waited, 800U);
    EXPECT_GT(sum.heard, 6'000U);
    EXPECT_GT(sum.prepares, 300U);
    EXPECT_GT(sum.prepares_failed, 10U);
    EXPECT_GT(sum.copies, 200U);
    EXPECT_GT(sum.seated, 130U);
    EXPECT_GT(sum.unseated, 100U);
    EXPECT_GT(sum.replies, 6'000U);
}

}  // namespace
}  // namespace muster::sim
