// SPDX-License-Identifier: Apache-2.0
/// Whoever is lost in the middle of whatever: signals are applied once, requests answered once, the wanted state is
/// reached.
#include <gtest/gtest.h>

#include "fake_members.hpp"

namespace muster::core {
namespace {

using testing::Dice;
using testing::FakeMembers;

/// A job under `seed` in which anybody may die at any time but one engine and one client.
struct Life {
    explicit Life(std::uint64_t seed)
        : dice(seed * 7 + 1),
          shape{.engines = dice.between(2, 6),
                .standbys = dice.below(3),
                .clients = dice.between(1, 3),
                .fan_out = dice.between(1, 4),
                .seed = seed},
          job(shape) {}
    void live() {
        for (std::uint32_t things = 10 + dice.below(40); things > 0; --things) {
            const auto who = dice.one_in(6) ? dice.below(shape.engines) : job.client(dice.below(shape.clients));
            if (job.at(who).alive && dice.one_in(2)) asked[{who, job.ask(who, wanted())}] = false;
            if (job.at(who).alive && dice.one_in(2)) {
                const auto byte = static_cast<std::uint8_t>(dice.below(200));
                submitted[{who, job.submit(who, byte)}] = byte + 1;
            }
            job.run(dice.below(30));
            if (dice.one_in(4)) job.tick();
            if (dice.one_in(8)) lose_somebody();
        }
        job.rebuild();
        job.settle();
    }
    Wanted wanted() { return static_cast<Wanted>(dice.below(kWanted)); }
    void lose_somebody() {
        for (auto deaths = dice.below(3); deaths > 0; --deaths) {
            const auto rank = dice.below(shape.engines + shape.standbys + shape.clients);
            const bool last = job.view().world == std::vector{Rank{rank}};
            if (rank != job.client(0) && !last && !(deaths > 1 && job.is_engine(Rank{rank}))) job.kill(rank);
        }
        job.run(dice.below(10));
        if (dice.one_in(6)) job.next_coordinator = job.view().world[dice.below(job.view().world.size())];
        job.rebuild();
    }

    Dice dice;
    FakeMembers::Shape shape;
    FakeMembers job;
    std::map<std::pair<std::uint32_t, OperationId>, bool> asked;
    std::map<std::pair<std::uint32_t, RequestId>, int> submitted;
};

void expect_all_answered_once(Life& life) {
    for (const auto& [key, unused] : life.asked) {
        if (!life.job.at(key.first).alive) continue;
        ASSERT_EQ(life.job.at(key.first).operations[key.second].size(), 1u)
            << "operation " << key.second.value << " of " << key.first;
    }
    for (const auto& [key, reply] : life.submitted) {
        if (!life.job.at(key.first).alive) continue;
        const auto outcome = life.job.outcome(key.first, key.second);
        ASSERT_TRUE(outcome == "reply " + std::to_string(reply) || outcome == kNoEngines || outcome == kEnginesStopped)
            << "request " << key.second.value << " of " << key.first << ": " << outcome;
    }
}

void expect_one_history(Life& life) {
    std::map<std::uint64_t, FakeMembers::Crossed> all;
    for (std::uint32_t rank = 0; rank < life.job.client(); ++rank)
        for (const auto& [number, one] : life.job.at(rank).history)
            ASSERT_EQ(all.emplace(number, one).first->second, one) << "signal " << number << " on rank " << rank;
    std::map<FakeMembers::Crossed, int> times;
    State state = State::running;
    for (const auto& [number, one] : all) {
        ASSERT_NE(after(state, one.signal), state) << "signal " << number << " was not legal";
        state = after(state, one.signal);
        // Only the pause of a compound signal may come again, where another client has unpaused in between.
        ASSERT_TRUE(++times[one] == 1 || one.signal == Signal::pause) << "signal " << number << " was applied twice";
    }
    for (const Rank rank : life.job.view().world) {
        const auto& facts = life.job.board(rank.value).facts();
        ASSERT_TRUE(facts.pending.empty()) << "rank " << rank.value;
        ASSERT_EQ(facts.crossed, all.empty() ? 0 : all.rbegin()->first);
        ASSERT_EQ(facts.state, state) << "the wanted state";
    }
}

TEST(Rounds, WhoeverDiesSignalsAreAppliedOnceAndRequestsAnsweredOnce) {
    for (const auto seed : testing::seeds(2'000)) {
        SCOPED_TRACE(testing::replay(seed));
        Life life(seed);
        life.live();
        expect_all_answered_once(life);
        expect_one_history(life);
        if (::testing::Test::HasFatalFailure()) return;
    }
}

}  // namespace
}  // namespace muster::core
