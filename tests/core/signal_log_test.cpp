// SPDX-License-Identifier: Apache-2.0
#include "core/signal_log.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace muster::core {
namespace {

using testing::Dice;

SignalEntry entry(std::uint64_t number, Signal signal, std::uint32_t origin = 9, std::uint64_t operation = 0) {
    return {number, signal, Rank{origin}, OperationId{operation == 0 ? number : operation}};
}

std::vector<std::uint64_t> numbers(const LifecycleFacts& facts) {
    std::vector<std::uint64_t> list;
    for (const auto& one : facts.pending) list.push_back(one.number);
    return list;
}

std::optional<LifecycleFacts> through_bytes(const LifecycleFacts& facts) {
    Writer out;
    put(out, facts);
    const Bytes bytes = out.take();
    EXPECT_LE(bytes.size(), kLifecycleFactsSize);
    Reader in(bytes);
    auto back = take_lifecycle(in);
    EXPECT_TRUE(!back || in.finished());
    return back;
}

TEST(SignalLog, TakesTheNextNumberOnly) {
    SignalLog log;
    EXPECT_TRUE(log.append(entry(1, Signal::pause)));
    EXPECT_FALSE(log.append(entry(1, Signal::pause)));
    EXPECT_FALSE(log.append(entry(3, Signal::unpause)));
    EXPECT_TRUE(log.append(entry(2, Signal::unpause)));
    EXPECT_EQ(log.last(), 2u);
}

TEST(SignalLog, TheStateIsAFoldOfWhatWasCrossed) {
    SignalLog log;
    const Signal signals[] = {Signal::pause, Signal::suspend, Signal::resume, Signal::unpause,
                              Signal::pause, Signal::stop,    Signal::start};
    const State states[] = {State::paused, State::suspended, State::paused, State::running,
                            State::paused, State::stopped,   State::running};
    std::uint64_t number = 0;
    for (const Signal signal : signals) ASSERT_TRUE(log.append(entry(++number, signal)));
    EXPECT_EQ(log.facts().state, State::running);
    EXPECT_EQ(wanted_state(log.facts()), State::running);
    for (std::uint64_t n = 1; n <= number; ++n) {
        log.crossed(n);
        EXPECT_EQ(log.facts().state, states[n - 1]) << n;
        EXPECT_EQ(wanted_state(log.facts()), State::running);
    }
    log.crossed(2);  // Only ever forwards, and never beyond what it knows.
    log.crossed(99);
    EXPECT_EQ(log.facts().crossed, number);
    EXPECT_EQ(log.last(), number);
}

TEST(SignalLog, HoldsSixteenPending) {
    SignalLog log;
    for (std::uint64_t n = 1; n <= kPendingMax; ++n)
        ASSERT_TRUE(log.append(entry(n, n % 2 ? Signal::pause : Signal::unpause)));
    EXPECT_FALSE(log.append(entry(kPendingMax + 1, Signal::pause)));
    ASSERT_TRUE(through_bytes(log.facts()));
    log.crossed(1);
    EXPECT_TRUE(log.append(entry(kPendingMax + 1, Signal::pause)));
}

TEST(SignalLog, FindsAnOperationsLastSignal) {
    SignalLog log;
    ASSERT_TRUE(log.append(entry(1, Signal::pause, 9, 4)));
    ASSERT_TRUE(log.append(entry(2, Signal::stop, 9, 4)));
    ASSERT_TRUE(log.append(entry(3, Signal::start, 8, 4)));
    EXPECT_EQ(log.number_of(Rank{9}, OperationId{4}), 2u);
    EXPECT_EQ(log.number_of(Rank{8}, OperationId{4}), 3u);
    EXPECT_FALSE(log.number_of(Rank{9}, OperationId{5}));
    log.crossed(3);
    EXPECT_EQ(log.number_of(Rank{9}, OperationId{4}), 2u) << "crossed ones are remembered";
    EXPECT_EQ(log.entry_of(Rank{9}, OperationId{4})->signal, Signal::stop);
    EXPECT_TRUE(log.judged(Rank{9}, OperationId{3})) << "a later one of this client is in the log";
    EXPECT_FALSE(log.judged(Rank{9}, OperationId{4}));
    EXPECT_FALSE(log.judged(Rank{7}, OperationId{1}));
}

TEST(SignalLog, AgreementTakesTheMostCrossedAndTheLongestList) {
    SignalLog ahead, behind, coordinator;
    for (SignalLog* log : {&ahead, &behind, &coordinator}) {
        ASSERT_TRUE(log->append(entry(1, Signal::pause)));
        ASSERT_TRUE(log->append(entry(2, Signal::suspend)));
    }
    ASSERT_TRUE(coordinator.append(entry(3, Signal::resume)));
    ahead.crossed(2);
    coordinator.crossed(1);
    const auto agreed = agree_on_lifecycle({behind.facts(), ahead.facts(), coordinator.facts()});
    EXPECT_EQ(agreed.crossed, 2u);
    EXPECT_EQ(agreed.state, State::suspended);
    EXPECT_EQ(numbers(agreed), (std::vector<std::uint64_t>{3}));
    EXPECT_EQ(wanted_state(agreed), State::paused);
    EXPECT_EQ(agree_on_lifecycle({}).state, State::running);
}

TEST(SignalLog, WhatOnlyThisMemberHadCrossedIsPendingAgain) {
    SignalLog log;
    ASSERT_TRUE(log.append(entry(1, Signal::pause)));
    const LifecycleFacts before = log.facts();
    log.crossed(1);
    log.adopt(before);
    EXPECT_EQ(log.facts().state, State::running);
    EXPECT_EQ(numbers(log.facts()), (std::vector<std::uint64_t>{1}));
    EXPECT_EQ(log.number_of(Rank{9}, OperationId{1}), 1u);
}

/// Each member knows a beginning of one list and has crossed some of it.
TEST(SignalLog, WhateverTheMembersKnowTheyAgreeOnOneContinuation) {
    for (const auto seed : testing::seeds(2'000)) {
        SCOPED_TRACE(testing::replay(seed));
        Dice dice(seed);
        std::vector<SignalEntry> all;
        const std::uint64_t before = dice.below(5), count = 1 + dice.below(kPendingMax);
        for (std::uint64_t n = 1; n <= before + count; ++n)
            all.push_back(entry(n, n % 2 ? Signal::pause : Signal::unpause));
        std::vector<LifecycleFacts> facts;
        std::uint64_t most = 0, longest = 0;
        for (auto members = dice.between(1, 6); members > 0; --members) {
            SignalLog log;
            const std::uint64_t knows = before + dice.below(count + 1);
            for (std::uint64_t n = 1; n <= knows; ++n) {
                ASSERT_TRUE(log.append(all[n - 1]));
                if (n <= before) log.crossed(n);
            }
            log.crossed(before + dice.below(knows - before + 1));
            most = std::max(most, log.facts().crossed);
            longest = std::max(longest, log.last());
            facts.push_back(*through_bytes(log.facts()));
        }
        const auto agreed = agree_on_lifecycle(facts);
        EXPECT_EQ(agreed.crossed, most);
        EXPECT_EQ(agreed.crossed + agreed.pending.size(), longest);
        EXPECT_EQ(agreed.state, most % 2 ? State::paused : State::running);
        EXPECT_EQ(wanted_state(agreed), longest % 2 ? State::paused : State::running);
        EXPECT_TRUE(through_bytes(agreed));
    }
}

TEST(SignalLog, WhoNeverHeardOfASignalThatWasCrossedLearnsOfIt) {
    SignalLog told, untold;
    for (const auto& one : {entry(1, Signal::pause, 7, 1), entry(2, Signal::suspend, 7, 2)})
        ASSERT_TRUE(told.append(one));
    ASSERT_TRUE(untold.append(entry(1, Signal::pause, 7, 1)));
    told.crossed(2);
    const auto agreed = agree_on_lifecycle({untold.facts(), told.facts()});
    untold.adopt(*through_bytes(agreed));
    EXPECT_EQ(untold.facts().state, State::suspended);
    ASSERT_TRUE(untold.entry_of(Rank{7}, OperationId{2}));
    EXPECT_EQ(untold.entry_of(Rank{7}, OperationId{2})->number, 2u);
    EXPECT_TRUE(untold.judged(Rank{7}, OperationId{1}));
}

TEST(SignalLog, MemoryOfWhatWasCrossedIsBounded) {
    SignalLog log;
    for (std::uint64_t n = 1; n <= 3 * kRecentMax; ++n) {
        ASSERT_TRUE(log.append(entry(n, n % 2 == 1 ? Signal::pause : Signal::unpause)));
        log.crossed(n);
        ASSERT_TRUE(through_bytes(log.facts()));
    }
    EXPECT_EQ(log.facts().recent.size(), kRecentMax);
    EXPECT_EQ(log.facts().recent.back().number, 3 * kRecentMax);
}

TEST(SignalLog, FactsThatMakeNoSenseAreNone) {
    LifecycleFacts facts{4, State::paused, {entry(5, Signal::unpause), entry(6, Signal::pause)}};
    ASSERT_TRUE(through_bytes(facts));
    EXPECT_EQ(through_bytes(facts)->pending[1].operation, OperationId{6});
    facts.pending[1].number = 7;
    EXPECT_FALSE(through_bytes(facts));
    facts.pending.pop_back();
    facts.state = State::pausing;
    EXPECT_FALSE(through_bytes(facts));
    facts.state = State::paused;
    facts.pending[0].signal = static_cast<Signal>(kSignals);
    EXPECT_FALSE(through_bytes(facts));
    facts.pending[0].signal = Signal::unpause;
    facts.recent = {entry(3, Signal::pause)};
    EXPECT_FALSE(through_bytes(facts)) << "a gap between what was crossed and what is pending";
    facts.recent = {entry(4, Signal::pause)};
    EXPECT_TRUE(through_bytes(facts));
    facts.pending.clear();
    for (std::uint64_t n = 5; n < 5 + kPendingMax + 1; ++n) facts.pending.push_back(entry(n, Signal::pause));
    Writer out;
    put(out, facts);
    const Bytes bytes = out.take();
    Reader in(bytes);
    EXPECT_FALSE(take_lifecycle(in));
}

}  // namespace
}  // namespace muster::core
