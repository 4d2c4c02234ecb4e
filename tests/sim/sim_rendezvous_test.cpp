// SPDX-License-Identifier: Apache-2.0
/// Worlds whose members die, hang and come back, whose programs ask for rounds and use what a round gives them.
#include <gtest/gtest.h>

#include "../core/support.hpp"
#include "sim/world.hpp"
#include "story.hpp"
#include "support.hpp"

namespace muster::sim {
namespace {

using core::testing::replay;
using core::testing::seeds;

constexpr Tick kLong{3'000'000};
constexpr Tick kShorterThanTheWindow{10'000}, kLongerThanTheWindow{100'000};

/// Four engines and a standby, each on a node of its own.
WorldOptions small_world(std::uint32_t nodes = 5) {
    return {.engines = 4, .standbys = 1, .nodes = nodes, .calls_per_ms = 0.5};
}

void live(World& world) { ASSERT_TRUE(world.settles(State::running, kLong)) << world.story() << world.violations(); }

TEST(SimRendezvous, AMemberThatWakesInTimeGoesOnInItsRound) {
    World world(small_world());
    live(world);
    world.hang(Rank{2}, kShorterThanTheWindow);
    world.run(kLongerThanTheWindow);
    world.heal();
    live(world);
    EXPECT_EQ(world.counts().rounds, 1U);
}

TEST(SimRendezvous, AMemberThatSleepsTooLongIsReplacedAndStopsItself) {
    for (const std::uint32_t rank : {0U, 2U, 4U}) {  // Coordinator, engine, standby.
        SCOPED_TRACE(rank);
        World world(small_world());
        live(world);
        world.hang(Rank{rank}, kLongerThanTheWindow);
        world.run(kLongerThanTheWindow);
        world.heal();
        live(world);
        EXPECT_EQ(world.counts().rounds, 2U);
        EXPECT_EQ(world.counts().cut_off, 1U);
        EXPECT_EQ(world.counts().excluded, 1U) << "it was told, before its own recovery came to the fence";
        EXPECT_EQ(world.counts().deaths, 1U);
    }
}

TEST(SimRendezvous, AMemberThatSleepsTooLongIsKilledByWhoSharesItsNode) {
    World world(small_world(1));
    live(world);
    world.hang(Rank{2}, kLongerThanTheWindow);
    world.run(kLongerThanTheWindow);
    world.heal();
    live(world);
    EXPECT_EQ(world.counts().deaths, 1U);
    EXPECT_EQ(world.counts().cut_off, 0U);
}

TEST(SimRendezvous, ProgramsAskForRoundsParkAndUnpark) {
    World world(small_world());
    live(world);
    for (const auto& [rank, wish] :
         {std::pair{1U, Wish::regroup}, {3U, Wish::park}, {2U, Wish::park}, {3U, Wish::unpark}}) {
        world.wish(Rank{rank}, wish);
        world.run(kLongerThanTheWindow);
    }
    world.heal();
    live(world);
    EXPECT_EQ(world.counts().rounds, 5U);
}

TEST(SimRendezvous, WhoIsParkedIsTakenBackWhereTheOthersAreTooFew) {
    World world({.engines = 2, .nodes = 2, .quorum = Quorum::none});
    live(world);
    world.wish(Rank{0}, Wish::park);
    world.run(kLongerThanTheWindow);
    world.kill(Rank{1});
    world.run(kLongerThanTheWindow);
    live(world);
    EXPECT_EQ(world.counts().rounds, 3U);
}

TEST(SimRendezvous, NoRoundFollowsAClosedOne) {
    World world(small_world());
    live(world);
    world.wish(Rank{1}, Wish::close);
    world.run(kLongerThanTheWindow);
    world.wish(Rank{2}, Wish::regroup);
    world.run(kLongerThanTheWindow);
    EXPECT_EQ(world.counts().rounds, 2U);
    world.kill(Rank{3});
    world.run(kLongerThanTheWindow);
    EXPECT_EQ(world.violations(), "");
    EXPECT_EQ(world.ended(), ExitCode::stopped);
    EXPECT_EQ(world.counts().rounds, 2U);
}

/// A standby that kept a copy is dismissed with the closing: the others have copies too.
TEST(SimRendezvous, ARegistryOutlivesTheClosing) {
    World world({.engines = 2, .standbys = 1, .nodes = 3, .calls_per_ms = 0.5});
    live(world);
    world.wish(Rank{0}, Wish::park);  // Rank 1 coordinates, 2 and 0 keep copies.
    world.run(kLongerThanTheWindow);
    world.wish(Rank{2}, Wish::close);
    world.run(kLongerThanTheWindow);
    const auto before = world.counts().registry_answered;
    world.run(kLongerThanTheWindow);
    EXPECT_EQ(world.violations(), "");
    EXPECT_GT(world.counts().registry_answered, before);
}

TEST(SimRendezvous, TheSameSeedIsTheSameRun) {
    const auto run = [](std::uint64_t seed) {
        World world(testing::rendezvous_world(seed));
        world.run(Tick{150'000});
        return world.story() + std::to_string(world.counts().events) + " " + std::to_string(world.counts().answered);
    };
    EXPECT_EQ(run(3), run(3));
    EXPECT_NE(run(3), run(4));
}

TEST(SimRendezvous, ManySeeds) {
    Counts sum;
    for (const std::uint64_t seed : seeds(300)) {
        SCOPED_TRACE(replay(seed));
        World world(testing::rendezvous_world(seed));
        ASSERT_EQ(testing::live_through(world, Tick{150'000}), "");
        const auto counts = world.counts();
        sum.rounds += counts.rounds;
        sum.deaths += counts.deaths;
        sum.hangs += counts.hangs;
        sum.fenced += counts.fenced;
        sum.darknesses += counts.darknesses;
        sum.condemned += counts.condemned;
        sum.excluded += counts.excluded;
        sum.answered += counts.answered;
        sum.refused_calls += counts.refused_calls;
        sum.late_calls += counts.late_calls;
        sum.registry_answered += counts.registry_answered;
    }
    if (std::getenv("MUSTER_SEED") != nullptr) return;
    EXPECT_GT(sum.rounds, 2'000U);
    EXPECT_GT(sum.deaths, 400U);
    EXPECT_GT(sum.hangs, 800U);
    EXPECT_GT(sum.fenced, 20U);
    EXPECT_GT(sum.excluded, 20U);
    EXPECT_GT(sum.darknesses, 100U);
    EXPECT_GT(sum.condemned, 60U);
    EXPECT_GT(sum.answered, 30'000U);
    EXPECT_GT(sum.refused_calls, 10'000U);
    EXPECT_GT(sum.late_calls, 300U);
    EXPECT_GT(sum.registry_answered, 20'000U);
}

}  // namespace
}  // namespace muster::sim
