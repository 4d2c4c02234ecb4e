// SPDX-License-Identifier: Apache-2.0
// The stories of the acceptance table that the lifecycle's tables tell, named by their numbers: M1 to M13 here, what
// comes of a coordinator that is ahead of its engines in lifecycle_order_test.
#include "lifecycle_support.hpp"

namespace muster::core::testing {
namespace {

using enum Signal;

TEST(LifecycleM1, OnlyAStableStateCanBeWaitedFor) {
    for (std::size_t i = 0; i < kStates; ++i) {
        const auto state = static_cast<State>(i);
        const auto milestone = milestone_of(state);
        EXPECT_EQ(static_cast<bool>(milestone), is_stable(state)) << name_of(state);
        if (!milestone) {
            EXPECT_EQ(milestone.error().fault, Fault::refused);
            EXPECT_NE(milestone.error().text.find(name_of(state)), std::string::npos) << milestone.error().text;
        }
    }
    EXPECT_EQ(*milestone_of(State::suspended), Milestone::suspended);
}

TEST(LifecycleM1, NamesAreReadInUpperAndLowerCaseAndNothingElseIs) {
    for (std::size_t i = 0; i < kStates; ++i)
        EXPECT_EQ(state_from(name_of(static_cast<State>(i))), static_cast<State>(i));
    for (std::size_t i = 0; i < kSignals; ++i)
        EXPECT_EQ(signal_from(name_of(static_cast<Signal>(i))), static_cast<Signal>(i));
    for (std::size_t i = 0; i < kEvents; ++i)
        EXPECT_EQ(event_from(name_of(static_cast<Event>(i))), static_cast<Event>(i));
    EXPECT_EQ(state_from("paused"), State::paused);
    EXPECT_EQ(signal_from("unpause"), Signal::unpause);
    EXPECT_EQ(consensus_from("all_pausing"), Consensus::all_pausing);
    for (const char* nothing : {"", "pausedd", "pause ", "unknown"}) EXPECT_FALSE(state_from(nothing)) << nothing;
    EXPECT_FALSE(event_from("PAUSED"));
}

TEST(LifecycleM2, TheCoordinatorIsPausedAtOnceWhileEnginesStillVote) {
    CoordinatorLifecycle coordinator;
    EngineLifecycle engine;
    EXPECT_EQ(coordinator.step(pause).act, Act::broadcast);
    EXPECT_EQ(engine.step(Event::pause).act, Act::start_vote);
    EXPECT_EQ(coordinator.state(), State::paused);
    EXPECT_EQ(engine.state(), State::pausing);
}

TEST(LifecycleM3, PauseIsRepeatedInSilence) {
    CoordinatorLifecycle coordinator;
    ASSERT_TRUE(coordinator.step(pause).accepted);
    EXPECT_EQ(coordinator.step(pause).act, Act::none) << "nothing is broadcast again";
    ASSERT_TRUE(coordinator.step(suspend).accepted);
    EXPECT_EQ(coordinator.step(pause).act, Act::none);
    EXPECT_EQ(coordinator.state(), State::suspended);

    EngineLifecycle engine;
    engine.step(Event::pause);
    for (auto at : {engine, after_all({pause}), after_all({pause, suspend})}) {
        const auto again = at.step(Event::pause);
        EXPECT_TRUE(again.accepted);
        EXPECT_EQ(again.act, Act::none);
        EXPECT_EQ(at.held(), 0U);
    }
}

TEST(LifecycleM4, PausingWorksAndAccompaniesUntilAllPause) {
    EngineLifecycle engine;
    EXPECT_EQ(engine.step(Event::pause).act, Act::start_vote);
    EXPECT_EQ(engine.step(Event::votes_counted, kWorkHere).act, Act::forward) << "a peer lags: own work goes on";
    EXPECT_EQ(engine.step(Event::votes_counted, kWorkThere).act, Act::dummy_forward);
    EXPECT_EQ(engine.step(Event::votes_counted, kIdle).act, Act::rest);
    EXPECT_EQ(engine.state(), State::pausing);
    EXPECT_EQ(engine.step(Event::votes_counted, {.work = 3, .consensus = Consensus::all_pausing}).act,
              Act::cross_barrier)
        << "all pause: work that is left does not count";
}

TEST(LifecycleM5, PausedComesWithTheBarrierAndNotBefore) {
    EngineLifecycle engine;
    engine.step(Event::pause);
    EXPECT_FALSE(engine.step(Event::barrier_crossed).accepted) << "not in it yet";
    engine.step(Event::votes_counted, kAllPausing);
    EXPECT_EQ(engine.state(), State::pausing);
    EXPECT_FALSE(engine.reached(Milestone::paused));
    EXPECT_EQ(engine.step(Event::barrier_crossed).to, State::paused);
    EXPECT_TRUE(engine.reached(Milestone::paused));
}

TEST(LifecycleM6, RunningWorksAccompaniesOrRests) {
    EngineLifecycle engine;
    EXPECT_EQ(engine.step(Event::votes_counted, kWorkHere).act, Act::forward);
    EXPECT_EQ(engine.step(Event::votes_counted, kWorkThere).act, Act::dummy_forward);
    EXPECT_EQ(engine.step(Event::votes_counted, kIdle).act, Act::rest);
    EXPECT_EQ(engine.state(), State::running);
}

TEST(LifecycleM7, WorkInFlightDoesNotKeepAnEngineFromPausing) {
    EngineLifecycle engine;
    engine.step(Event::pause);
    ASSERT_TRUE(engine.step(Event::votes_counted, {.work = 9, .consensus = Consensus::all_pausing}).accepted);
    engine.step(Event::barrier_crossed);
    EXPECT_FALSE(engine.step(Event::votes_counted, kWorkHere).accepted) << "PAUSED: nothing completes";
    lead_through(engine, unpause);
    EXPECT_EQ(engine.step(Event::votes_counted, kWorkHere).act, Act::forward) << "it completes now";
}

TEST(LifecycleM8, UnpausePassesABarrierAndOnlyPausedCanBegin) {
    EngineLifecycle running;
    EXPECT_FALSE(running.step(Event::unpause).accepted);
    auto engine = after_all({pause});
    EXPECT_EQ(engine.step(Event::unpause).act, Act::cross_barrier);
    EXPECT_EQ(engine.state(), State::unpausing);
    EXPECT_EQ(engine.step(Event::barrier_crossed).to, State::running);
    EXPECT_EQ(milestones(engine), "running") << "the PAUSED event is cleared";
    EXPECT_FALSE(after_all({pause, suspend}).step(Event::unpause).accepted);
}

TEST(LifecycleM9, SuspendReleasesBeforeItsBarrier) {
    EngineLifecycle running;
    EXPECT_FALSE(running.step(Event::suspend).accepted);
    auto engine = after_all({pause});
    EXPECT_EQ(engine.step(Event::suspend).act, Act::release_and_cross);
    EXPECT_EQ(engine.state(), State::suspending);
    EXPECT_EQ(engine.step(Event::barrier_crossed).to, State::suspended);
}

TEST(LifecycleM10, ResumeEndsInPausedAndNeedsAnUnpauseToRun) {
    EXPECT_FALSE(after_all({pause}).step(Event::resume).accepted);
    auto engine = after_all({pause, suspend});
    EXPECT_EQ(engine.step(Event::resume).act, Act::restore_and_cross);
    EXPECT_FALSE(engine.reached(Milestone::resumed)) << "not before the barrier";
    EXPECT_EQ(engine.step(Event::barrier_crossed).to, State::paused);
    EXPECT_TRUE(engine.reached(Milestone::resumed));
    lead_through(engine, unpause);
    EXPECT_TRUE(engine.reached(Milestone::resumed)) << "until the next suspend";
    lead_through(engine, pause);
    engine.step(Event::suspend);
    EXPECT_FALSE(engine.reached(Milestone::resumed));
}

TEST(LifecycleM11, StopFromPausedOrSuspendedEndsTheLoop) {
    EngineLifecycle running;
    EXPECT_FALSE(running.step(Event::stop).accepted);
    for (auto engine : {after_all({pause}), after_all({pause, suspend})}) {
        EXPECT_EQ(engine.step(Event::stop).act, Act::cross_barrier);
        EXPECT_FALSE(engine.reached(Milestone::stopped)) << "STOPPED is set last";
        const auto outcome = engine.step(Event::barrier_crossed);
        EXPECT_EQ(outcome.act, Act::finish);
        EXPECT_EQ(outcome.to, State::stopped);
        EXPECT_TRUE(engine.reached(Milestone::stopped));
    }
}

TEST(LifecycleM12, AnIllegalSignalIsRefusedWithAReasonAndBroadcastToNobody) {
    CoordinatorLifecycle coordinator;
    for (const Signal signal : {suspend, resume, stop, unpause}) {
        const auto outcome = coordinator.step(signal);
        EXPECT_FALSE(outcome.accepted);
        EXPECT_EQ(outcome.act, Act::none);
        EXPECT_STREQ(outcome.reason, "the job is RUNNING: only PAUSE is legal");
    }
    EXPECT_EQ(coordinator.state(), State::running);
}

TEST(LifecycleM13, MilestonesAreSetAsLongAsTheSourceSetsThem) {
    EngineLifecycle engine;
    const auto then = [&](Event event, const char* expected, const Situation& situation = {}) {
        ASSERT_TRUE(engine.step(event, situation).accepted) << name_of(event);
        EXPECT_EQ(milestones(engine), expected) << name_of(engine.state());
    };
    EXPECT_EQ(milestones(engine), "running");
    then(Event::pause, "");
    then(Event::votes_counted, "", kAllPausing);
    then(Event::barrier_crossed, "paused");
    then(Event::suspend, "paused");
    then(Event::barrier_crossed, "paused suspended");
    then(Event::resume, "paused");
    then(Event::barrier_crossed, "paused resumed");
    then(Event::suspend, "paused");
    then(Event::barrier_crossed, "paused suspended");
    then(Event::stop, "paused");
    then(Event::barrier_crossed, "paused stopped");
    then(Event::start, "paused");
    then(Event::barrier_crossed, "running");
}

TEST(LifecycleM13, AnAdoptedStateLooksAsIfItHadBeenReachedInTheOrdinaryWay) {
    const struct {
        State state;
        const char* milestones;
    } kAll[] = {{State::running, "running"},
                {State::paused, "paused"},
                {State::suspended, "paused suspended"},
                {State::stopped, "paused stopped"}};
    for (const auto& one : kAll) {
        EngineLifecycle newcomer;
        newcomer.adopt(one.state);
        EXPECT_EQ(newcomer.state(), one.state);
        EXPECT_EQ(milestones(newcomer), one.milestones);
    }
    auto resuming = after_all({pause, suspend});
    resuming.step(Event::resume);
    auto crossed = resuming;
    crossed.adopt(State::paused);
    EXPECT_EQ(milestones(crossed), "paused resumed") << "somebody had crossed, so all have";
    resuming.adopt(State::suspended);
    EXPECT_EQ(milestones(resuming), "paused suspended") << "nobody had: the resume is repeated";
}

TEST(LifecycleM13, AdoptingForgetsWhatWasHeldAndTheBarrier) {
    EngineLifecycle engine;
    engine.step(Event::pause);
    engine.step(Event::unpause);
    engine.step(Event::votes_counted, kAllPausing);
    engine.adopt(State::running);
    EXPECT_EQ(engine.held(), 0U);
    EXPECT_FALSE(engine.in_barrier());
    EXPECT_FALSE(engine.step(Event::barrier_crossed).accepted);
    EXPECT_DEATH(engine.adopt(State::pausing), "internal error");
}

}  // namespace
}  // namespace muster::core::testing
