// SPDX-License-Identifier: Apache-2.0
// R17: who is told what, and when.
#include "core/long_poll.hpp"

#include <gtest/gtest.h>

namespace muster::core {

namespace {

Value text(const std::string& value) {
    const auto bytes = std::as_bytes(std::span(value));
    return value_of(Bytes(bytes.begin(), bytes.end()));
}

std::vector<std::string> keys_of(const LongPollAnswer& answer) {
    std::vector<std::string> keys;
    for (const auto& [key, snapshot] : answer.changed) keys.push_back(key);
    return keys;
}

using Keys = std::vector<std::string>;

/// A board with "a" and "b", open.
class Board : public ::testing::Test {
protected:
    Board() {
        static_cast<void>(poll.publish({{"a", text("1")}, {"b", text("1")}}));
        static_cast<void>(poll.open());
    }
    LongPollAnswers listen(std::uint64_t who, std::map<std::string, SnapshotId> keys,
                           std::optional<std::uint64_t> until_ms = {}) {
        return poll.listen(ListenerId{who}, {std::move(keys), until_ms});
    }
    [[nodiscard]] SnapshotId now(const std::string& key) const { return *poll.id_of(key); }
    LongPoll poll{1};
};

}  // namespace

TEST_F(Board, R17_AnythingOutdatedIsAnsweredAtOnce) {
    const auto first = listen(1, {{"a", kNeverSeen}, {"b", now("b")}});
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(keys_of(first[0]), Keys{"a"});
    EXPECT_EQ(first[0].changed.at("a").id, now("a"));
    EXPECT_EQ(poll.waiting(), 0U);
    EXPECT_EQ(keys_of(listen(1, {{"a", 0}, {"b", 0}})[0]), (Keys{"a", "b"}));
}

TEST_F(Board, R17_AllCurrentWaitsForTheFirstChange) {
    EXPECT_TRUE(listen(1, {{"a", now("a")}, {"b", now("b")}}).empty());
    EXPECT_TRUE(listen(2, {{"b", now("b")}}).empty());
    const auto before = now("a");
    const auto woken = poll.publish({{"a", text("2")}});
    ASSERT_EQ(woken.size(), 1U);
    EXPECT_EQ(woken[0].listener, ListenerId{1});
    EXPECT_EQ(keys_of(woken[0]), Keys{"a"});  // Per key, not the whole board.
    EXPECT_EQ(woken[0].changed.at("a").id, before + 1);
    EXPECT_EQ(*woken[0].changed.at("a").value, *text("2"));
    EXPECT_EQ(poll.waiting(), 1U);
}

TEST_F(Board, R17_AllKeysThatChangeTogetherAreOneAnswer) {
    static_cast<void>(listen(1, {{"a", now("a")}, {"b", now("b")}}));
    const auto woken = poll.publish({{"a", text("2")}, {"b", text("2")}});
    ASSERT_EQ(woken.size(), 1U);
    EXPECT_EQ(keys_of(woken[0]), (Keys{"a", "b"}));
}

TEST_F(Board, R17_UnknownKeysAreIgnored) {
    EXPECT_TRUE(listen(1, {{"a", now("a")}, {"nobody", -1}, {"nothing", 3}}).empty());
    EXPECT_EQ(keys_of(listen(2, {{"a", -1}, {"nobody", -1}})[0]), Keys{"a"});
    const auto woken = poll.publish({{"nobody", text("1")}});  // Until somebody publishes them.
    ASSERT_EQ(woken.size(), 1U);
    EXPECT_EQ(keys_of(woken[0]), Keys{"nobody"});
}

TEST_F(Board, R17_ADeletionWakesWaitersAndIsToldToThoseWhoCameLater) {
    const auto known = now("a");
    static_cast<void>(listen(1, {{"a", known}}));
    const auto woken = poll.publish({{"a", nullptr}});
    ASSERT_EQ(woken.size(), 1U);
    EXPECT_EQ(woken[0].changed.at("a").id, kNeverSeen);
    EXPECT_EQ(woken[0].changed.at("a").value, nullptr);
    const auto later = listen(2, {{"a", known}});  // It has seen it and not yet heard that it is gone.
    ASSERT_EQ(later.size(), 1U);
    EXPECT_EQ(later[0].changed.at("a").value, nullptr);
    EXPECT_TRUE(listen(1, {{"a", kNeverSeen}}).empty());
    EXPECT_EQ(poll.publish({{"a", text("3")}}).size(), 1U);
}

TEST_F(Board, R17_AKeyThatComesBackLooksChanged) {
    const auto known = now("a");
    static_cast<void>(poll.publish({{"a", nullptr}}));
    static_cast<void>(poll.publish({{"a", text("1")}}));
    EXPECT_NE(now("a"), known);
    EXPECT_EQ(listen(1, {{"a", known}}).size(), 1U);
}

TEST_F(Board, R17_ToWhoComesFromAnotherIncarnationEverythingHasChanged) {
    for (std::uint64_t seed = 2; seed < 200; ++seed) {
        LongPoll next(seed);
        static_cast<void>(next.publish({{"a", text("1")}, {"b", text("1")}}));
        static_cast<void>(next.open());
        const auto told = next.listen(ListenerId{1}, {{{"a", now("a")}, {"b", now("b")}}, {}});
        ASSERT_EQ(told.size(), 1U);
        ASSERT_EQ(keys_of(told[0]), (Keys{"a", "b"}));
        ASSERT_GE(*next.id_of("a"), kIdMin);
        ASSERT_LT(*next.id_of("a"), SnapshotId{1} << 53);
    }
}

TEST(LongPoll, NobodyIsToldAnythingBeforeTheBoardIsWhole) {
    LongPoll poll(3);
    EXPECT_TRUE(poll.listen(ListenerId{1}, {{{"a", 5}, {"b", kIdMin + 7}}, {}}).empty());
    EXPECT_TRUE(poll.publish({{"a", text("1")}}).empty());  // "b" is not there yet, and is not gone either.
    EXPECT_TRUE(poll.publish({{"b", text("1")}}).empty());
    const auto told = poll.open();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(keys_of(told[0]), (Keys{"a", "b"}));
    EXPECT_NE(told[0].changed.at("b").value, nullptr);
}

TEST_F(Board, ARequestHasItsTime) {
    static_cast<void>(listen(1, {{"a", now("a")}}, 100));
    static_cast<void>(listen(2, {{"a", now("a")}}));
    EXPECT_TRUE(poll.tick(99).empty());
    const auto over = poll.tick(100);
    ASSERT_EQ(over.size(), 1U);
    EXPECT_EQ(over[0].listener, ListenerId{1});
    EXPECT_TRUE(over[0].changed.empty());
    EXPECT_TRUE(poll.tick(1'000'000).empty());
    EXPECT_EQ(poll.publish({{"a", text("2")}}).size(), 1U);
}

TEST_F(Board, WhoListensAgainReplacesItsCallAndWhoIsGoneIsForgotten) {
    static_cast<void>(listen(1, {{"a", now("a")}}, 50));
    static_cast<void>(listen(1, {{"b", now("b")}}));
    EXPECT_TRUE(poll.publish({{"a", text("2")}}).empty());
    EXPECT_TRUE(poll.tick(1'000).empty());
    poll.forget(ListenerId{1});
    EXPECT_TRUE(poll.publish({{"b", text("2")}}).empty());
    EXPECT_EQ(poll.waiting(), 0U);
}

/// 10,000 clients, a key each and one in common: a change costs its own listeners and nobody else's.
TEST_F(Board, TenThousandWaitersCostWhatTheirKeyCosts) {
    constexpr std::uint64_t clients = 10'000;
    std::vector<LongPoll::Change> own;
    for (std::uint64_t i = 0; i < clients; ++i) own.emplace_back("k" + std::to_string(i), text("1"));
    static_cast<void>(poll.publish(own));
    for (std::uint64_t i = 0; i < clients; ++i) {
        const auto key = "k" + std::to_string(i);
        ASSERT_TRUE(listen(i + 1, {{key, now(key)}, {"a", now("a")}}).empty());
    }
    const auto before = poll.work();
    EXPECT_EQ(poll.publish({{"k77", text("2")}}).size(), 1U);
    EXPECT_EQ(poll.work() - before, 1U);
    EXPECT_TRUE(poll.publish({{"b", text("2")}}).empty());
    EXPECT_EQ(poll.work() - before, 1U);
    const auto all = poll.publish({{"a", text("2")}});
    EXPECT_EQ(all.size(), clients - 1);
    EXPECT_EQ(poll.work() - before, clients);
    EXPECT_EQ(all.front().changed.at("a").value.get(), all.back().changed.at("a").value.get());  // One value for all.
}

}  // namespace muster::core
