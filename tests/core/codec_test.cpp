// SPDX-License-Identifier: Apache-2.0
#include "core/codec.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/plan.hpp"
#include "support.hpp"

namespace muster::core {
namespace {

using testing::Dice;
using testing::ranks;

LifecycleFacts full_lifecycle() {
    LifecycleFacts lifecycle{.crossed = 40, .state = State::suspended};
    for (std::uint64_t i = 1; i <= kRecentMax; ++i)
        lifecycle.recent.push_back({.number = 40 - kRecentMax + i, .origin = Rank{2}, .operation = OperationId{i}});
    for (std::uint64_t i = 1; i <= kPendingMax; ++i)
        lifecycle.pending.push_back({.number = 40 + i,
                                     .signal = i % 2 == 1 ? Signal::resume : Signal::suspend,
                                     .origin = Rank{3},
                                     .operation = OperationId{1'000'000'000'000 + i}});
    return lifecycle;
}

void expect_full(const LifecycleFacts& lifecycle) {
    EXPECT_EQ(lifecycle.crossed, 40u);
    ASSERT_EQ(lifecycle.recent.size(), kRecentMax);
    EXPECT_EQ(lifecycle.recent.front().number, 40 - kRecentMax + 1);
    EXPECT_EQ(lifecycle.state, State::suspended);
    ASSERT_EQ(lifecycle.pending.size(), kPendingMax);
    EXPECT_EQ(lifecycle.pending[1].number, 42u);
    EXPECT_EQ(lifecycle.pending[1].signal, Signal::suspend);
    EXPECT_EQ(lifecycle.pending[1].origin, Rank{3});
    EXPECT_EQ(lifecycle.pending[1].operation, OperationId{1'000'000'000'002});
}

Facts full_facts() {
    Facts facts;
    facts.rank = Rank{5};
    facts.leaving = facts.close = true;
    facts.going = "exited 3";
    facts.committed = Step{7};
    facts.attempted = Step{1'000'000'000'000};
    facts.committed_in = Round{3};
    facts.proven_dead = ranks({1, 4, 9});
    facts.wish = Wish{ExitCode::aborted, "rank 5 in round 3: out of memory"};
    facts.lifecycle = full_lifecycle();
    facts.mirror = {Round{12}, 13};
    return facts;
}

Plan full_plan() {
    Plan plan;
    plan.ending = Wish{ExitCode::lost_quorum, "1 of 3"};
    plan.round = Round{4};
    plan.world = ranks({0, 9, 2, 3});
    plan.standbys = ranks({7, 8});
    plan.waiting = ranks({8});
    plan.clients = ranks({10, 11});
    plan.closed = true;
    plan.keeper = Rank{8};
    plan.keeper_term = Round{13};
    plan.dismissed = ranks({6});
    plan.step = Step{41};
    plan.source = Slot{2};
    plan.newcomers = {{Slot{1}, Rank{9}, Slot{3}}, {Slot{0}, Rank{0}, std::nullopt}};
    plan.state_round = Round{2};
    plan.lost = {{Rank{1}, "n1", "killed"}, {Rank{6}, "n2", "left"}};
    plan.promoted = {{Rank{9}, Slot{1}}};
    plan.lifecycle = full_lifecycle();
    return plan;
}

TEST(Codec, NumbersAreLittleEndianAndUnaligned) {
    Writer out;
    out.u8(1);
    out.u32(0x0a0b0c0d);
    out.u64(2);
    const Bytes bytes = out.take();
    ASSERT_EQ(bytes.size(), 13u);
    EXPECT_EQ(bytes[1], std::byte{0x0d});
    EXPECT_EQ(bytes[4], std::byte{0x0a});
    Reader in(bytes);
    EXPECT_EQ(in.u8(), 1u);
    EXPECT_EQ(in.u32(), 0x0a0b0c0du);
    EXPECT_FALSE(in.finished());
    EXPECT_EQ(in.u64(), 2u);
    EXPECT_TRUE(in.finished());
}

TEST(Codec, AfterAShortReadEverythingIsZeroAndNotOk) {
    Writer out;
    out.u32(77);
    const Bytes bytes = out.take();
    Reader in(bytes);
    EXPECT_EQ(in.u64(), 0u);
    EXPECT_FALSE(in.ok());
    EXPECT_EQ(in.u8(), 0u) << "the bytes that are there belong to the read that failed";
    EXPECT_EQ(in.text(), "");
    EXPECT_FALSE(in.finished());
}

TEST(Codec, ACountLargerThanTheRestIsAnErrorAndNotAnAllocation) {
    Writer out;
    out.u32(std::numeric_limits<std::uint32_t>::max());
    out.u64(0);
    const Bytes bytes = out.take();
    Reader things(bytes);
    EXPECT_EQ(things.count(4), 0u);
    EXPECT_FALSE(things.ok());
    Reader text(bytes);
    EXPECT_EQ(text.text(), "");
    EXPECT_FALSE(text.ok());
}

TEST(Codec, ACountThatJustFitsIsTaken) {
    Writer out;
    out.u32(2);
    out.u64(0);
    const Bytes bytes = out.take();
    Reader fits(bytes);
    EXPECT_EQ(fits.count(4), 2u);
    Reader beyond(bytes);
    EXPECT_EQ(beyond.count(5), 0u);
    EXPECT_FALSE(beyond.ok());
}

TEST(Codec, FactsGoRoundAndHaveOneSize) {
    const Bytes bytes = encode(full_facts());
    ASSERT_EQ(bytes.size(), kFactsSize);
    EXPECT_EQ(encode(Facts{}).size(), kFactsSize);
    const auto facts = decode_facts(bytes);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->rank, Rank{5});
    EXPECT_TRUE(facts->leaving && facts->close);
    EXPECT_FALSE(facts->parked || facts->asked);
    EXPECT_EQ(facts->going, "exited 3");
    EXPECT_EQ(facts->committed, Step{7});
    EXPECT_EQ(facts->attempted, Step{1'000'000'000'000});
    EXPECT_EQ(facts->committed_in, Round{3});
    EXPECT_EQ(facts->proven_dead, ranks({1, 4, 9}));
    ASSERT_TRUE(facts->wish);
    EXPECT_EQ(facts->wish->code, ExitCode::aborted);
    EXPECT_EQ(facts->wish->reason, "rank 5 in round 3: out of memory");
    expect_full(facts->lifecycle);
    EXPECT_EQ(facts->mirror, (MirrorPosition{Round{12}, 13}));
}

TEST(Codec, FactsCutWhatHasNoRoomAndKeepTheRest) {
    Facts facts = full_facts();
    facts.proven_dead = testing::ranks_up_to(1000);
    facts.wish->reason = std::string(10'000, 'x');
    facts.going = std::string(10'000, 'y');
    const auto there = decode_facts(encode(facts));
    ASSERT_TRUE(there);
    EXPECT_EQ(there->proven_dead, testing::ranks_up_to(kProvenMax));
    EXPECT_EQ(there->wish->reason, std::string(kReasonMax, 'x'));
    EXPECT_EQ(there->going, std::string(kGoingMax, 'y'));
    expect_full(there->lifecycle);
}

TEST(Codec, APlanGoesRound) {
    const Bytes bytes = encode(full_plan());
    const auto plan = decode_plan(bytes);
    ASSERT_TRUE(plan);
    EXPECT_EQ(encode(*plan), bytes);
    EXPECT_EQ(plan->ending->code, ExitCode::lost_quorum);
    EXPECT_EQ(plan->round, Round{4});
    EXPECT_EQ(plan->world, ranks({0, 9, 2, 3}));
    EXPECT_EQ(plan->standbys, ranks({7, 8}));
    EXPECT_EQ(plan->waiting, ranks({8}));
    EXPECT_TRUE(plan->closed);
    EXPECT_EQ(plan->keeper, Rank{8});
    EXPECT_EQ(plan->keeper_term, Round{13});
    EXPECT_FALSE(plan->asked);
    EXPECT_EQ(plan->clients, ranks({10, 11}));
    EXPECT_EQ(plan->dismissed, ranks({6}));
    EXPECT_EQ(plan->step, Step{41});
    EXPECT_EQ(plan->source, Slot{2});
    ASSERT_EQ(plan->newcomers.size(), 2u);
    EXPECT_EQ(plan->newcomers[0].holder, Slot{3});
    EXPECT_EQ(plan->newcomers[1].holder, std::nullopt);
    EXPECT_EQ(plan->state_round, Round{2});
    ASSERT_EQ(plan->lost.size(), 2u);
    EXPECT_EQ(plan->lost[1].text, "left");
    ASSERT_EQ(plan->promoted.size(), 1u);
    EXPECT_EQ(plan->promoted[0].slot, Slot{1});
    expect_full(plan->lifecycle);
}

TEST(Codec, ALifecycleThatMakesNoSenseSpoilsTheWhole) {
    Facts facts = full_facts();
    facts.lifecycle.state = State::pausing;  // Nobody can have agreed on a state that passes.
    EXPECT_FALSE(decode_facts(encode(facts)));
    Plan plan = full_plan();
    plan.lifecycle.pending.back().number += 1;
    EXPECT_FALSE(decode_plan(encode(plan)));
}

TEST(Codec, EveryTruncationOfAPlanIsRefused) {
    const Bytes bytes = encode(full_plan());
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(decode_plan(std::span(bytes).first(size))) << size << " of " << bytes.size() << " bytes";
}

TEST(Codec, APlanWithSomethingBehindItIsRefused) {
    Bytes bytes = encode(full_plan());
    bytes.push_back(std::byte{0});
    EXPECT_FALSE(decode_plan(bytes));
}

TEST(Codec, ATruncationOfFactsIsRefusedOrLosesOnlyPadding) {
    const Bytes bytes = encode(full_facts());
    std::size_t refused = 0;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto facts = decode_facts(std::span(bytes).first(size));
        if (facts)
            EXPECT_EQ(encode(*facts), bytes) << size;
        else
            EXPECT_EQ(refused++, size) << "a shorter prefix was taken";
    }
    EXPECT_GT(refused, 60u);
}

TEST(Codec, NoBytesWhateverBringTheDecodersDown) {
    constexpr int kCases = 200'000;
    for (const auto seed : testing::seeds(1)) {
        SCOPED_TRACE(testing::replay(seed));
        Dice dice(seed);
        const Bytes facts = encode(full_facts()), plan = encode(full_plan());
        for (int i = 0; i < kCases; ++i) {
            // Noise is mostly refused at once: every other case is a true message with a few bytes changed.
            Bytes bytes(dice.below(kFactsSize));
            if (i % 2 == 1) bytes = i % 4 == 1 ? facts : plan;
            const std::size_t changes = i % 2 == 1 ? 1 + dice.below(4) : bytes.size();
            for (std::size_t k = 0; k < changes; ++k)
                bytes[i % 2 == 1 ? dice.below(bytes.size()) : k] =
                    static_cast<std::byte>(dice.one_in(2) ? dice.below(4) : dice.below(256));
            if (const auto decoded = decode_facts(bytes)) {
                ASSERT_LE(4 * decoded->proven_dead.size(), bytes.size());
            }
            if (const auto decoded = decode_plan(bytes)) {
                ASSERT_LE(4 * decoded->world.size(), bytes.size());
            }
        }
    }
}

TEST(Codec, HashesTellBlobsApart) {
    EXPECT_EQ(hash_of({}), 0xcbf29ce484222325ULL);
    const Bytes a{std::byte{'a'}};
    EXPECT_EQ(hash_of(a), 0xaf63dc4c8601ec8cULL) << "FNV-1a of \"a\", as published";
}

}  // namespace
}  // namespace muster::core
