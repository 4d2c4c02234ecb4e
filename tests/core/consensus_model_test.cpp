// SPDX-License-Identifier: Apache-2.0
// Whole worlds of engine loops under random schedules, against a model of what M2, M4 to M8, M19, M21 and M23 demand:
// members of a group take the same turns, a dummy forward stands exactly where a peer had work and this engine none,
// and whatever was signalled is reached by all.
#include <gtest/gtest.h>

#include "fake_engines.hpp"

namespace muster::core::testing {
namespace {

/// What the group's votes decide, computed from what its members gave.
Consensus decision_of(const std::vector<Votes>& votes) {
    const bool all_pause = std::ranges::all_of(votes, [](const Votes& one) { return one[1] == -1; });
    const bool work = std::ranges::any_of(votes, [](const Votes& one) { return one[0] > 0; });
    return all_pause ? Consensus::all_pausing : work ? Consensus::work : Consensus::idle;
}

/// No dummy forward is missing and none is too many.
void expect_turns_after_the_model(const FakeEngines& world, std::uint32_t group, const LoopSettings& loop) {
    const auto turns = world.turns_of(group);
    std::vector<std::uint64_t> expected;  // The vote before each turn.
    for (const auto& [number, votes] : world.votes_of(group))
        if (decision_of(votes) == Consensus::work) expected.insert(expected.end(), loop.every, number);
    for (std::size_t member = 0; member < turns.size(); ++member) {
        ASSERT_EQ(turns[member].size(), expected.size()) << "member " << member << " of group " << group;
        for (std::size_t turn = 0; turn < expected.size(); ++turn) {
            const auto& taken = turns[member][turn];
            EXPECT_EQ(taken.vote, expected[turn]);
            EXPECT_EQ(taken.kind, taken.work > 0 ? Order::forward : Order::dummy_forward)
                << "member " << member << " in turn " << turn;
        }
    }
    if (loop.mode != ConsensusMode::blocking || loop.every > 1) return;
    for (std::size_t turn = 0; turn < expected.size(); ++turn)
        EXPECT_TRUE(std::ranges::any_of(turns, [turn](const auto& of) { return of[turn].kind == Order::forward; }))
            << "in turn " << turn << " nobody had work: it is one too many";
}

/// All ranks of an engine take every turn alike (M21).
void expect_alike(const FakeEngines& world, const WorldShape& shape) {
    for (std::uint32_t group = 0; group < shape.groups; ++group) {
        const auto turns = world.turns_of(group);
        for (std::size_t member = 0; member < turns.size(); ++member) {
            const auto& source = turns[member - member % shape.ranks];
            ASSERT_EQ(turns[member].size(), source.size());
            for (std::size_t turn = 0; turn < source.size(); ++turn) {
                EXPECT_EQ(turns[member][turn].kind, source[turn].kind);
                EXPECT_EQ(turns[member][turn].work, source[turn].work);
            }
        }
    }
}

WorldShape random_shape(Dice& dice) {
    WorldShape shape;
    shape.engines = 1U << dice.below(3);
    shape.groups = dice.one_in(3) ? 2 : 1;
    shape.ranks = dice.one_in(3) ? 2 : 1;
    const ConsensusMode modes[] = {ConsensusMode::blocking, ConsensusMode::overlapped, ConsensusMode::off};
    shape.loop.mode = modes[dice.one_in(8) ? 2 : dice.below(2)];
    shape.loop.every = dice.one_in(3) ? dice.between(2, 5) : 1;
    shape.loop.stay = dice.one_in(2);
    shape.always_work = dice.one_in(4);
    return shape;
}

/// An operator who asks for anything at any time; what the coordinator refuses goes to nobody.
class Operator {
public:
    explicit Operator(bool stay) : stay_(stay) {}
    void ask(FakeEngines& world, Signal signal) {
        const bool over = coordinator_.stopped() && !stay_;
        if (over || world.signals() - world.crossed() > 12) return;
        if (coordinator_.step(signal).act == Act::broadcast) world.signal(signal);
    }
    [[nodiscard]] State wanted() const { return coordinator_.stopped() ? State::stopped : coordinator_.state(); }

private:
    bool stay_;
    CoordinatorLifecycle coordinator_;
};

/// Signals, requests and turns in any order; then everything is delivered and the world comes to rest.
void live(FakeEngines& world, Operator& someone, const WorldShape& shape, Dice& dice) {
    for (int event = 0; event < 400; ++event) {
        const auto roll = dice.below(20);
        const auto engine = dice.below(world.engine_count());
        if (roll == 0)
            someone.ask(world, static_cast<Signal>(dice.below(kSignals)));
        else if (roll == 1)
            world.request(engine, dice.between(1, 4));
        else if (roll < 6)
            (void)world.deliver(engine);
        else
            (void)world.proceed();
    }
    if (shape.always_work) someone.ask(world, Signal::pause);  // Else it would never come to rest.
    for (std::uint32_t engine = 0; engine < world.engine_count(); ++engine) {
        while (world.deliver(engine)) {
            if (dice.one_in(2)) (void)world.proceed();
        }
    }
    world.run();
}

TEST(ConsensusModel, ManyWorldsReachWhatWasSignalledInStep) {
    std::uint64_t signals = 0, turns = 0;
    for (const auto seed : seeds(6'000)) {
        SCOPED_TRACE(replay(seed));
        Dice dice(seed);
        const auto shape = random_shape(dice);
        FakeEngines world(shape, seed);
        Operator someone(shape.loop.stay);
        live(world, someone, shape, dice);
        ASSERT_EQ(world.complaints_when(someone.wanted()), "");
        if (someone.wanted() == State::running) {
            EXPECT_EQ(world.pending(), 0U) << "work was left lying";
        }
        expect_alike(world, shape);
        if (shape.loop.mode != ConsensusMode::off)
            for (std::uint32_t group = 0; group < shape.groups; ++group)
                expect_turns_after_the_model(world, group, shape.loop);
        if (HasFailure()) return;
        signals += world.signals();
        turns += world.turns_of(0).front().size();
    }
    if (std::getenv("MUSTER_SEED") == nullptr) {
        EXPECT_GT(signals, 20'000U) << "the schedules must not be trivial";
        EXPECT_GT(turns, 50'000U);
    }
}

/// Turns of a group of `engines` whose engine i has i + 1 batches of work, from start to rest.
std::size_t turns_of_a_wave(ConsensusMode mode, std::uint32_t engines) {
    FakeEngines world({.engines = engines, .loop = {.mode = mode}}, 1);
    world.run();
    for (std::uint32_t engine = 0; engine < engines; ++engine) world.request(engine, 10 * engine + 1);
    world.run();
    EXPECT_EQ(world.complaints_when(State::running), "");
    const auto turns = world.turns_of(0);
    std::size_t busiest = 0;
    for (const auto& member : turns)
        busiest = std::max<std::size_t>(busiest, static_cast<std::size_t>(std::ranges::count_if(
                                                     member, [](const auto& turn) { return turn.work > 0; })));
    return turns.front().size() - busiest;
}

TEST(ConsensusModelM6, AWaveEndsWithItsLastForwardAndOverlappedExactlyOneTurnLater) {
    for (const std::uint32_t engines : {1, 2, 4}) {
        EXPECT_EQ(turns_of_a_wave(ConsensusMode::blocking, engines), 0U) << engines << " engines";
        EXPECT_EQ(turns_of_a_wave(ConsensusMode::overlapped, engines), 1U) << engines << " engines";
    }
}

/// Turns until PAUSED where all engines of a busy world hear of the pause in their batch `batch`.
std::size_t turns_until_paused(ConsensusMode mode, std::uint32_t engines, std::uint64_t batch) {
    FakeEngines world({.engines = engines, .loop = {.mode = mode}, .always_work = true}, 1);
    world.deliver_in_batch(batch);
    world.signal(Signal::pause);
    world.run();
    EXPECT_EQ(world.complaints_when(State::paused), "");
    return world.turns_of(0).front().size();
}

TEST(ConsensusModelM4, APauseComesInItsTurnAndOverlappedExactlyOneTurnLater) {
    for (const std::uint32_t engines : {1, 2, 4})
        for (const std::uint64_t batch : {2, 3, 10}) {
            EXPECT_EQ(turns_until_paused(ConsensusMode::blocking, engines, batch), batch - 1);
            EXPECT_EQ(turns_until_paused(ConsensusMode::overlapped, engines, batch), batch);
        }
}

TEST(ConsensusModelM4, OneLaggingPeerDefersEverybody) {
    FakeEngines world({.engines = 4, .always_work = true}, 1);
    world.signal(Signal::pause);
    for (const std::uint32_t engine : {0, 1, 3}) (void)world.deliver(engine);
    for (int steps = 0; steps < 2'000; ++steps) ASSERT_TRUE(world.proceed());
    EXPECT_EQ(world.crossed(), 0U);
    EXPECT_GT(world.turns_of(0).front().size(), 50U) << "they go on working meanwhile";
    (void)world.deliver(2);
    world.run();
    EXPECT_EQ(world.complaints_when(State::paused), "");
}

TEST(ConsensusModelM5, AGroupThatPausesWaitsForTheOtherGroupInTheBarrier) {
    FakeEngines world({.groups = 2, .engines = 2}, 1);
    world.signal(Signal::pause);
    for (const std::uint32_t engine : {0, 1, 2}) (void)world.deliver(engine);
    world.run();
    EXPECT_EQ(world.crossed(), 0U);
    (void)world.deliver(3);
    world.run();
    EXPECT_EQ(world.complaints_when(State::paused), "");
}

TEST(ConsensusModelM7, WhatIsInFlightAtAPauseCompletesAfterTheUnpause) {
    for (const auto mode : {ConsensusMode::blocking, ConsensusMode::overlapped}) {
        FakeEngines world({.engines = 2, .loop = {.mode = mode}}, 1);
        world.request(0, 100);
        world.deliver_in_batch(4);
        world.signal(Signal::pause);
        world.run();
        EXPECT_EQ(world.complaints_when(State::paused), "");
        const auto left = world.pending();
        EXPECT_GT(left, 80U);
        world.request(1, 5);
        world.run();
        EXPECT_EQ(world.pending(), left + 5) << "PAUSED: none completes";
        world.signal(Signal::unpause);
        for (const std::uint32_t engine : {0, 1}) (void)world.deliver(engine);
        world.run();
        EXPECT_EQ(world.complaints_when(State::running), "");
        EXPECT_EQ(world.pending(), 0U);
    }
}

}  // namespace
}  // namespace muster::core::testing
