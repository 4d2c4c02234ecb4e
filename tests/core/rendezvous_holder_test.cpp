// SPDX-License-Identifier: Apache-2.0
#include "core/rendezvous_holder.hpp"

#include <gtest/gtest.h>

#include "rendezvous_support.hpp"

namespace muster::core::rendezvous::testing {
namespace {

std::optional<bool> written(StateHolder& holder, double now) {
    const auto synced = holder.sync(at(now));
    return std::get<Synced>(synced).written;
}

/// A state with heartbeats of these ages at second 100; participants n0 .., of a round that is complete or not.
State aged(bool complete, const std::vector<double>& ages) {
    State state{.round = Round{3}, .complete = complete, .deadline = std::nullopt};
    for (std::size_t i = 0; i < ages.size(); ++i) {
        const auto number = static_cast<std::int64_t>(i);
        state.participants[n(number)] = Slot{complete ? static_cast<std::uint32_t>(i) : 0};
        state.last_heartbeats[n(number)] = at(100 - ages[i]);
    }
    if (!complete) state.deadline = seconds(120);
    return state;
}

TEST(RendezvousHolder, T06_TheFirstToWriteWinsAndTheOtherAdopts) {
    const auto settings = settings_of(1, 3);
    MemoryBackend backend;
    StateHolder one(backend, settings), other(backend, settings);
    one.change().round = Round{1};
    other.change().round = Round{2};
    EXPECT_EQ(written(one, 0), true);
    EXPECT_EQ(written(other, 0), false);
    EXPECT_EQ(other.state().round, Round{1});
    EXPECT_EQ(written(other, 0), std::nullopt);  // The mark is gone: its change was lost, not postponed.
    other.change().round = Round{5};
    EXPECT_EQ(written(other, 0), true);  // It has the token now.
    EXPECT_EQ(written(one, 0), std::nullopt);
    EXPECT_EQ(one.state().round, Round{5});
}

TEST(RendezvousHolder, T06_AChangeThatFindsTheBackendEmptiedStaysHereAndIsNotWritten) {
    const auto settings = settings_of(1, 3);
    MemoryBackend backend;
    StateHolder one(backend, settings);
    one.change().round = Round{1};
    EXPECT_EQ(written(one, 0), true);
    backend.lose();
    one.change().round = Round{2};
    EXPECT_EQ(written(one, 0), false);
    EXPECT_EQ(one.state().round, Round{2});
    one.change().closed = true;  // Without a token now: the next change is the first of a new history.
    EXPECT_EQ(written(one, 0), true);
    EXPECT_EQ(one.state().round, Round{2});
}

/// Counts what a holder asks for.
struct Counted : MemoryBackend {
    Or<std::optional<Stored>> get() override {
        ++gets;
        return MemoryBackend::get();
    }
    int gets = 0;
};

TEST(RendezvousHolder, T07_AStateIsReadAnewWhenItIsOlderThanTheCache) {
    auto settings = settings_of(1, 3);
    settings.cache = Settings{}.cache;
    EXPECT_EQ(settings.cache, seconds(1));
    Counted backend;
    StateHolder holder(backend, settings);
    EXPECT_EQ(written(holder, 0.5), std::nullopt);
    EXPECT_EQ(backend.gets, 1);  // Before second 1, too, the first look is a real one.
    EXPECT_EQ(written(holder, 1.5), std::nullopt);
    EXPECT_EQ(backend.gets, 1);  // Exactly as old is still good.
    EXPECT_EQ(written(holder, 1.500001), std::nullopt);
    EXPECT_EQ(backend.gets, 2);
    holder.change().round = Round{1};
    EXPECT_EQ(written(holder, 1.6), true);  // A change is written at once ...
    EXPECT_EQ(written(holder, 2.6), std::nullopt);
    EXPECT_EQ(backend.gets, 2);  // ... and is a sync, too.
}

TEST(RendezvousHolder, T07_WithoutACacheEachSyncReads) {
    const auto settings = settings_of(1, 3);
    Counted backend;
    StateHolder holder(backend, settings);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(written(holder, 5), std::nullopt);
    EXPECT_EQ(backend.gets, 3);
}

TEST(RendezvousHolder, T08_NothingThereIsAFreshState) {
    const auto settings = settings_of(1, 3);
    MemoryBackend backend;
    StateHolder holder(backend, settings);
    holder.change().round = Round{1};
    EXPECT_EQ(written(holder, 0), true);
    backend.lose();
    EXPECT_EQ(written(holder, 0), std::nullopt);
    EXPECT_EQ(holder.state(), State{});
}

TEST(RendezvousHolder, T08_WhatIsNoStateIsAnErrorAndChangesNothing) {
    const auto settings = settings_of(1, 3);
    MemoryBackend backend;
    StateHolder holder(backend, settings);
    holder.change().round = Round{1};
    EXPECT_EQ(written(holder, 0), true);
    backend.replace(Bytes(3));
    for (const bool dirty : {false, true}) {
        if (dirty) holder.change().round = Round{2};
        const auto synced = holder.sync(Time{0});
        EXPECT_EQ(std::get<Failure>(synced).kind, Failure::corrupt_state);
        EXPECT_EQ(std::get<Failure>(synced).text, "The rendezvous state is corrupt. See inner exception for details.");
        EXPECT_EQ(holder.state().round, dirty ? Round{2} : Round{1});
    }
    backend.lose();
    EXPECT_EQ(written(holder, 0), false);  // The change was still marked.
}

TEST(RendezvousHolder, T08_AConnectionThatFailsChangesNothing) {
    const auto settings = settings_of(1, 3);
    MemoryBackend backend;
    StateHolder holder(backend, settings);
    holder.change().round = Round{1};
    backend.disconnect(true);
    EXPECT_EQ(std::get<Failure>(holder.sync(Time{0})).kind, Failure::connection);
    backend.disconnect(false);
    EXPECT_EQ(written(holder, 0), true);
    EXPECT_EQ(holder.state().round, Round{1});
}

State synced_from(const State& there, const Settings& settings) {
    MemoryBackend backend;
    backend.replace(encode(there));
    StateHolder holder(backend, settings);
    EXPECT_EQ(written(holder, 100), std::nullopt);
    EXPECT_EQ(decode_state(std::get<0>(backend.get())->state), there);  // Until somebody writes.
    return holder.state();
}

TEST(RendezvousHolder, T09_ExactlyFifteenSecondsIsAlive) {
    auto there = aged(false, {15, 15.000001, 0});
    there.wait_list = {n(4), n(5)};
    there.redundancy_list = {n(6), n(7)};
    for (const int number : {4, 6}) there.last_heartbeats[n(number)] = at(85);
    for (const int number : {5, 7}) there.last_heartbeats[n(number)] = at(84);
    const auto state = synced_from(there, settings_of(2, 3));
    EXPECT_EQ(lists(state), "n0=0 n2=0 | n4 | n6");
    EXPECT_EQ(state.last_heartbeats.size(), 4U);
    EXPECT_EQ(state.deadline, seconds(120));
}

TEST(RendezvousHolder, T09_WhoeverHasNoHeartbeatIsNeverDropped) {
    auto there = aged(false, {1});
    there.participants[n(1)] = Slot{};
    there.wait_list = {n(2)};
    EXPECT_EQ(lists(synced_from(there, settings_of(1, 3))), "n0=0 n1=0 | n2 |");
}

TEST(RendezvousHolder, T09_TheWriteOfARemovalSaysWhoWasRemoved) {
    const auto settings = settings_of(1, 3);
    MemoryBackend backend;
    backend.replace(encode(aged(false, {99, 1, 88})));
    StateHolder holder(backend, settings);
    EXPECT_EQ(written(holder, 100), std::nullopt);
    EXPECT_TRUE(std::get<Synced>(holder.sync(at(100))).removed.empty());  // A look writes nothing.
    (void)holder.change();
    const auto synced = holder.sync(at(100));
    EXPECT_EQ(std::get<Synced>(synced).removed, (std::vector<Node>{n(0), n(2)}));
    (void)holder.change();
    EXPECT_TRUE(std::get<Synced>(holder.sync(at(100))).removed.empty());
}

TEST(RendezvousHolder, T10_AllParticipantsOfACompleteRoundDead) {
    for (const bool replace : {false, true}) {
        auto settings = settings_of(1, 3);
        settings.replace_dead_participants = replace;
        auto there = aged(true, {16, 17});
        there.wait_list = {n(5)};
        there.last_heartbeats[n(5)] = at(99);
        const auto state = synced_from(there, settings);
        EXPECT_EQ(phase(state), "round 4");
        EXPECT_EQ(lists(state), "| n5 |");
    }
}

TEST(RendezvousHolder, T10_ADeathBelowMinEndsTheLastCall) {
    const auto state = synced_from(aged(false, {1, 16}), settings_of(2, 3));
    EXPECT_EQ(state.deadline, std::nullopt);
    EXPECT_EQ(lists(state), "n0=0 | |");
}

TEST(RendezvousHolder, T10_AsInTheSourceADeathLeavesACompleteRoundComplete) {
    const auto state = synced_from(aged(true, {1, 16, 1}), as_the_source(settings_of(2, 3)));
    EXPECT_EQ(phase(state), "round 3 complete");
    EXPECT_EQ(lists(state), "n0=0 n2=2 | |");
}

TEST(RendezvousHolder, T10_ADeathStartsTheNextRoundWithTheSurvivors) {
    const auto state = synced_from(aged(true, {1, 16, 2}), settings_of(2, 3));
    EXPECT_EQ(phase(state), "round 4");
    EXPECT_EQ(lists(state), "n0=0 n2=0 | |");
    EXPECT_EQ(state.deadline, seconds(104));            // Enough of them: last call.
    EXPECT_EQ(state.last_heartbeats.at(n(2)), at(98));  // Nobody has heard of them since.
    const auto few = synced_from(aged(true, {1, 16, 16}), settings_of(2, 3));
    EXPECT_EQ(phase(few), "round 4");
    EXPECT_EQ(few.deadline, std::nullopt);
}

TEST(RendezvousHolder, T10_ADeadStandbyStartsNothing) {
    auto there = aged(true, {1, 1});
    there.wait_list = {n(5)};
    there.last_heartbeats[n(5)] = at(1);
    EXPECT_EQ(phase(synced_from(there, settings_of(1, 2))), "round 3 complete");
}

}  // namespace
}  // namespace muster::core::rendezvous::testing
