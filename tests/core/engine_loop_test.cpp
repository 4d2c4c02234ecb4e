// SPDX-License-Identifier: Apache-2.0
// One engine's loop, order by order; groups of them are in consensus_model_test, the modes of voting in
// engine_loop_votes_test.
#include "loop_driver.hpp"

namespace muster::core::testing {
namespace {

TEST(EngineLoop, EachTurnTakesABatchAndVotesM6) {
    Driver engine;
    engine.peers.all_pause = false;
    engine.work = 2;
    EXPECT_EQ(engine.next().kind, Order::forward);
    engine.work = 0;
    engine.peers.work = 5;
    EXPECT_EQ(engine.next().kind, Order::dummy_forward);
    engine.peers.work = 0;
    EXPECT_EQ(engine.next().kind, Order::rest);
    EXPECT_EQ(engine.seen, (std::vector{Order::take_batch, Order::vote, Order::take_batch, Order::vote,
                                        Order::take_batch, Order::vote}));
    EXPECT_EQ(engine.loop.votes_counted(), 3U);
}

TEST(EngineLoop, VotesSayWorkFlagAndWhere) {
    Driver engine;
    engine.peers = {.work = 1, .all_pause = false};
    engine.work = 7;
    (void)engine.next();
    (void)engine.next(Signal::pause);
    ASSERT_EQ(engine.votes.size(), 2U);
    EXPECT_EQ(engine.votes[0][0], 7);
    EXPECT_EQ(engine.votes[0][1], 0);
    EXPECT_EQ(engine.votes[1][1], -1) << "this engine pauses";
    for (const auto& vote : engine.votes) {
        EXPECT_GT(vote[2], 0);
        EXPECT_EQ(vote[3], -vote[2]);
    }
    EXPECT_NE(engine.votes[0][2], engine.votes[1][2]) << "each turn has its own check";
}

TEST(EngineLoopM4, APausingEngineGoesOnWorkingWhileAPeerLags) {
    Driver engine;
    engine.peers.all_pause = false;
    engine.work = 2;
    EXPECT_EQ(engine.next(Signal::pause).kind, Order::forward);
    engine.work = 0;
    engine.peers.work = 1;
    EXPECT_EQ(engine.next().kind, Order::dummy_forward);
    EXPECT_EQ(engine.loop.lifecycle().state(), State::pausing);
    engine.work = 9;
    engine.peers = {.work = 4, .all_pause = true};
    EXPECT_EQ(engine.next().kind, Order::rest);
    EXPECT_EQ(engine.loop.lifecycle().state(), State::paused) << "all pause: work that is left does not count (M7)";
}

TEST(EngineLoopM7, WorkThatComesInPausedWaitsForTheUnpause) {
    Driver engine;
    engine.pause();
    engine.work = 3;
    EXPECT_EQ(engine.next().kind, Order::rest);
    EXPECT_EQ(engine.next().kind, Order::rest);
    EXPECT_EQ(engine.votes.size(), 1U) << "PAUSED engines do not vote";
    engine.peers.all_pause = false;
    EXPECT_EQ(engine.next(Signal::unpause).kind, Order::forward);
    EXPECT_EQ(engine.loop.barriers_crossed(), 2U);
}

TEST(EngineLoopM19, OneSignalATurnAndTheOthersStayQueued) {
    Driver engine;
    engine.peers = {.work = 1, .all_pause = false};
    engine.signals = {Signal::pause, Signal::unpause, Signal::pause};
    EXPECT_EQ(engine.next().kind, Order::dummy_forward);
    EXPECT_EQ(engine.signals.size(), 2U);
    EXPECT_EQ(engine.loop.lifecycle().held(), 0U);
    EXPECT_EQ(engine.next().kind, Order::dummy_forward);
    EXPECT_EQ(engine.signals.size(), 1U);
    EXPECT_EQ(engine.loop.lifecycle().held(), 1U);
    EXPECT_EQ(engine.loop.signals_taken(), 2U);
}

TEST(EngineLoopM19, TheSignalIsAppliedAfterTheDataOfItsTurn) {
    Driver engine;
    engine.work = 4;
    engine.peers.all_pause = false;
    EXPECT_EQ(engine.next(Signal::pause).kind, Order::forward);
    EXPECT_EQ(engine.votes.back()[0], 4) << "what came with the signal counts in the vote of this turn";
}

TEST(EngineLoopM23, HeldSignalsFollowTheBarrierBeforeAnythingElse) {
    Driver engine;
    engine.peers = {.work = 1, .all_pause = false};
    engine.signals = {Signal::pause, Signal::unpause, Signal::pause};
    for (int turn = 0; turn < 3; ++turn) EXPECT_EQ(engine.next().kind, Order::dummy_forward);
    EXPECT_EQ(engine.loop.lifecycle().held(), 2U);
    engine.peers = {};
    engine.seen.clear();
    EXPECT_EQ(engine.next().kind, Order::rest);
    // The barrier of the pause, at once that of the unpause, and the second pause has its vote in RUNNING.
    EXPECT_EQ(engine.seen, (std::vector{Order::take_batch, Order::vote, Order::barrier, Order::barrier,
                                        Order::take_batch, Order::vote, Order::barrier, Order::take_batch}));
    EXPECT_EQ(engine.loop.lifecycle().state(), State::paused);
    EXPECT_EQ(engine.loop.barriers_crossed(), 3U);
}

TEST(EngineLoop, SuspendAndResumeAreTheProgramsTurnsBeforeTheirBarriers) {
    Driver engine;
    engine.pause();
    engine.seen.clear();
    EXPECT_EQ(engine.next(Signal::suspend).kind, Order::suspend);
    EXPECT_EQ(engine.loop.lifecycle().state(), State::suspending);
    EXPECT_EQ(engine.loop.barriers_crossed(), 1U);
    EXPECT_EQ(engine.next().kind, Order::rest);
    EXPECT_EQ(engine.loop.lifecycle().state(), State::suspended);
    EXPECT_EQ(engine.next(Signal::resume).kind, Order::resume);
    EXPECT_EQ(engine.next().kind, Order::rest);
    EXPECT_EQ(engine.loop.lifecycle().state(), State::paused);
    EXPECT_EQ(std::ranges::count(engine.seen, Order::barrier), 2);
}

TEST(EngineLoop, AHeldSuspendIsAProgramTurnToo) {
    Driver engine;
    engine.peers = {.work = 1, .all_pause = false};
    engine.signals = {Signal::pause, Signal::suspend, Signal::resume};
    for (int turn = 0; turn < 3; ++turn) EXPECT_EQ(engine.next().kind, Order::dummy_forward);
    engine.peers = {};
    EXPECT_EQ(engine.next().kind, Order::suspend);
    EXPECT_EQ(engine.next().kind, Order::resume);
    EXPECT_EQ(engine.next().kind, Order::rest);
    EXPECT_EQ(engine.loop.lifecycle().state(), State::paused);
    EXPECT_TRUE(engine.loop.lifecycle().reached(Milestone::resumed));
}

TEST(EngineLoopM11, StopEndsTheLoopUnlessMembersStayM18) {
    Driver leaves;
    leaves.pause();
    EXPECT_EQ(leaves.next(Signal::stop).kind, Order::finish);
    EXPECT_EQ(leaves.loop.lifecycle().state(), State::stopped);

    Driver stays({.stay = true});
    stays.pause();
    EXPECT_EQ(stays.next(Signal::stop).kind, Order::rest);
    EXPECT_EQ(stays.loop.lifecycle().state(), State::stopped);
    stays.work = 1;
    stays.peers.all_pause = false;
    EXPECT_EQ(stays.next(Signal::start).kind, Order::forward);
}

TEST(EngineLoopM12, ARefusedSignalIsSaidOnceAndTheTurnGoesOn) {
    Driver engine;
    engine.work = 1;
    engine.peers.all_pause = false;
    EXPECT_EQ(engine.next(Signal::resume).kind, Order::forward);
    const auto refusal = engine.loop.take_refusal();
    ASSERT_TRUE(refusal);
    EXPECT_STREQ(refusal->reason, "the engine is RUNNING: only PAUSE is legal");
    EXPECT_FALSE(engine.loop.take_refusal());
    EXPECT_EQ(engine.loop.signals_taken(), 1U);
}

TEST(EngineLoopM3, InAStableStateARepeatDoesNotKeepTheNextSignalWaiting) {
    Driver engine;
    engine.pause();
    engine.signals = {Signal::pause, Signal::unpause};
    EXPECT_EQ(engine.next().kind, Order::rest);
    EXPECT_EQ(engine.loop.lifecycle().state(), State::running);
}

}  // namespace
}  // namespace muster::core::testing
