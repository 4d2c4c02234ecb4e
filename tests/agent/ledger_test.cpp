// SPDX-License-Identifier: Apache-2.0
#include "agent/ledger.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

namespace muster::agent {
namespace {

core::Bytes blob_of(std::uint64_t step) { return core::Bytes(1 + step % 7, static_cast<std::byte>(step)); }

/// A whole commit, as nobody disturbs it.
void commit(Ledger& ledger, std::uint64_t step, std::uint32_t round = 1) {
    ASSERT_TRUE(ledger.begin(Step{step}, Round{round}, blob_of(step)));
    ASSERT_TRUE(ledger.record());
}

TEST(Ledger, HoldsNothingAtFirst) {
    Ledger ledger;
    EXPECT_EQ(ledger.committed(), std::nullopt);
    const auto picture = ledger.freeze();
    EXPECT_EQ(picture.committed, std::nullopt);
    EXPECT_EQ(picture.attempted, std::nullopt);
    EXPECT_EQ(picture.committed_in, Round{0});
    EXPECT_EQ(ledger.entry_of(Step{0}), nullptr);
}

TEST(Ledger, ACommitIsAttemptedFirstAndRecordedThen) {
    Ledger ledger;
    commit(ledger, 6, 3);
    ASSERT_TRUE(ledger.begin(Step{7}, Round{4}, blob_of(7)));
    EXPECT_EQ(ledger.committed(), Step{6});
    ASSERT_TRUE(ledger.record());
    EXPECT_EQ(ledger.committed(), Step{7});
    const auto picture = ledger.freeze();
    EXPECT_EQ(picture.committed, Step{7});
    EXPECT_EQ(picture.committed_in, Round{4});
    EXPECT_EQ(picture.attempted, std::nullopt);
}

TEST(Ledger, AFrozenPictureHoldsBothTheCommittedAndTheAttempted) {
    Ledger ledger;
    commit(ledger, 6, 3);
    ASSERT_TRUE(ledger.begin(Step{7}, Round{4}, blob_of(7)));
    const auto picture = ledger.freeze();
    EXPECT_EQ(picture.committed, Step{6});
    EXPECT_EQ(picture.committed_in, Round{3});
    EXPECT_EQ(picture.attempted, Step{7});
    ASSERT_NE(ledger.entry_of(Step{6}), nullptr);
    ASSERT_NE(ledger.entry_of(Step{7}), nullptr);
    EXPECT_EQ(ledger.entry_of(Step{6})->blob, blob_of(6));
    EXPECT_EQ(ledger.entry_of(Step{7})->blob, blob_of(7));
    EXPECT_EQ(ledger.entry_of(Step{5}), nullptr) << "overwritten by step 7";
}

TEST(Ledger, WhileItIsFrozenNothingBeginsAndNothingIsRecorded) {
    Ledger ledger;
    commit(ledger, 6);
    ASSERT_TRUE(ledger.begin(Step{7}, Round{1}, blob_of(7)));
    (void)ledger.freeze();
    EXPECT_FALSE(ledger.record());
    EXPECT_FALSE(ledger.begin(Step{8}, Round{1}, blob_of(8)));
    const auto again = ledger.freeze();
    EXPECT_EQ(again.committed, Step{6}) << "a second look sees the same";
    EXPECT_EQ(again.attempted, Step{7});
}

TEST(Ledger, ThawedAtTheAttemptedStepItGoesForward) {
    Ledger ledger;
    commit(ledger, 6, 3);
    ASSERT_TRUE(ledger.begin(Step{7}, Round{4}, blob_of(7)));
    (void)ledger.freeze();
    ledger.thaw(Step{7});
    EXPECT_EQ(ledger.committed(), Step{7});
    commit(ledger, 8, 5);
    EXPECT_EQ(ledger.freeze().committed_in, Round{5});
}

TEST(Ledger, ThawedAtTheCommittedStepItForgetsTheAttempt) {
    Ledger ledger;
    commit(ledger, 6, 3);
    ASSERT_TRUE(ledger.begin(Step{7}, Round{4}, blob_of(7)));
    (void)ledger.freeze();
    ledger.thaw(Step{6});
    const auto picture = ledger.freeze();
    EXPECT_EQ(picture.committed, Step{6});
    EXPECT_EQ(picture.committed_in, Round{3});
    EXPECT_EQ(picture.attempted, std::nullopt);
}

TEST(Ledger, ThawedAtAStepThatItDoesNotHoldItHoldsNothing) {
    for (const std::optional<Step> agreed : {std::optional<Step>(), std::optional<Step>(Step{9})}) {
        Ledger ledger;
        commit(ledger, 6);
        (void)ledger.freeze();
        ledger.thaw(agreed);
        EXPECT_EQ(ledger.committed(), std::nullopt);
        commit(ledger, 10);
        EXPECT_EQ(ledger.committed(), Step{10});
    }
}

TEST(Ledger, AFirstStepThatWasOnlyAttemptedCanBeTheAgreedOne) {
    Ledger ledger;
    ASSERT_TRUE(ledger.begin(Step{1}, Round{1}, blob_of(1)));
    (void)ledger.freeze();
    ledger.thaw(Step{1});
    EXPECT_EQ(ledger.committed(), Step{1});
}

/// What the engine believes when it stops: its last recorded step, and the one that it could not record.
struct Belief {
    std::uint64_t recorded = 0, begun = 0;
};

TEST(LedgerRace, WhateverTheEngineRecordedIsInThePictureAndNothingBeyond) {
    constexpr int kRaces = 10'000;
    Ledger ledger;
    Belief belief;
    Step agreed;                                   // Written by the agent, read once agent_at says so.
    std::atomic<int> engine_at = 0, agent_at = 0;  // Which race each of the two is in.
    std::atomic<int> frozen_at = 0;
    int committed_while_frozen = 0;

    std::thread engine([&] {
        for (int race = 1; race <= kRaces; ++race) {
            engine_at.store(race, std::memory_order_release);
            for (std::uint64_t step = belief.recorded + 1;; ++step) {
                const bool frozen = frozen_at.load(std::memory_order_acquire) == race;
                if (!ledger.begin(Step{step}, Round{static_cast<std::uint32_t>(race)}, blob_of(step))) break;
                belief.begun = step;
                if (!ledger.record()) break;
                belief.recorded = step;
                if (frozen) {
                    ++committed_while_frozen;
                    break;
                }
            }
            engine_at.store(-race, std::memory_order_release);  // Stopped: the belief may be read.
            while (agent_at.load(std::memory_order_acquire) < race) std::this_thread::yield();
            ledger.thaw(agreed);
            belief = {ledger.committed().value_or(Step{0}).value, ledger.committed().value_or(Step{0}).value};
        }
    });

    std::mt19937_64 dice(1);
    bool failed = false;  // One report is enough; the races still go to their end.
    for (int race = 1; race <= kRaces; ++race) {
        while (engine_at.load(std::memory_order_acquire) != race && engine_at.load() != -race)
            std::this_thread::yield();
        for (std::uint64_t spin = dice() % 400; spin > 0; --spin) std::atomic_signal_fence(std::memory_order_seq_cst);
        const auto picture = ledger.freeze();
        frozen_at.store(race, std::memory_order_release);
        // The picture is used while the engine may still be on its way to noticing.
        const Ledger::Entry* entry = picture.committed ? ledger.entry_of(*picture.committed) : nullptr;
        const bool blob_ok =
            !picture.committed || (entry != nullptr && entry->blob == blob_of(picture.committed->value));
        const auto* tried = picture.attempted ? ledger.entry_of(*picture.attempted) : nullptr;
        const bool tried_ok =
            !picture.attempted || (tried != nullptr && tried->blob == blob_of(picture.attempted->value));
        while (engine_at.load(std::memory_order_acquire) != -race) std::this_thread::yield();

        const auto committed = picture.committed.value_or(Step{0}).value;
        if (!failed) {
            EXPECT_TRUE(blob_ok && tried_ok) << "race " << race;
            EXPECT_EQ(committed, belief.recorded) << "race " << race;
            EXPECT_EQ(picture.attempted.has_value(), belief.begun > belief.recorded) << "race " << race;
            if (picture.attempted) {
                EXPECT_EQ(picture.attempted->value, belief.recorded + 1) << "race " << race;
            }
            failed = ::testing::Test::HasFailure();
        }
        // Every other time the attempt is the agreed step.
        agreed = Step{picture.attempted && race % 2 == 0 ? picture.attempted->value : committed};
        agent_at.store(race, std::memory_order_release);
    }
    engine.join();
    EXPECT_EQ(committed_while_frozen, 0);
}

}  // namespace
}  // namespace muster::agent
