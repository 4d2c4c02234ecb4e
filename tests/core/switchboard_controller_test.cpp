// SPDX-License-Identifier: Apache-2.0
/// The controller over the control channel: its calls, and that they outlive coordinators and as many holders as may
/// go.
#include <gtest/gtest.h>

#include "controller_job.hpp"
#include "core/overloaded.hpp"

namespace muster::core {
namespace {

using namespace controller;
using testing::ControllerJob;

Call created(const std::string& tag, std::int64_t replicas) {
    BackendConfig config;
    config.num_replicas = replicas;
    return Command{CreateBackend{tag, config, "null"}};
}
Call updated(const std::string& tag, std::int64_t replicas) {
    BackendConfigUpdate update;
    update.num_replicas = replicas;
    return Command{UpdateBackendConfig{tag, update}};
}

/// 4 engines (0 to 3), two standbys (4 and 5), two clients (6 and 7); two followers.
struct ControllerOverTheChannel : ::testing::Test {
    ControllerJob job{{.engines = 4, .standbys = 2, .clients = 2}};
    GoalId goal_of(std::uint32_t rank, const Call& call) {
        const auto done = job.now<CallDone>(rank, call);
        EXPECT_TRUE(done && done->goal) << job.error;
        return done && done->goal ? *done->goal : GoalId{};
    }
};

TEST_F(ControllerOverTheChannel, R7_AnyMemberCallsAndIsAnswered) {
    EXPECT_EQ(goal_of(6, created("b", 2)), GoalId{1});
    EXPECT_EQ(job.now<CallDone>(3, created("b", 2))->goal, std::nullopt) << "the same again";
    EXPECT_EQ(job.now<WaitEnded>(4, Question{WaitForGoal{GoalId{1}, 5'000}})->outcome, GoalOutcome::reached);
    EXPECT_EQ(job.running.size(), 2u);
    EXPECT_EQ(job.now<Counted>(0, Question{CountPendingGoals{}})->count, 0u);
    EXPECT_FALSE(job.now<CallDone>(7, updated("x", 1)));
    EXPECT_EQ(job.error, "Backend x is not registered.");
}

TEST_F(ControllerOverTheChannel, R21_QueriesShowWhatThereIs) {
    (void)goal_of(6, created("b", 1));
    (void)job.now<CallDone>(6, Command{CreateEndpoint{"e", {{"b", 1}}, "/e", {"GET"}}});
    const auto view = [&](const Question& question) { return *decode_view(job.now<Viewed>(7, question)->view); };
    EXPECT_EQ(view(GetBackendConfig{"b"}).backends.at("b").num_replicas, 1);
    EXPECT_EQ(view(ListBackends{}).backends.size(), 1u);
    EXPECT_EQ(view(ListEndpoints{}).endpoints.at("e").traffic, (Weights{{"b", 1.0}}));
    EXPECT_EQ(view(ListReplicas{}).replicas.at("b"), std::vector<std::string>{"b#1"});
    EXPECT_FALSE(job.now<Viewed>(7, Question{GetBackendConfig{"x"}}));
    EXPECT_EQ(job.error, "Backend x is not registered.");
}

TEST_F(ControllerOverTheChannel, R9_AWaitHasATimeLimitAndAnUnknownGoalIsReached) {
    job.on_order = {};  // Nothing starts.
    const auto goal = goal_of(6, created("b", 1));
    EXPECT_EQ(job.now<WaitEnded>(7, Question{WaitForGoal{goal, 300}})->outcome, GoalOutcome::pending);
    EXPECT_EQ(job.now<WaitEnded>(7, Question{WaitForGoal{GoalId{99}, 300}})->outcome, GoalOutcome::reached);
}

TEST_F(ControllerOverTheChannel, NobodyReportsAReplicaThatNobodyStarts) {
    job.on_order = {};
    const auto goal = goal_of(6, created("b", 1));
    job.pass(20'000);
    EXPECT_EQ(job.state().goals.at(goal).outcome, GoalOutcome::pending);
    EXPECT_TRUE(handles_of(job.state(), "b").empty());
}

TEST_F(ControllerOverTheChannel, AJobThatNeverUsesItSendsNothing) {
    job.pass(5'000);
    const auto before = job.sent.size();
    job.pass(5'000);
    EXPECT_EQ(job.sent.size(), before);
    EXPECT_EQ(job.board(0).mirror().index, 0u);
}

TEST_F(ControllerOverTheChannel, R4_ASuccessorHasTheSameGoalsAndGivesTheSameAnswer) {
    job.on_order = {};
    const auto goal = goal_of(6, created("b", 1));
    const auto wait = job.call(7, Question{WaitForGoal{goal, 60'000}});
    job.pass();
    for (const std::uint32_t dead : {0u, 1u}) {
        job.kill(dead);
        job.rebuild_until_whole();
        job.pass();
        EXPECT_EQ(job.state().pending.at("b"), goal) << "after the death of " << dead;
        EXPECT_EQ(job.answers(7, wait), 0u);
    }
    job.carry_out(job.coordinator(),
                  job.board(job.coordinator()).replica_report({{"b", ReplicaId{1}}, ReplicaReport::Kind::started}));
    job.pass();
    EXPECT_EQ(job.answer<WaitEnded>(7, wait)->outcome, GoalOutcome::reached);
}

TEST_F(ControllerOverTheChannel, BetweenTwoRoundsNothingIsWritten) {
    job.on_order = {};
    (void)goal_of(6, created("b", 1));
    job.carry_out(0, job.board(0).interrupted());
    const auto before = job.board(0).mirror().index;
    job.carry_out(0, job.board(0).replica_report({{"b", ReplicaId{1}}, ReplicaReport::Kind::started}));
    job.carry_out(0, job.board(0).tick(job.now_ms + 10'000));
    EXPECT_EQ(job.board(0).mirror().index, before) << "its facts are being gathered";
    job.rebuild();
    job.pass();
    EXPECT_EQ(handles_of(job.state(), "b").size(), 1u) << "it was only put off";
}

TEST_F(ControllerOverTheChannel, TheEndOfTheJobEndsOpenCalls) {
    job.on_order = {};
    const auto goal = goal_of(6, created("b", 1));
    const auto open = job.call(7, Question{WaitForGoal{goal, 60'000}});
    job.carry_out(7, job.board(7).interrupted());
    job.carry_out(7, job.board(7).ended({}, {Fault::ended, "the job has ended"}));
    EXPECT_FALSE(job.answer<WaitEnded>(7, open));
    EXPECT_EQ(job.error, "the job has ended");
    const auto late = job.call(7, Question{ListBackends{}});
    EXPECT_FALSE(job.answer<Viewed>(7, late));
    EXPECT_EQ(job.error, "the job has ended");
}

/// The process needs a moment to die: nobody may hear of what it was to take with it.
TEST(ControllerSuccession, R5_ACoordinatorThatIsToDieSaysNothingMore) {
    ControllerServerSettings settings;
    settings.controller.detached = true;
    settings.controller.crash_after_checkpoint = 1;
    ControllerJob job({.engines = 4, .standbys = 2, .clients = 2, .controller = settings});
    std::size_t orders = 0;
    job.on_crash = [&](std::uint32_t) { ++orders; };
    const auto id = job.call(6, created("b", 1));
    job.pass(2'000);
    EXPECT_EQ(orders, 1u);
    EXPECT_EQ(job.answers(6, id), 0u);
    EXPECT_EQ(job.starts, 0u);
    EXPECT_EQ(job.state().backends.size(), 1u) << "the checkpoint is there";
}

/// The coordinator dies at every point between the call and its answer: there is one answer, and one goal.
TEST(ControllerSuccession, R1_ACallIsDoneOnceWhereverItsCoordinatorDies) {
    for (std::uint32_t steps = 0; steps < 16; ++steps) {
        ControllerJob job({.engines = 4, .standbys = 2, .clients = 2, .seed = steps + 1});
        ASSERT_TRUE(job.now<CallDone>(6, created("b", 0)));
        const auto id = job.call(6, updated("b", 0));  // An update has a new goal each time that it is done.
        job.run(steps);
        job.kill(0);
        job.rebuild_until_whole();
        job.pass();
        const auto done = job.answer<CallDone>(6, id);
        ASSERT_TRUE(done) << steps << ": " << job.error;
        EXPECT_EQ(done->goal, GoalId{2}) << steps;
        EXPECT_EQ(job.state().last_goal, GoalId{2}) << steps;
    }
}

TEST(ControllerSuccession, R17_AListenerHearsNothingOfASuccessorBeforeItsStateIsWhole) {
    for (std::uint32_t steps = 0; steps < 24; ++steps) {
        ControllerJob job({.engines = 4, .standbys = 2, .clients = 2, .seed = steps + 1});
        ASSERT_TRUE(job.now<CallDone>(6, created("b", 2)));
        job.kill(0);
        job.rebuild_until_whole();
        const auto early = job.call(7, Question{ListenForChange{{{"REPLICA_HANDLES", kNeverSeen}}, 60'000}});
        job.run(steps);
        if (steps % 3 == 0) {
            job.kill(job.coordinator());
            job.rebuild_until_whole();
        }
        job.pass();
        const auto changed = job.answer<Changed>(7, early);
        ASSERT_TRUE(changed) << job.error;
        const auto view = decode_view(*changed->keys.at("REPLICA_HANDLES").value);
        EXPECT_EQ(view->replicas.at("b").size(), 2u) << steps;
    }
}

TEST(ControllerSuccession, R5_ACoordinatorThatDiesAfterEachCheckpointLosesNothing) {
    ControllerServerSettings settings;
    settings.controller.detached = true;
    settings.controller.crash_after_checkpoint = 0.2;
    std::size_t crashes = 0;
    for (const auto seed : testing::seeds(30)) {
        SCOPED_TRACE(testing::replay(seed));
        ControllerJob job({.engines = 6, .standbys = 2, .clients = 2, .seed = seed, .controller = settings});
        for (std::int64_t i = 0; i < 4; ++i) {
            const auto id = job.call(8, created("b" + std::to_string(i), 1));
            job.live_on();
            const auto done = job.answer<CallDone>(8, id);
            ASSERT_TRUE(done) << job.error;
            EXPECT_EQ(done->goal, GoalId{static_cast<std::uint64_t>(i) + 1});
        }
        EXPECT_EQ(job.state().backends.size(), 4u);
        crashes += job.crashes;
    }
    EXPECT_GT(crashes, 30u);
}

}  // namespace
}  // namespace muster::core
