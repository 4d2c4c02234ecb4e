// SPDX-License-Identifier: Apache-2.0
/// Calls, answers, entries and snapshots as bytes: the same comes back, and nonsense is nothing.
#include "core/store_message.hpp"

#include <gtest/gtest.h>

#include "samples.hpp"
#include "store_support.hpp"

namespace muster::core {
namespace {

using namespace testing;

template <class T>
Bytes encoded(const T& what) {
    Writer out;
    put(out, what);
    return out.take();
}

std::vector<StoreCall> sample_calls() {
    std::vector<StoreCall> calls;
    for (auto operation : {set("key", "value"), set("k", ""), add("n", -5), compare_set("k", "old", "new"), erase("k"),
                           get("k"), wait({"a", "bc", "def"}), wait({}), num_keys()})
        calls.push_back({CallId{7}, CallId{6}, Round{9}, 30'000, std::move(operation)});
    return calls;
}

std::vector<StoreAnswer> sample_answers() {
    return {{},
            {.value = value_of(bytes_of("v"))},
            {.value = value_of({}), .done = true},
            {.number = -3},
            {.error = Error{Fault::timed_out, "missing: 'a'"}},
            {.error = Error{Fault::internal, ""}}};
}

std::vector<StoreEntry> sample_entries() {
    std::vector<StoreEntry> entries = {{.round = Round{4}, .number = 1, .change = store::Begin{}}};
    const std::vector<StoreChange> changes = {store::Set{"k", value_of(bytes_of("v"))}, store::Add{"n", 12},
                                              store::CompareSet{"k", bytes_of("v"), value_of(bytes_of("w"))},
                                              store::Erase{"k"}, store::Gone{}};
    for (const auto& change : changes)
        entries.push_back({Round{4}, entries.size() + 1, Rank{3}, CallId{entries.size()}, CallId{1}, change});
    return entries;
}

/// Reads T from all of the bytes and writes it again; nothing where they are none.
std::optional<Bytes> rewritten_call(const Bytes& bytes) {
    Reader in(bytes);
    const auto call = take_store_call(in);
    return call && in.finished() ? std::optional(encoded(*call)) : std::nullopt;
}
std::optional<Bytes> rewritten_answer(const Bytes& bytes) {
    Reader in(bytes);
    const auto answer = take_store_answer(in);
    return answer && in.finished() ? std::optional(encoded(*answer)) : std::nullopt;
}
std::optional<StoreEntry> entry_of(const Bytes& bytes) {
    Reader in(bytes);
    auto entry = take_store_entry(in);
    return in.finished() ? entry : std::nullopt;
}
std::optional<Bytes> rewritten_entry(const Bytes& bytes) {
    const auto entry = entry_of(bytes);
    return entry ? std::optional(encoded(*entry)) : std::nullopt;
}
std::optional<Bytes> rewritten_snapshot(const Bytes& bytes) {
    const auto state = StoreState::from_snapshot({}, bytes);
    return state ? std::optional(state->snapshot()) : std::nullopt;
}

Bytes sample_snapshot() {
    FakeStore at;
    at.complete(4);
    at.call(0, set("a", "1")), at.call(1, add("b", 2)), at.call(2, compare_set("a", "x", "y"));
    at.call(2, add("a", 9)), at.call(3, set("c", "words")), at.call(3, add("c", 1));
    at.settled_of[Rank{1}] = CallId{2};
    at.call(1, erase("none"));
    return at.server.state().snapshot();
}

TEST(StoreMessage, ComesBackAsItWas) {
    for (const auto& call : sample_calls()) EXPECT_EQ(rewritten_call(encoded(call)), encoded(call));
    for (const auto& answer : sample_answers()) EXPECT_EQ(rewritten_answer(encoded(answer)), encoded(answer));
    for (const auto& entry : sample_entries()) EXPECT_EQ(rewritten_entry(encoded(entry)), encoded(entry));
    EXPECT_EQ(rewritten_snapshot(sample_snapshot()), sample_snapshot());

    Bytes bytes = encoded(sample_calls()[3]);
    Reader in(bytes);
    const auto call = take_store_call(in);
    ASSERT_TRUE(call);
    EXPECT_EQ(call->id, CallId{7});
    EXPECT_EQ(call->settled, CallId{6});
    EXPECT_EQ(call->round, Round{9});
    EXPECT_EQ(call->patience_ms, 30'000u);
    const auto& swap = std::get<store::CompareSet>(call->operation);
    EXPECT_EQ(swap.key, "k");
    EXPECT_EQ(swap.expected, bytes_of("old"));
    EXPECT_EQ(text_of(swap.desired), "new");
}

TEST(StoreMessage, NonsenseIsNothing) {
    auto call = sample_calls().front();
    call.settled = CallId{8};
    EXPECT_FALSE(rewritten_call(encoded(call))) << "it would be settled before it was asked for";
    auto entry = sample_entries()[1];
    entry.number = 1;
    EXPECT_FALSE(rewritten_entry(encoded(entry))) << "number 1 begins the round";
    entry = sample_entries()[0];
    entry.number = 2;
    EXPECT_FALSE(rewritten_entry(encoded(entry)));
    entry = sample_entries()[1];
    entry.settled = CallId{99};
    EXPECT_FALSE(rewritten_entry(encoded(entry)));
    entry = sample_entries()[1];
    entry.change = store::Set{"k", nullptr};
    EXPECT_FALSE(rewritten_entry(encoded(entry))) << "a change without a value";
    Bytes answer = encoded(sample_answers().back());
    answer[1] = static_cast<std::byte>(static_cast<int>(Fault::internal) + 1);
    EXPECT_FALSE(rewritten_answer(answer)) << "a fault that is none";
    EXPECT_FALSE(rewritten_call({}));
    EXPECT_FALSE(rewritten_answer({}));
    EXPECT_FALSE(rewritten_snapshot({}));
}

template <class Rewrite>
std::uint32_t spoil(const std::vector<Bytes>& samples, std::uint32_t times, Rewrite rewrite, std::uint64_t seed) {
    Dice dice(seed);
    std::uint32_t sensible = 0;
    for (std::uint32_t i = 0; i < times; ++i) {
        const Bytes bytes = spoiled(samples[dice.below(samples.size())], dice);
        const auto back = rewrite(bytes);
        if (!back) continue;
        ++sensible;
        EXPECT_EQ(*back, bytes) << "input " << i;  // There is one way to write it.
        if (::testing::Test::HasFailure()) break;
    }
    EXPECT_GT(sensible, times / 20) << "turned bits in numbers still make one; that must be tried too";
    EXPECT_LT(sensible, times - times / 20);
    return sensible;
}

TEST(StoreMessage, AMillionSpoiledInputsAreNoneOrExactlyWhatTheySay) {
    std::vector<Bytes> calls, answers, entries;
    for (const auto& call : sample_calls()) calls.push_back(encoded(call));
    for (const auto& answer : sample_answers()) answers.push_back(encoded(answer));
    for (const auto& entry : sample_entries()) entries.push_back(encoded(entry));
    spoil(calls, 300'000, rewritten_call, 1);
    spoil(answers, 300'000, rewritten_answer, 2);
    spoil(entries, 300'000, rewritten_entry, 3);
    spoil({sample_snapshot()}, 100'000, rewritten_snapshot, 4);
}

/// Whatever can be read is folded or refused, and the books are right afterwards.
TEST(StoreMessage, SpoiledEntriesBreakNoFollower) {
    Dice dice(20260101);
    std::vector<Bytes> samples;
    for (const auto& entry : sample_entries()) samples.push_back(encoded(entry));
    std::uint32_t applied = 0;
    StoreState follower({});
    for (std::uint32_t i = 0; i < 200'000; ++i) {
        const Bytes bytes = spoiled(samples[dice.below(samples.size())], dice);
        auto entry = entry_of(bytes);
        if (!entry) continue;
        if (entry->number > 1) entry->number = follower.entries() + dice.below(2), entry->round = follower.round();
        if (entry->number == 1 && i % 50 == 0) entry->round = Round{follower.round().value + 1};
        if (!follower.apply(*entry) || ++applied % 64 != 0) continue;
        const auto copy = StoreState::from_snapshot({}, follower.snapshot());
        ASSERT_TRUE(copy) << "input " << i;
        ASSERT_EQ(copy->bytes(), follower.bytes()) << "input " << i;
    }
    EXPECT_GT(applied, 2'000u);
}

TEST(StoreMessage, SpoiledCallsAreAnsweredOnceOrWait) {
    Dice dice(7);
    std::vector<Bytes> samples;
    for (const auto& call : sample_calls()) samples.push_back(encoded(call));
    FakeStore at;
    at.complete(9);
    std::uint32_t served = 0;
    for (std::uint32_t i = 0; i < 50'000; ++i) {
        const Bytes bytes = spoiled(samples[dice.below(samples.size())], dice);
        Reader in(bytes);
        auto call = take_store_call(in);
        if (!call || !in.finished()) continue;
        call->id = CallId{i + 10'000};  // A new one each time.
        call->settled = std::min(call->settled, call->id);
        const auto open = at.server.open_calls(), answered = at.answers.size();
        at.carry_out(at.server.call(Rank{dice.below(5)}, *call, at.now += dice.below(3)));
        ASSERT_GE(at.server.open_calls() + at.answers.size(), open + answered + 1) << "input " << i;
        ++served;
    }
    EXPECT_GT(served, 2'500u);
    const auto open = at.server.open_calls(), answered = at.answers.size();
    at.carry_out(at.server.tick(~std::uint64_t{0}));
    EXPECT_EQ(at.server.open_calls(), 0u);
    EXPECT_EQ(at.answers.size(), answered + open);
}

}  // namespace
}  // namespace muster::core
