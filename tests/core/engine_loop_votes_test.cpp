// SPDX-License-Identifier: Apache-2.0
// When a loop votes: every turn or not, blocking, overlapped or not at all; drift; and what a new round finds.
#include "loop_driver.hpp"

namespace muster::core::testing {
namespace {

TEST(EngineLoop, BetweenTwoVotesTheLastDecisionHolds) {
    Driver engine({.every = 3});
    engine.peers.all_pause = false;
    engine.work = 1;
    std::vector<Order::Kind> turns;
    for (int turn = 0; turn < 7; ++turn) {
        engine.work = turn % 2 == 0 ? 1 : 0;
        turns.push_back(engine.next().kind);
    }
    using enum Order::Kind;
    EXPECT_EQ(turns, (std::vector{forward, dummy_forward, forward, rest, forward, dummy_forward, forward}))
        << "votes in the turns 1, 4 and 5: after idle the next turn votes";
    EXPECT_EQ(engine.votes.size(), 3U);
}

TEST(EngineLoop, APauseWaitsForTheNextVote) {
    Driver engine({.every = 4});
    engine.work = 1;
    EXPECT_EQ(engine.next(Signal::pause).kind, Order::rest) << "the first turn votes";
    engine.peers.all_pause = false;
    EXPECT_EQ(engine.next(Signal::unpause).kind, Order::forward) << "and so does the first after a barrier";
    engine.peers.all_pause = true;
    EXPECT_EQ(engine.next(Signal::pause).kind, Order::forward);
    EXPECT_EQ(engine.next().kind, Order::forward);
    EXPECT_EQ(engine.next().kind, Order::forward);
    EXPECT_EQ(engine.next().kind, Order::rest);
    EXPECT_EQ(engine.loop.lifecycle().state(), State::paused);
}

TEST(EngineLoop, WithoutConsensusEachEngineDecidesForItself) {
    Driver engine(kOff);
    engine.peers.work = 9;
    engine.work = 1;
    EXPECT_EQ(engine.next().kind, Order::forward);
    engine.work = 0;
    EXPECT_EQ(engine.next().kind, Order::rest);
    engine.work = 1;
    EXPECT_EQ(engine.next(Signal::pause).kind, Order::rest) << "a pause goes straight to the barrier";
    EXPECT_EQ(engine.loop.lifecycle().state(), State::paused);
    EXPECT_TRUE(engine.votes.empty());
}

TEST(EngineLoop, OverlappedPostsTheNextVoteBeforeTheForward) {
    Driver engine(kOverlapped);
    engine.peers.all_pause = false;
    engine.work = 2;
    const auto first = engine.next();
    EXPECT_EQ(first.kind, Order::forward);
    EXPECT_TRUE(first.post);
    EXPECT_EQ(first.votes[0], 2);
    EXPECT_EQ(engine.seen, (std::vector{Order::take_batch, Order::vote})) << "the first vote of a wave is blocking";
    engine.posted = first.votes;
    engine.seen.clear();
    engine.work = 0;
    const auto second = engine.next();
    EXPECT_EQ(engine.seen, (std::vector{Order::read_vote, Order::take_batch}));
    EXPECT_EQ(second.kind, Order::dummy_forward) << "one turn late: the vote still had the work";
    EXPECT_TRUE(second.post);
    engine.posted = second.votes;
    const auto third = engine.next();
    EXPECT_EQ(third.kind, Order::rest);
    EXPECT_FALSE(third.wake);
    EXPECT_EQ(third.number, 4U);
}

TEST(EngineLoop, OverlappedWakesTheGroupForWhatTheLastVoteDidNotHold) {
    for (const bool pause : {false, true}) {
        Driver engine(kOverlapped);
        engine.peers = {.work = 1, .all_pause = false};
        engine.posted = engine.next().votes;
        engine.peers.work = 0;
        // The vote that is read now comes to idle; in the same turn there is news.
        if (pause)
            engine.signals.push_back(Signal::pause);
        else
            engine.work = 1;
        const auto order = engine.next();
        EXPECT_EQ(order.kind, Order::rest);
        EXPECT_TRUE(order.wake);
        EXPECT_EQ(order.number, 3U);
        engine.seen.clear();
        engine.peers.all_pause = pause;
        EXPECT_EQ(engine.next().kind, pause ? Order::rest : Order::forward);
        EXPECT_EQ(engine.seen[1], Order::vote) << "the first vote of a wave is blocking";
        EXPECT_EQ(engine.loop.lifecycle().state(), pause ? State::paused : State::running);
    }
}

TEST(EngineLoop, OverlappedWithFewerVotesPostsOnlyBeforeATurnThatVotes) {
    Driver engine({.mode = ConsensusMode::overlapped, .every = 3});
    engine.peers = {.work = 1, .all_pause = false};
    std::vector<bool> posts;
    for (int turn = 0; turn < 6; ++turn) {
        const auto order = engine.next();
        posts.push_back(order.post);
        if (order.post) engine.posted = order.votes;
    }
    EXPECT_EQ(posts, (std::vector{false, false, true, false, false, true}));
}

TEST(EngineLoop, OverlappedLeavesNothingOutstandingInABarrier) {
    Driver engine(kOverlapped);
    engine.work = 1;
    engine.peers.all_pause = false;
    engine.posted = engine.next().votes;
    const auto last = engine.next(Signal::pause);
    EXPECT_EQ(last.kind, Order::forward) << "exactly one more turn";
    EXPECT_EQ(last.votes[1], -1);
    engine.posted = last.votes;
    engine.peers.all_pause = true;
    EXPECT_EQ(engine.next().kind, Order::rest);
    EXPECT_EQ(engine.loop.lifecycle().state(), State::paused);
    engine.seen.clear();
    engine.peers.all_pause = false;
    EXPECT_EQ(engine.next(Signal::unpause).kind, Order::forward);
    EXPECT_EQ(engine.seen, (std::vector{Order::take_batch, Order::barrier, Order::take_batch, Order::vote}))
        << "after a barrier the first vote is blocking";
}

/// The votes of two loops that were given the same rounds, MAX over both.
Votes together(const Votes& one, const Votes& other) {
    Votes result;
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = std::max(one[i], other[i]);
    return result;
}

/// A loop that has begun a turn and voted.
Votes votes_of(EngineLoop& loop, std::uint64_t work) {
    EXPECT_EQ(loop.begin().kind, Order::take_batch);
    const auto order = loop.batch({.signal = {}, .work = work});
    EXPECT_EQ(order.kind, Order::vote);
    return order.votes;
}

TEST(EngineLoop, AMemberThatIsInAnotherTurnIsSeenByBoth) {
    EngineLoop here{{}}, there{{}};
    // `here` believes that a turn is over in which `there` has never been.
    const auto alone = votes_of(here, 1);
    ASSERT_EQ(here.counted(alone).kind, Order::forward);
    const auto mine = votes_of(here, 1), theirs = votes_of(there, 1);
    const auto result = together(mine, theirs);
    EXPECT_EQ(here.counted(result).kind, Order::drift);
    const auto seen = there.counted(result);
    EXPECT_EQ(seen.kind, Order::drift);
    EXPECT_EQ(seen.number, 1U) << "it names the vote in which this member was";
}

TEST(EngineLoop, MembersInTheSameTurnAgreeWhateverTheyHold) {
    EngineLoop here{{}}, there{{}};
    for (int turn = 0; turn < 50; ++turn) {
        const auto result = together(votes_of(here, 3), votes_of(there, 0));
        EXPECT_EQ(here.counted(result).kind, Order::forward);
        EXPECT_EQ(there.counted(result).kind, Order::dummy_forward);
    }
}

TEST(EngineLoop, RoundsAndBarriersAreInTheCheck) {
    const auto check_of = [](Round round, std::uint64_t crossed) {
        EngineLoop loop{{}};
        loop.rebuilt(round, crossed, State::running);
        return votes_of(loop, 1)[2];
    };
    EXPECT_EQ(check_of(Round{2}, 4), check_of(Round{2}, 4));
    EXPECT_NE(check_of(Round{2}, 4), check_of(Round{3}, 4));
    EXPECT_NE(check_of(Round{2}, 4), check_of(Round{2}, 5));
    EXPECT_NE(check_of(Round{2}, 4), check_of(Round{4}, 2));
}

TEST(EngineLoop, AWakeOfAnEarlierRoundOrBarrierIsKnownByItsNumber) {
    Driver engine;
    engine.peers.all_pause = false;
    std::uint64_t last = 0;
    const auto rests = [&](Order order) {
        ASSERT_EQ(order.kind, Order::rest);
        EXPECT_GT(order.number, last);
        last = order.number;
    };
    rests(engine.next());
    rests(engine.next());
    engine.peers.all_pause = true;
    rests(engine.next(Signal::pause));
    engine.peers.all_pause = false;
    rests(engine.next(Signal::unpause));
    engine.loop.rebuilt(Round{2}, 2, State::running);
    ASSERT_EQ(engine.loop.begin().kind, Order::take_batch);
    ASSERT_EQ(engine.loop.batch({}).kind, Order::vote);
    const auto order = engine.loop.counted({0, 0, 1, -1});
    rests(order);
}

TEST(EngineLoop, ANewRoundFindsTheLoopInAnyOrder) {
    for (const State stable : {State::running, State::paused, State::suspended}) {
        Driver engine(kOverlapped);
        engine.work = 1;
        engine.peers.all_pause = false;
        engine.posted = engine.next().votes;  // A vote is posted that nobody will ever read.
        engine.loop.rebuilt(Round{2}, 7, stable);
        EXPECT_EQ(engine.loop.lifecycle().state(), stable);
        EXPECT_EQ(engine.loop.barriers_crossed(), 7U);
        EXPECT_EQ(engine.loop.signals_taken(), 0U);
        engine.seen.clear();
        EXPECT_EQ(engine.next().kind, stable == State::running ? Order::forward : Order::rest);
        EXPECT_EQ(engine.seen.front(), Order::take_batch) << "nothing is read that was posted in the old round";
    }
    EngineLoop voting{{}};
    (void)votes_of(voting, 1);
    voting.rebuilt(Round{2}, 0, State::running);
    EXPECT_EQ(voting.begin().kind, Order::take_batch);
}

TEST(EngineLoop, WhoAdoptsAStopIsDoneUnlessMembersStay) {
    EngineLoop leaves{{}}, stays{{.stay = true}};
    leaves.rebuilt(Round{2}, 2, State::stopped);
    EXPECT_EQ(leaves.begin().kind, Order::finish);
    stays.rebuilt(Round{2}, 2, State::stopped);
    ASSERT_EQ(stays.begin().kind, Order::take_batch);
    EXPECT_EQ(stays.batch({}).kind, Order::rest);
}

TEST(EngineLoopDeathTest, AnAnswerThatDoesNotFitTheOrderIsABugInTheDriver) {
    EngineLoop loop{{}};
    EXPECT_DEATH((void)loop.crossed(), "internal error");
    EXPECT_DEATH((void)loop.woken(), "internal error");
    EXPECT_DEATH((void)loop.counted({}), "internal error");
    EXPECT_DEATH((void)loop.batch({}), "internal error");
    (void)loop.begin();
    EXPECT_DEATH((void)loop.begin(), "internal error");
    EXPECT_DEATH(EngineLoop({.every = 0}), "internal error");
}

}  // namespace
}  // namespace muster::core::testing
