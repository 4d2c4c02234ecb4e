// SPDX-License-Identifier: Apache-2.0
/// Rounds, deadlines and members: what is fenced, what waits, what ends when.
#include <gtest/gtest.h>

#include "store_support.hpp"

namespace muster::core {
namespace {

using namespace testing;

TEST(StoreRounds, AnOlderRoundsKeysAreRefusedByName) {
    FakeStore at;
    at.complete(3);
    EXPECT_EQ(at.now_says(0, set("nccl", "old id")), "ok");
    at.complete(4);
    EXPECT_EQ(at.now_says(1, num_keys()), "ok") << "a round begins with an empty store";
    const std::string is = " of round 3, the job is in round 4";
    const auto says = [&](StoreOperation operation) {
        return at.answer(at.call_of(Round{3}, 1, std::move(operation)));
    };
    EXPECT_EQ(says(get("nccl")), "refused: key 'nccl' is" + is);
    EXPECT_EQ(says(set("x", "1")), "refused: key 'x' is" + is);
    EXPECT_EQ(says(add("x", 1)), "refused: key 'x' is" + is);
    EXPECT_EQ(says(compare_set("x", "", "1")), "refused: key 'x' is" + is);
    EXPECT_EQ(says(erase("x")), "refused: key 'x' is" + is);
    EXPECT_EQ(says(wait({"b", "a"})), "refused: keys 'a', 'b' are" + is);
    EXPECT_EQ(says(num_keys()), "refused: the store is" + is);
    EXPECT_EQ(says(wait({})), "refused: the store is" + is);
    EXPECT_EQ(at.now_says(1, num_keys()), "ok") << "nothing has changed";
}

TEST(StoreRounds, WhatWasDoneInAnOlderRoundIsNotAnsweredFromMemory) {
    FakeStore at;
    at.complete(3);
    const auto taken = at.call(0, compare_set("leader", "", "rank 0"));
    EXPECT_EQ(at.answer(taken), "done rank 0");
    at.complete(4);
    at.again(taken, Round{3}, compare_set("leader", "", "rank 0"));
    EXPECT_EQ(at.answer(taken), "done rank 0 | refused: key 'leader' is of round 3, the job is in round 4");
}

TEST(StoreRounds, OpenWaitsEndWhenTheNextRoundIsComplete) {
    FakeStore at;
    at.complete(3);
    const auto one = at.call(1, get("x")), both = at.call(2, wait({"x", "y"}));
    at.complete(4);
    EXPECT_EQ(at.answer(one), "refused: key 'x' is of round 3, the job is in round 4");
    EXPECT_EQ(at.answer(both), "refused: keys 'x', 'y' are of round 3, the job is in round 4");
    EXPECT_EQ(at.server.open_calls(), 0u);
    at.call(0, set("x", "new"));
    EXPECT_EQ(at.answers.size(), 3u) << "nobody is answered twice";
}

TEST(StoreRounds, ARoundThatIsNotCompleteKeepsItsCallsInOrder) {
    FakeStore at;
    at.complete(3);
    at.call(0, set("x", "old"));
    const auto got = at.call_of(Round{4}, 1, get("x"));
    const auto put = at.call_of(Round{4}, 2, set("x", "new"));
    const auto sum = at.call_of(Round{4}, 1, add("n", 2)), more = at.call_of(Round{4}, 2, add("n", 3));
    const auto keys = at.call_of(Round{4}, 3, num_keys());
    const auto later = at.call_of(Round{5}, 3, get("x"));
    for (const auto& call : {got, put, sum, more, keys, later}) EXPECT_EQ(at.answer(call), "");
    at.complete(4);
    EXPECT_EQ(at.answer(got), "ok new");
    EXPECT_EQ(at.answer(put), "ok");
    EXPECT_EQ(at.answer(sum), "ok 2");
    EXPECT_EQ(at.answer(more), "ok 5");
    EXPECT_EQ(at.answer(keys), "ok 2");
    EXPECT_EQ(at.answer(later), "");
    at.complete(5);
    EXPECT_EQ(at.answer(later), "") << "round 5 has no x yet";
    at.call(0, set("x", "newest"));
    EXPECT_EQ(at.answer(later), "ok newest");
}

TEST(StoreRounds, ARoundThatIsPassedOverRefusesWhatWaitedForIt) {
    FakeStore at;
    at.complete(3);
    const auto waiting = at.call_of(Round{4}, 1, set("x", "1"));
    at.complete(5);
    EXPECT_EQ(at.answer(waiting), "refused: key 'x' is of round 4, the job is in round 5");
}

TEST(StoreRounds, NothingIsServedBeforeTheFirstRound) {
    FakeStore at;
    const auto waiting = at.call_of(Round{1}, 1, set("x", "1"));
    EXPECT_EQ(at.answer(waiting), "");
    at.complete(1);
    EXPECT_EQ(at.answer(waiting), "ok");
}

TEST(StoreRounds, TheSameRoundAgainGoesOnWithWhatWasFolded) {
    FakeStore at;
    at.complete(3);
    at.call(0, set("x", "kept"));
    const auto waiting = at.call(1, get("y")), lost = at.call(3, get("y"));
    FakeStore successor;
    successor.server = StoreServer(successor.settings, at.follower);
    successor.follower = at.follower;
    const auto asked = successor.call_of(Round{3}, 2, get("x"));
    EXPECT_EQ(successor.answer(asked), "") << "it does not serve yet";
    successor.complete(3);
    EXPECT_EQ(successor.answer(asked), "ok kept");
    at.complete(3, 3);  // A coordinator that is told its own round once more, without rank 3.
    at.call(0, set("y", "1"));
    EXPECT_EQ(at.answer(waiting), "ok 1");
    EXPECT_EQ(at.answer(lost), "");
    EXPECT_EQ(at.now_says(1, get("x")), "ok kept");
}

TEST(StoreRounds, EveryWaitEndsByItsDeadlineAndNamesWhatWasMissing) {
    FakeStore at;
    at.complete(4);
    at.call(0, set("b", "1"));
    const auto one = at.call(1, get("a"), 500), three = at.call(2, wait({"c", "b", "a"}), 700);
    EXPECT_EQ(at.server.next_deadline_ms(), at.now + 500);
    at.tick(499);
    EXPECT_EQ(at.answer(one), "");
    at.tick(1);
    EXPECT_EQ(at.answer(one), "timed_out: no answer within 500 ms: missing in round 4: 'a'");
    at.call(0, erase("b"));
    at.tick(200);
    EXPECT_EQ(at.answer(three), "timed_out: no answer within 700 ms: missing in round 4: 'a', 'b', 'c'");
    EXPECT_FALSE(at.server.next_deadline_ms());
    EXPECT_EQ(at.now_says(1, get("z"), 0), "timed_out: no answer within 0 ms: missing in round 4: 'z'");
    EXPECT_EQ(at.server.open_bytes(), 0u);
}

TEST(StoreRounds, ADeadlineComesBeforeTheChangeThatIsLate) {
    FakeStore at;
    at.complete(4);
    const auto waiting = at.call(1, get("a"), 500);
    at.now += 500;
    at.call(0, set("a", "late"));
    EXPECT_EQ(at.answer(waiting), "timed_out: no answer within 500 ms: missing in round 4: 'a'");
}

TEST(StoreRounds, DeadlinesHoldForARoundThatNeverComes) {
    FakeStore at;
    at.complete(4);
    const auto got = at.call_of(Round{5}, 1, get("a"), 300), put = at.call_of(Round{5}, 2, set("a", "1"), 300);
    const auto keys = at.call_of(Round{5}, 3, num_keys(), 300);
    at.tick(300);
    const std::string late = "timed_out: no answer within 300 ms: round 5 is not complete";
    EXPECT_EQ(at.answer(got), late + "; missing: 'a'");
    EXPECT_EQ(at.answer(put), late + "; nothing was done to 'a'");
    EXPECT_EQ(at.answer(keys), late);
    at.complete(5);
    EXPECT_EQ(at.now_says(1, num_keys()), "ok") << "it was not set after all";
}

TEST(StoreRounds, AnEndlessDeadlineDoesNotWrapAround) {
    FakeStore at;
    at.complete(1);
    const auto waiting = at.call(1, get("a"), ~std::uint64_t{0});
    at.tick(1'000'000'000);
    EXPECT_EQ(at.answer(waiting), "");
}

TEST(StoreRounds, AClockThatGoesBackEndsNothingAndStartsNothing) {
    FakeStore at;
    at.complete(1);
    at.now = 5'000;
    at.tick(0);
    at.now = 100;
    const auto waiting = at.call(1, get("a"), 500);
    EXPECT_EQ(at.server.next_deadline_ms(), 5'500u);
    EXPECT_EQ(at.answer(waiting), "");
}

TEST(StoreRounds, LongListsAreCutAndCounted) {
    FakeStore at;
    at.complete(1);
    std::vector<std::string> keys;
    for (char c = 'a'; c <= 't'; ++c) keys.emplace_back(1, c);
    const std::string text = at.now_says(0, wait(keys), 0);
    EXPECT_NE(text.find("'o', 'p' and 4 more"), std::string::npos) << text;
}

TEST(StoreRounds, OnlyMembersAreServed) {
    FakeStore at;
    at.complete(4, 3);
    EXPECT_EQ(at.now_says(3, set("x", "1")), "refused: rank 3 is no member of round 4");
    EXPECT_EQ(at.now_says(3, get("x")), "refused: rank 3 is no member of round 4");
    const auto early = at.call_of(Round{6}, 3, set("x", "1"));
    at.complete(5, 3);
    EXPECT_EQ(at.answer(early), "") << "it may be a member of round 6";
    at.complete(6, 4);
    EXPECT_EQ(at.answer(early), "ok");
}

TEST(StoreRounds, WhoIsGoneGetsNoAnswerAndTakesNoRoom) {
    FakeStore at;
    at.complete(4);
    const auto gone = at.call(2, get("x")), gone_too = at.call_of(Round{5}, 2, get("x"));
    const auto stays = at.call(1, get("x"));
    at.call(2, set("y", "1"));
    at.gone(2);
    EXPECT_EQ(at.server.open_calls(), 1u);
    EXPECT_EQ(at.server.state().unsettled(Rank{2}, CallId{}), 0u);
    at.call(0, set("x", "1"));
    EXPECT_EQ(at.answer(stays), "ok 1");
    EXPECT_EQ(at.now_says(2, get("x")), "refused: rank 2 is no member of round 4");
    const auto dead = at.call(3, get("z")), dead_too = at.call_of(Round{5}, 3, get("z"));
    at.complete(5, 3);
    for (const auto& call : {gone, gone_too, dead, dead_too}) EXPECT_EQ(at.answer(call), "");
    EXPECT_EQ(at.server.open_calls(), 0u);
    EXPECT_EQ(at.server.open_bytes(), 0u);
}

TEST(StoreRounds, ARoundThatGoesBackIsABug) {
    FakeStore at;
    at.complete(4);
    EXPECT_DEATH((void)at.server.complete(Round{3}, ranks_up_to(4)), "internal error");
}

}  // namespace
}  // namespace muster::core
