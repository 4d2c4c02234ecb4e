// SPDX-License-Identifier: Apache-2.0
// Repeats, stopping and starting, held signals, the coordinator's own state: M15, M16, M18, M23, M24.
#include "lifecycle_support.hpp"

namespace muster::core::testing {
namespace {

using enum Signal;

TEST(LifecycleM15, SuspendIsRepeatedWhereItIsSoOrOnItsWay) {
    auto engine = after_all({pause});
    engine.step(Event::suspend);
    EXPECT_EQ(engine.step(Event::suspend).act, Act::none);
    engine.step(Event::barrier_crossed);
    EXPECT_EQ(engine.step(Event::suspend).act, Act::none);
    EXPECT_EQ(engine.state(), State::suspended);
}

TEST(LifecycleM15, ResumeElsewhereChangesNothing) {
    EngineLifecycle pausing;
    pausing.step(Event::pause);
    auto unpausing = after_all({pause});
    unpausing.step(Event::unpause);
    for (auto engine : {after_all({}), pausing, after_all({pause}), unpausing}) {
        const auto before = engine.state();
        EXPECT_FALSE(engine.step(Event::resume).accepted);
        EXPECT_EQ(engine.state(), before);
        EXPECT_EQ(engine.held(), 0U);
    }
}

TEST(LifecycleM16, WithoutEnginesTheCoordinatorSaysSo) {
    CoordinatorLifecycle coordinator;
    coordinator.step(pause);
    coordinator.step(stop);
    for (const Signal signal : {pause, unpause, suspend, resume, stop})
        EXPECT_EQ(std::string(coordinator.step(signal).reason).find("No engines connected"), 0U) << name_of(signal);
}

TEST(LifecycleM18, AfterStopTheCoordinatorRunsAndMayStartEnginesAgain) {
    CoordinatorLifecycle coordinator;
    EXPECT_STREQ(coordinator.step(start).reason, "already started: START is legal only after STOP");
    coordinator.step(pause);
    const auto outcome = coordinator.step(stop);
    EXPECT_EQ(outcome.via, State::stopping);
    EXPECT_EQ(outcome.to, State::running);
    EXPECT_TRUE(coordinator.stopped());
    EXPECT_EQ(coordinator.step(start).act, Act::broadcast);
    EXPECT_FALSE(coordinator.stopped());
    EXPECT_EQ(coordinator.step(pause).act, Act::broadcast);

    auto engine = after_all({pause, stop});
    lead_through(engine, start);
    EXPECT_EQ(engine.state(), State::running);
}

TEST(LifecycleM18, ACoordinatorAfterARebuildKnowsThatEnginesWereStopped) {
    CoordinatorLifecycle successor;
    successor.adopt(State::stopped, false);
    EXPECT_TRUE(successor.stopped());
    EXPECT_EQ(successor.state(), State::running);
    EXPECT_TRUE(successor.step(start).accepted);
}

TEST(LifecycleM23, WhatReachesAnEngineInTransitionIsHeldInOrder) {
    EngineLifecycle engine;
    engine.step(Event::pause);
    for (const Signal signal : {unpause, pause, suspend, resume, stop}) {
        EXPECT_EQ(engine.step(event_of(signal)).act, Act::hold) << name_of(signal);
        EXPECT_FALSE(engine.take_held()) << "not before the state is stable";
    }
    engine.step(Event::votes_counted, kAllPausing);
    engine.step(Event::barrier_crossed);
    EXPECT_EQ(held_of(engine), (std::vector{unpause, pause, suspend, resume, stop}));
}

TEST(LifecycleM23, UnpauseInPausingCompletesThePauseFirst) {
    EngineLifecycle engine;
    engine.step(Event::pause);
    EXPECT_EQ(engine.step(Event::unpause).act, Act::hold);
    EXPECT_EQ(engine.step(Event::votes_counted, kAllPausing).act, Act::cross_barrier);
    EXPECT_EQ(engine.step(Event::barrier_crossed).to, State::paused);
    EXPECT_TRUE(engine.reached(Milestone::paused));
    EXPECT_EQ(engine.step(event_of(*engine.take_held())).to, State::unpausing);
    EXPECT_EQ(engine.step(Event::barrier_crossed).to, State::running);
}

/// The coordinator is ahead of its engines. Whatever it lets pass must not be refused by an engine that is still in the
/// transition before, or the two would disagree for ever.
TEST(LifecycleM23, NothingThatTheCoordinatorLetsPassIsLostInAnyTransition) {
    const struct {
        std::initializer_list<Signal> before;
        Signal on_its_way;
    } kTransitions[] = {{{}, pause},     {{pause}, unpause},       {{pause}, suspend},    {{pause, suspend}, resume},
                        {{pause}, stop}, {{pause, suspend}, stop}, {{pause, stop}, start}};
    for (const auto& one : kTransitions)
        for (std::size_t next = 0; next < kSignals; ++next) {
            CoordinatorLifecycle coordinator;
            for (const Signal signal : one.before) ASSERT_TRUE(coordinator.step(signal).accepted);
            auto engine = after_all(one.before);
            ASSERT_TRUE(coordinator.step(one.on_its_way).accepted);
            ASSERT_TRUE(engine.step(event_of(one.on_its_way)).accepted);
            const auto signal = static_cast<Signal>(next);
            if (coordinator.step(signal).act != Act::broadcast) continue;
            EXPECT_EQ(engine.step(event_of(signal)).act, Act::hold)
                << name_of(engine.state()) << " " << name_of(signal);
        }
}

TEST(LifecycleM23, ASignalThatIsReleasedIsJudgedByTheStateThatWasReached) {
    auto engine = after_all({pause});
    engine.step(Event::suspend);
    engine.step(Event::stop);
    engine.step(Event::unpause);  // Illegal, but behind something: judged in its turn.
    EXPECT_EQ(engine.held(), 2U);
    engine.step(Event::barrier_crossed);
    EXPECT_EQ(engine.step(event_of(*engine.take_held())).to, State::stopping);
    EXPECT_EQ(engine.step(Event::barrier_crossed).to, State::stopped);
    EXPECT_FALSE(engine.step(event_of(*engine.take_held())).accepted);
}

TEST(LifecycleM24, AStateIsWhereTheLastAcceptedSignalLeads) {
    CoordinatorLifecycle coordinator;
    State engine = State::running;
    for (const Signal signal : {pause, suspend, resume, unpause, pause, suspend, stop}) {
        ASSERT_EQ(coordinator.step(signal).act, Act::broadcast) << name_of(signal);
        engine = after(engine, signal);
        if (signal != stop) {
            EXPECT_EQ(coordinator.state(), engine);
        }
    }
    EXPECT_EQ(engine, State::stopped);
    EXPECT_EQ(coordinator.state(), State::running) << "at once";
    EXPECT_EQ(after(State::stopped, start), State::running);
    EXPECT_EQ(after(State::suspended, pause), State::suspended) << "a repeat leads nowhere";
    EXPECT_EQ(after(State::running, stop), State::running) << "what is illegal leads nowhere";
}

}  // namespace
}  // namespace muster::core::testing
