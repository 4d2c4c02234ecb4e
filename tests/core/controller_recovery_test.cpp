// SPDX-License-Identifier: Apache-2.0
// What a crash leaves: R1 to R5, at every point of every call's effects.
#include <gtest/gtest.h>

#include "controller_support.hpp"
#include "support.hpp"

namespace muster::core::controller::testing {

namespace {

/// Everything but goals, whose numbers a repeated update moves on.
State without_goals(State state) {
    state.goals.clear();
    state.last_goal = {};
    return state;
}

std::set<std::string> open_goals(const State& state) {
    std::set<std::string> tags;
    for (const auto& [tag, goal] : state.pending) tags.insert(tag);
    return tags;
}

State comparable(const State& state) {
    auto copy = without_goals(state);
    copy.pending.clear();
    return copy;
}

Command random_command(std::mt19937_64& dice) {
    const auto up_to = [&dice](std::uint64_t n) { return static_cast<std::int64_t>(dice() % n); };
    const std::string tag = dice() % 2 == 0 ? "a" : "b", name = dice() % 2 == 0 ? "x" : "y";
    switch (dice() % 9) {
        case 0:
        case 1: return create(tag, up_to(4), dice() % 3 == 0 ? "\"g\"" : "\"f\"");
        case 2: return scale(tag, up_to(4));
        case 3: return DeleteBackend{tag, dice() % 2 == 0};
        case 4: return endpoint(name, {{tag, 1}});
        case 5: return SetTraffic{name, {{tag, 1}}};
        case 6: return ShadowTraffic{name, tag, static_cast<double>(up_to(3)) / 2};
        case 7: return DeleteEndpoint{name};
        default: return dice() % 10 == 0 ? Command{Shutdown{}} : Command{scale(tag, up_to(4))};
    }
}

/// The same job in the same state: its journal, its replicas and its clock.
void copy(const Job& from, Job& to) {
    to.journal = from.journal;
    to.alive = from.alive;
    to.now_ms = from.now_ms;
    to.recover();
}

}  // namespace

/// Crash after each of a call's effects, recover, call again: as if nothing had happened.
TEST(ControllerRecovery, R1_ACallThatIsRepeatedAfterACrashIsDoneOnce) {
    std::size_t crashes = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937_64 dice(seed);
        Job before;
        for (int call = 0; call < 12; ++call) {
            const auto command = random_command(dice);
            Job quiet;
            copy(before, quiet);
            const auto answer = quiet.call(command);
            for (std::size_t point = 0; point <= answer.effects.size(); ++point) {
                SCOPED_TRACE("call " + std::to_string(call) + " point " + std::to_string(point));
                Job job;
                copy(before, job);
                job.die_after = point;
                const auto first = job.call(command);
                EXPECT_TRUE(first.goal == answer.goal || point < answer.effects.size());
                job.die_after.reset();
                job.recover();
                const auto again = job.call(command);
                EXPECT_EQ(again.error, answer.error);
                ASSERT_EQ(comparable(job.state()), comparable(quiet.state()));
                ASSERT_EQ(open_goals(job.state()), open_goals(quiet.state()));
                const bool may_count_twice = std::holds_alternative<UpdateBackendConfig>(command);
                ASSERT_TRUE(may_count_twice || job.state() == quiet.state());
                ++crashes;
                job.settle();
                Job settled;
                copy(quiet, settled);
                settled.settle();
                ASSERT_EQ(comparable(job.state()), comparable(settled.state()));
                ASSERT_EQ(job.alive, settled.alive);
            }
            copy(quiet, before);
            if (dice() % 2 == 0) static_cast<void>(before.tick());
        }
    }
    EXPECT_GT(crashes, 1'000U);
}

/// The same for the control loop's turns.
TEST(ControllerRecovery, R1_ATurnThatIsCutShortIsFinishedByTheSuccessor) {
    std::size_t crashes = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937_64 dice(seed);
        Job before;
        for (int call = 0; call < 6; ++call) {
            static_cast<void>(before.call(random_command(dice)));
            Job quiet;
            copy(before, quiet);
            const auto effects = quiet.tick().size();
            quiet.settle();
            for (std::size_t point = 0; point <= effects; ++point) {
                Job job;
                copy(before, job);
                job.die_after = point;
                static_cast<void>(job.tick());
                job.die_after.reset();
                job.recover();
                job.settle();
                ASSERT_EQ(job.state(), quiet.state()) << "point " << point;
                ASSERT_EQ(job.alive, quiet.alive);
                ++crashes;
            }
            if (dice() % 2 == 0) static_cast<void>(before.tick());
        }
    }
    EXPECT_GT(crashes, 500U);
}

/// A turn's records are several: whatever part of them the journal holds is a state that makes sense.
TEST(ControllerRecovery, R1_ATornCheckpointIsFinishedByTheSuccessor) {
    std::size_t torn = 0;
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937_64 dice(seed);
        Job before;
        for (int call = 0; call < 10; ++call) {
            static_cast<void>(before.call(random_command(dice)));
            if (dice() % 2 == 0) static_cast<void>(before.tick());
            Job quiet;
            copy(before, quiet);
            static_cast<void>(quiet.tick());
            const auto records = quiet.records_max;
            quiet.settle();
            for (std::size_t kept = 1; kept < records; ++kept) {
                Job job;
                copy(before, job);
                job.die_after = 0;
                job.torn_after = kept;
                static_cast<void>(job.tick());
                job.die_after.reset();
                job.recover();
                job.settle();
                ASSERT_EQ(job.state(), quiet.state()) << kept << " of " << records << " records";
                ASSERT_EQ(job.alive, quiet.alive);
                ++torn;
            }
        }
    }
    EXPECT_GT(torn, 100U);
}

TEST(ControllerRecovery, R2_NoCallWhileAnotherOneIsNotSafe) {
    Job job;
    const auto step = job.controller->call(create("b", 1), {}, 0);
    EXPECT_DEATH(static_cast<void>(job.controller->call(create("c", 1), {}, 0)), "locked_");
    EXPECT_DEATH(static_cast<void>(job.controller->turn(0)), "locked_");
    static_cast<void>(job.controller->commit(step));
    EXPECT_DEATH(static_cast<void>(job.controller->commit(step)), "locked_");  // Without the lock no checkpoint.
}

TEST(ControllerRecovery, R3_EveryPushComesAfterItsCheckpoint) {
    std::size_t pushes = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        std::mt19937_64 dice(seed);
        Job job;
        for (int call = 0; call < 20; ++call) {
            auto effects = job.call(random_command(dice)).effects;
            const auto more = job.tick();
            for (const auto& list : {effects, more})
                for (std::size_t i = 0; i < list.size(); ++i) {
                    if (!list[i].starts_with("push:")) continue;
                    ++pushes;
                    ASSERT_NE(std::find(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(i), "checkpoint"),
                              list.begin() + static_cast<std::ptrdiff_t>(i))
                        << list[i];
                }
        }
    }
    EXPECT_GT(pushes, 1'000U);
}

TEST(ControllerRecovery, R3_WhatCannotBeWrittenHasNotHappened) {
    Job job;
    static_cast<void>(job.call(create("b", 1)));
    const auto before = job.state();
    const auto step = job.controller->call(scale("b", 2), {}, 0);
    job.controller->abandon(step);  // A full disk.
    EXPECT_EQ(job.state(), before);
    EXPECT_EQ(job.call(scale("b", 2)).goal, GoalId{2});
    job.controller->abandon(job.controller->turn(1));  // A turn's reports are not lost with it.
    job.settle();
    EXPECT_EQ(job.handles("b").size(), 2U);
}

TEST(ControllerRecovery, R4_StateAndGoalsComeBackUnderTheirIds) {
    Job job;
    job.starts = false;
    EXPECT_EQ(job.state(), State{});  // Without a checkpoint.
    static_cast<void>(job.call(create("b", 2)));
    static_cast<void>(job.call(create("c", 1)));
    static_cast<void>(job.call(endpoint("e", {{"b", 1}})));
    const auto before = job.state();
    const auto begun = job.recover();
    EXPECT_EQ(job.state(), before);
    EXPECT_EQ(job.controller->num_pending_goals(), 2U);
    EXPECT_EQ(begun[1], "push:BACKEND_CONFIGS b,c");  // Whole, and before anything else is told.
    EXPECT_EQ(job.call(create("d", 1)).goal, GoalId{3});
}

TEST(ControllerRecovery, R5_TheFaultHookExitsAfterACheckpointAndBeforeAPush) {
    ControllerSettings settings;
    settings.crash_after_checkpoint = 0.2;
    Job attached(settings);
    attached.chance = 0;
    EXPECT_EQ(attached.call(create("b", 1)).effects, (Texts{"checkpoint", "push:BACKEND_CONFIGS b"}));
    settings.detached = true;
    Job job(settings);
    job.chance = 0.2;  // Not below it.
    EXPECT_EQ(job.call(create("b", 1)).effects, (Texts{"checkpoint", "push:BACKEND_CONFIGS b"}));
    job.chance = 0.19;
    EXPECT_EQ(job.call(create("c", 1)).effects, (Texts{"checkpoint", "exit:0"}));
    job.recover();
    EXPECT_TRUE(job.state().backends.contains("c"));
    EXPECT_EQ(job.call(create("c", 1)).effects, Texts{});  // No checkpoint, no crash.
    ControllerSettings none;
    none.detached = true;
    Job never(none);
    never.chance = 0;
    EXPECT_EQ(never.call(create("b", 1)).effects.size(), 2U);
}

/// As a coordinator does it: its mirror folds, and effects wait until all followers have the records.
TEST(ControllerRecovery, AMirrorFoldsInTheControllersPlace) {
    FoldedState folded;
    Mirror mirror(Rank{0}, folded);
    static_cast<void>(mirror.complete(Round{1}, Rank{0}, {}, std::nullopt));
    ASSERT_TRUE(mirror.serving());
    Controller controller(folded, {});
    for (const auto& command : {Command{create("b", 2)}, Command{scale("b", 3)}, Command{DeleteBackend{"b"}}}) {
        const auto step = controller.call(command, {}, 0);
        for (const auto& record : step.records) static_cast<void>(mirror.append(record));
        EXPECT_FALSE(controller.committed(step).empty());
    }
    EXPECT_EQ(folded.state().last_goal, GoalId{3});
    EXPECT_EQ(mirror.safe(), 3U);
}

TEST(ControllerRecovery, AFollowerThatFoldsTheRecordsHoldsTheSame) {
    Job job;
    FoldedState follower;
    std::mt19937_64 dice(7);
    std::size_t seen = 0;
    for (int call = 0; call < 200; ++call) {
        static_cast<void>(job.call(random_command(dice)));
        static_cast<void>(job.tick());
        for (; seen < job.journal.size(); ++seen) ASSERT_TRUE(follower.apply(job.journal[seen]));
        if (job.journal.empty()) break;  // A shutdown.
        ASSERT_EQ(follower.state(), job.state());
        FoldedState late;
        ASSERT_TRUE(late.load(follower.snapshot()));
        ASSERT_EQ(late.state(), job.state());
    }
    const auto before = follower.snapshot();
    EXPECT_FALSE(follower.apply(Bytes(3, std::byte{0xff})));
    EXPECT_FALSE(follower.load(Bytes(3, std::byte{0xff})));
    EXPECT_EQ(follower.snapshot(), before);
}

}  // namespace muster::core::controller::testing
