// SPDX-License-Identifier: Apache-2.0
/// The file store of one round: empty at first, closed to other rounds, each wait with an end that says what was
/// missing.
#include <future>

#include "meet/support.hpp"

namespace muster::meet::testing {
namespace {

using namespace std::chrono_literals;

class RoundStores : public persist::testing::Directory {
protected:
    [[nodiscard]] RoundStorePlace place(std::uint32_t round, std::int64_t owner = 7) const {
        return {.directory = path,
                .prefix = "muster.rendezvous.job." + std::to_string(round),
                .round = Round{round},
                .owner = {"a", owner, 0},
                .poll = 1ms};
    }
};

TEST_F(RoundStores, T28_KeysLieUnderTheRoundsPrefix) {
    RoundStore store(place(3));
    ASSERT_TRUE(store.open());
    ASSERT_TRUE(store.set("x", std::string("a\0b", 3), 1s));
    EXPECT_EQ(*store.get("x", 1s), std::string("a\0b", 3));
    EXPECT_EQ(store.contents()->size(), 1u);
    EXPECT_TRUE(files().contains("muster-muster%2Erendezvous%2Ejob%2E3.state"));
    EXPECT_EQ(*RoundStore(place(4)).look("x"), std::nullopt) << "another round's";
    ASSERT_TRUE(store.open());
    EXPECT_TRUE(store.contents()->empty()) << "empty at first, whatever lies there";
}

TEST_F(RoundStores, T30_NobodyReadsOrWritesBeforeRankZeroHasOpened) {
    RoundStore store(place(0)), other(place(0));
    EXPECT_EQ(*other.try_set("x", "1"), false);
    const auto late = other.set("x", "1", 20ms);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().text, "setting key 'x': rank 0 of round 0, 'a_7_0', did not open its store within 20 ms");
    auto waits = std::async(std::launch::async, [&] { return other.set("x", "1", 10s); });
    ASSERT_TRUE(store.open());
    EXPECT_TRUE(waits.get());
    EXPECT_EQ(*store.get("x", 1s), "1");
}

TEST_F(RoundStores, WhatAnEarlierLifeHasLeftIsNotThisRounds) {
    RoundStore before(place(0, 7));
    ASSERT_TRUE(before.open());
    ASSERT_TRUE(before.set("bootstrap", "old", 1s));
    RoundStore now(place(0, 8)), reader(place(0, 8));
    EXPECT_EQ(*reader.look("bootstrap"), std::nullopt);
    EXPECT_EQ(*reader.try_set("x", "1"), false);
    ASSERT_TRUE(now.open());
    EXPECT_TRUE(reader.contents()->empty());
    EXPECT_EQ(*before.try_set("x", "1"), false);
}

TEST_F(RoundStores, AWaitEndsAndNamesKeyAndRound) {
    RoundStore store(place(2));
    ASSERT_TRUE(store.open());
    const auto got = store.get("bootstrap", 20ms);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().fault, Fault::timed_out);
    EXPECT_EQ(got.error().text, "key 'bootstrap' of round 2 was not there within 20 ms");
}

TEST_F(RoundStores, ManyWritersLoseNothing) {
    RoundStore store(place(0));
    ASSERT_TRUE(store.open());
    std::vector<std::future<bool>> writers;
    for (int who = 0; who < 8; ++who)
        writers.push_back(std::async(std::launch::async, [this, who] {
            RoundStore mine(place(0));
            for (int i = 0; i < 10; ++i)
                if (!mine.set(std::to_string(who) + "." + std::to_string(i), "v", 10s)) return false;
            return true;
        }));
    for (auto& writer : writers) EXPECT_TRUE(writer.get());
    EXPECT_EQ(store.contents()->size(), 80u);
}

TEST_F(RoundStores, AnOldRoundsStoreIsGoneForGood) {
    RoundStore store(place(0)), other(place(0));
    ASSERT_TRUE(store.open());
    store.discard();
    EXPECT_EQ(*other.try_set("x", "1"), false);
    EXPECT_TRUE(files().empty());
}

TEST_F(RoundStores, NonsenseIsNamed) {
    persist::FileBackend file({.directory = path, .run_id = "muster.rendezvous.job.0"});
    ASSERT_TRUE(std::holds_alternative<std::optional<persist::Written>>(
        file.set(persist::testing::bytes_of("no store"), std::nullopt)));
    const auto got = RoundStore(place(0)).look("x");
    ASSERT_FALSE(got);
    EXPECT_NE(got.error().text.find("is no store that this muster reads"), std::string::npos) << got.error().text;
}

}  // namespace
}  // namespace muster::meet::testing
