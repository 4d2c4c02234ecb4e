// SPDX-License-Identifier: Apache-2.0
// The control loop's turns.
#include <gtest/gtest.h>

#include "controller_support.hpp"

namespace muster::core::controller::testing {

namespace {

bool has(const Texts& effects, const std::string& wanted) {
    return std::find(effects.begin(), effects.end(), wanted) != effects.end();
}

}  // namespace

TEST(ControllerLoop, R13_DrainsAndKillsAfterTheGraceTime) {
    Job job;
    static_cast<void>(job.call(create("b", 2)));
    job.settle();
    job.stops = false;
    static_cast<void>(job.call(scale("b", 1)));
    EXPECT_EQ(job.handles("b"), (Texts{"b#1", "b#2"}));  // Nothing has been done yet.
    EXPECT_EQ(job.tick(), (Texts{"checkpoint", "push:REPLICA_HANDLES b", "stop:b#2 20000"}));
    EXPECT_EQ(job.handles("b"), (Texts{"b#1"}));
    EXPECT_FALSE(has(job.tick(19'000), "kill:b#2"));
    EXPECT_FALSE(has(job.tick(1'000), "kill:b#2"));
    EXPECT_TRUE(has(job.tick(1), "kill:b#2"));
    EXPECT_TRUE(has(job.tick(1), "kill:b#2"));  // Until it is gone.
    job.kill("b#2");
    EXPECT_FALSE(has(job.tick(1), "kill:b#2"));
    EXPECT_EQ(job.state().replicas.at("b").size(), 1U);
}

TEST(ControllerLoop, R13_AlreadyGoneIsFine) {
    Job job;
    static_cast<void>(job.call(create("b", 1)));
    job.settle();
    static_cast<void>(job.call(DeleteBackend{"b"}));
    job.kill("b#1");  // It dies before it is stopped.
    job.settle();
    job.kill("b#1");  // And says so again.
    job.settle();
    EXPECT_EQ(job.controller->num_pending_goals(), 0U);
    EXPECT_TRUE(job.state().replicas.empty());
}

TEST(ControllerLoop, R13_ListsAreCheckpointedBeforeActingAndRepeatedByASuccessor) {
    Job job;
    static_cast<void>(job.call(create("b", 2)));
    EXPECT_EQ(replicas_of(job.state(), "b").size(), 2U);  // In the call's own checkpoint.
    job.recover();
    EXPECT_EQ(job.tick(), (Texts{"start:b#1", "start:b#2", "checkpoint", "push:REPLICA_HANDLES b"}));
    job.settle();
    job.stops = false;
    static_cast<void>(job.call(scale("b", 1)));
    job.recover();
    EXPECT_TRUE(has(job.tick(), "stop:b#2 20000"));
    job.recover();
    EXPECT_TRUE(has(job.tick(), "stop:b#2 20000"));
    EXPECT_FALSE(has(job.tick(), "stop:b#2 20000"));  // Once per incarnation.
}

TEST(ControllerLoop, R6_ASuccessorAttachesAndRestartsNobody) {
    Job job;
    static_cast<void>(job.call(create("b", 2)));
    job.settle();
    const auto begun = job.recover();
    EXPECT_TRUE(has(begun, "attach:b#1") && has(begun, "attach:b#2"));
    for (int i = 0; i < 3; ++i)
        for (const auto& effect : job.tick()) EXPECT_FALSE(effect.starts_with("start:")) << effect;
    EXPECT_EQ(job.handles("b"), (Texts{"b#1", "b#2"}));
}

TEST(ControllerLoop, R6_WhoDiedMeanwhileIsReplaced) {
    Job job;
    static_cast<void>(job.call(create("b", 2)));
    job.settle();
    job.alive.erase("b#1");
    job.recover();
    const auto effects = job.tick();
    EXPECT_TRUE(has(effects, "start:b#3"));
    EXPECT_EQ(effects.front(), "checkpoint");
    EXPECT_EQ(job.handles("b"), (Texts{"b#2", "b#3"}));
}

TEST(ControllerLoop, R18_HandlesArePushedWhenTheSetChangesAndOnlyThen) {
    Job job;
    EXPECT_EQ(job.call(create("b", 1)).effects, (Texts{"checkpoint", "push:BACKEND_CONFIGS b"}));
    EXPECT_TRUE(has(job.tick(), "push:REPLICA_HANDLES b"));
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(has(job.tick(), "push:REPLICA_HANDLES b"));
    EXPECT_EQ(job.call(DeleteBackend{"b"}).effects, (Texts{"checkpoint", "retire:BACKEND_CONFIGS b"}));
    EXPECT_TRUE(has(job.tick(), "push:REPLICA_HANDLES b"));
    EXPECT_EQ(job.tick(), Texts{"checkpoint"});  // It is gone now; nobody was told of it any more.
}

TEST(ControllerLoop, R18_AStartPushesConfigsThenHandles) {
    Job job;
    static_cast<void>(job.call(create("b", 1)));
    job.settle();
    const auto begun = job.recover();
    EXPECT_EQ(begun, (Texts{"start_gate:n0", "push:BACKEND_CONFIGS b", "push:REPLICA_HANDLES b", "attach:b#1"}));
}

TEST(ControllerLoop, R19_GatesGoalsBackendsAndTheCheckpointBeforeThePush) {
    Job job;
    job.starts = false;
    static_cast<void>(job.call(create("done", 1)));
    static_cast<void>(job.tick());
    job.report("done#1", ReplicaReport::Kind::started);
    static_cast<void>(job.call(create("next", 1)));
    static_cast<void>(job.controller->wait_for_goal(WaiterId{1}, GoalId{1}, {}));
    job.controller->gates().set_nodes({"n1"});
    // The source pushes before its checkpoint here.
    EXPECT_EQ(job.tick(), (Texts{"checkpoint", "start_gate:n1", "stop_gate:n0", "push:REPLICA_HANDLES done",
                                 "wake:1 g1 1", "start:next#2"}));
}

TEST(ControllerLoop, R19_AQuietTurnWritesNothing) {
    Job job;
    static_cast<void>(job.call(create("b", 1)));
    job.settle();
    const auto records = job.journal.size();
    EXPECT_EQ(job.tick(), Texts{});
    EXPECT_EQ(job.journal.size(), records);
}

TEST(ControllerLoop, R20_ShutdownKillsGatesThenReplicasThenDeletesTheCheckpoint) {
    Job job;
    static_cast<void>(job.call(create("b", 1)));
    static_cast<void>(job.call(create("c", 1)));
    job.settle();
    EXPECT_EQ(job.call(Shutdown{}).effects,
              (Texts{"checkpoint", "kill_gate:n0", "kill:b#1", "kill:c#2", "delete_checkpoint"}));
    EXPECT_TRUE(job.alive.empty() && job.journal.empty());
    EXPECT_EQ(job.state(), State{});
    EXPECT_EQ(job.tick(), Texts{});  // Nobody comes back.
    job.recover();
    EXPECT_EQ(job.state(), State{});
}

TEST(ControllerLoop, R20_ASuccessorCompletesAShutdown) {
    Job job;
    static_cast<void>(job.call(create("b", 1)));
    job.settle();
    job.die_after = 2;  // The checkpoint and the gate.
    static_cast<void>(job.call(Shutdown{}));
    EXPECT_TRUE(job.dead && job.alive.contains("b#1"));
    job.die_after.reset();
    EXPECT_EQ(job.recover(), (Texts{"kill_gate:n0", "kill:b#1", "delete_checkpoint"}));
    EXPECT_TRUE(job.alive.empty() && job.journal.empty());
}

TEST(ControllerLoop, R20_NothingIsTakenDuringAShutdown) {
    Job job;
    const auto step = job.controller->call(Shutdown{}, {}, 0);
    static_cast<void>(job.controller->commit(step));
    EXPECT_EQ(job.call(create("b", 1)).error, "The controller is shutting down.");
    EXPECT_EQ(job.tick(), Texts{});
}

TEST(ControllerLoop, APartThatFailsStopsNoOtherAndIsTriedAgain) {
    Job job;
    job.starts = false;
    static_cast<void>(job.call(create("b", 1)));
    static_cast<void>(job.call(create("c", 1)));
    EXPECT_TRUE(has(job.tick(), "start:b#1"));
    EXPECT_FALSE(has(job.tick(), "start:b#1"));
    EXPECT_EQ(job.controller->failed(StartReplica{{"b", ReplicaId{1}}}, "no such host").text,
              "control loop: starting replica b#1 failed: no such host. It is tried again in the next turn.");
    static_cast<void>(job.controller->failed(StartGate{"n0"}, "port in use"));
    job.report("c#2", ReplicaReport::Kind::started);
    const auto effects = job.tick();
    EXPECT_TRUE(has(effects, "start:b#1") && has(effects, "start_gate:n0") && has(effects, "push:REPLICA_HANDLES c"));
}

TEST(ControllerLoop, ASlowTurnIsWarnedOf) {
    Job job;
    EXPECT_FALSE(job.controller->took(10'000));
    EXPECT_EQ(job.controller->took(10'001)->text, "control loop: a turn took 10001 ms, more than 10000 ms.");
}

TEST(ControllerLoop, AnUnhealthyReplicaIsReplaced) {
    Job job;
    static_cast<void>(job.call(create("b", 1)));
    job.settle();
    for (int bad = 0; bad < 3; ++bad) {
        EXPECT_TRUE(has(job.tick(10'000), "check:b#1"));
        job.report("b#1", ReplicaReport::Kind::unwell);
    }
    const auto effects = job.tick();
    EXPECT_TRUE(has(effects, "stop:b#1 0") && has(effects, "start:b#2"));
    EXPECT_EQ(job.handles("b"), (Texts{"b#2"}));
}

TEST(ControllerLoop, AStartThatIsNeverReportedHasFailed) {
    Job job;
    job.starts = false;
    static_cast<void>(job.call(create("b", 1)));
    EXPECT_TRUE(has(job.tick(), "start:b#1"));
    EXPECT_FALSE(has(job.tick(119'999), "stop:b#1 0"));
    const auto effects = job.tick(1);
    EXPECT_TRUE(has(effects, "stop:b#1 0") && has(effects, "start:b#2"));
    job.report("b#1", ReplicaReport::Kind::started);  // Too late.
    static_cast<void>(job.tick(1));
    EXPECT_EQ(job.handles("b"), Texts{});
    static_cast<void>(job.tick(120'000));
    static_cast<void>(job.tick(120'000));
    static_cast<void>(job.tick());
    EXPECT_EQ(job.state().goals.at(GoalId{1}).outcome, GoalOutcome::failed);  // Nobody waits for ever.
}

TEST(ControllerLoop, WhoRunsUnwantedIsStopped) {
    Job job;
    static_cast<void>(job.call(create("b", 1)));
    job.settle();
    job.report("b#9", ReplicaReport::Kind::started);
    EXPECT_TRUE(has(job.tick(), "stop:b#9 0"));
}

TEST(ControllerLoop, AnotherProgramRollsAndKeepsTheOldOnesWhereItFails) {
    Job job;
    static_cast<void>(job.call(create("b", 5)));
    job.settle();
    static_cast<void>(job.call(create("b", 5, "\"new\"")));
    std::size_t least = 5;
    for (int i = 0; i < 12; ++i) {
        static_cast<void>(job.tick());
        least = std::min(least, job.handles("b").size());
    }
    EXPECT_EQ(least, 5U);  // There is room, so new ones come before old ones go.
    EXPECT_EQ(job.controller->num_pending_goals(), 0U);
    for (const auto& [id, replica] : replicas_of(job.state(), "b")) EXPECT_EQ(replica.version, 2U);
    const auto kept = job.handles("b");
    job.fail_starts = true;
    const auto goal = job.call(create("b", 5, "\"broken\"")).goal;
    for (int i = 0; i < 30; ++i) static_cast<void>(job.tick());
    EXPECT_EQ(job.handles("b"), kept);
    EXPECT_EQ(job.state().goals.at(*goal).outcome, GoalOutcome::failed);
}

TEST(ControllerLoop, AnAutoscaledBackendFollowsItsRequests) {
    Job job;
    auto config = replicas(1);
    config.autoscaling = AutoscalingConfig{.min_replicas = 1, .max_replicas = 4};
    static_cast<void>(job.call(CreateBackend{"b", config, "\"f\""}));
    job.settle();
    job.controller->observe("b", 6);
    for (int i = 0; i < 45; ++i) static_cast<void>(job.tick());
    EXPECT_GE(job.handles("b").size(), 2U);
    for (int i = 0; i < 60; ++i) static_cast<void>(job.tick());
    EXPECT_EQ(job.handles("b").size(), 3U);  // 6 requests, 2 each.
    const auto wanted = job.state().backends.at("b").wanted;
    job.recover();
    EXPECT_EQ(job.state().backends.at("b").wanted, wanted);  // The decision is hard state.
}

TEST(ControllerLoop, ReplacementsTakeNoMoreThanThereIsRoom) {
    Job job;
    static_cast<void>(job.call(create("b", 2)));
    job.settle();
    job.kill("b#1");
    job.controller->set_room(0);
    EXPECT_FALSE(has(job.tick(), "start:b#3"));
    job.controller->set_room(1);
    EXPECT_TRUE(has(job.tick(), "start:b#3"));
    static_cast<void>(job.call(create("c", 1)));
    job.settle();
    job.kill("b#2");
    job.kill("c#4");
    EXPECT_TRUE(has(job.tick(), "start:b#5"));  // One place, and two who want it.
    EXPECT_EQ(job.handles("c"), Texts{});
}

}  // namespace muster::core::controller::testing
