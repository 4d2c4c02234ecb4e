// SPDX-License-Identifier: Apache-2.0
// When goals are reached, and who hears of it.
#include <gtest/gtest.h>

#include "controller_support.hpp"

namespace muster::core::controller::testing {

namespace {

std::optional<GoalOutcome> wait(Job& job, std::uint64_t waiter, std::uint64_t goal,
                                std::optional<std::uint64_t> until_ms = {}) {
    return job.controller->wait_for_goal(WaiterId{waiter}, GoalId{goal}, until_ms);
}

bool has(const Texts& effects, const std::string& wanted) {
    return std::find(effects.begin(), effects.end(), wanted) != effects.end();
}

}  // namespace

TEST(ControllerGoals, R9_AnyNumberWaitsAndAnEndedGoalIsKept) {
    Job job;
    EXPECT_EQ(wait(job, 1, 77), GoalOutcome::reached);  // Unknown.
    static_cast<void>(job.call(create("b", 1)));
    EXPECT_EQ(wait(job, 1, 1), std::nullopt);
    EXPECT_EQ(wait(job, 2, 1), std::nullopt);  // The source's second waiter raises.
    EXPECT_EQ(job.controller->num_pending_goals(), 1U);
    EXPECT_FALSE(has(job.tick(), "wake:1 g1 1"));
    const auto effects = job.tick();
    EXPECT_TRUE(has(effects, "wake:1 g1 1") && has(effects, "wake:2 g1 1"));
    EXPECT_EQ(effects.front(), "checkpoint");  // Nobody hears of it before it is safe.
    EXPECT_EQ(wait(job, 3, 1), GoalOutcome::reached);
    EXPECT_EQ(job.controller->num_pending_goals(), 0U);
    static_cast<void>(job.tick(299'000));
    EXPECT_TRUE(job.state().goals.contains(GoalId{1}));
    static_cast<void>(job.tick(1'000));
    EXPECT_EQ(job.state().goals.size(), 0U);
    EXPECT_EQ(wait(job, 4, 1), GoalOutcome::reached);  // Forgotten is unknown.
}

TEST(ControllerGoals, R9_ForgettingSurvivesARestart) {
    Job job;
    static_cast<void>(job.call(create("b", 1)));
    job.settle();
    static_cast<void>(job.tick(200'000));
    job.recover();
    static_cast<void>(job.tick(200'000));
    EXPECT_EQ(job.state().goals.size(), 1U);  // A successor counts from when it has seen it.
    static_cast<void>(job.tick(100'000));
    EXPECT_EQ(job.state().goals.size(), 0U);
}

TEST(ControllerGoals, R9_ANewGoalEndsTheReplacedOneAtOnce) {
    Job job;
    static_cast<void>(job.call(create("b", 1)));
    EXPECT_EQ(wait(job, 1, 1), std::nullopt);
    const auto update = job.call(scale("b", 2));
    EXPECT_EQ(update.effects, (Texts{"checkpoint", "push:BACKEND_CONFIGS b", "wake:1 g1 2"}));
    EXPECT_EQ(wait(job, 1, 1), GoalOutcome::replaced);
    EXPECT_EQ(job.controller->num_pending_goals(), 1U);
    EXPECT_EQ(wait(job, 2, 2), std::nullopt);
    EXPECT_TRUE(has(job.call(DeleteBackend{"b"}).effects, "wake:2 g2 2"));
}

TEST(ControllerGoals, AWaitHasItsTime) {
    Job job;
    job.starts = false;
    static_cast<void>(job.call(create("b", 1)));
    EXPECT_EQ(wait(job, 1, 1, 2'000), std::nullopt);
    EXPECT_EQ(wait(job, 2, 1), std::nullopt);
    EXPECT_FALSE(has(job.tick(), "wake:1 g1 0"));
    EXPECT_TRUE(has(job.tick(), "wake:1 g1 0"));
    job.controller->forget(WaiterId{2});
    job.report("b#1", ReplicaReport::Kind::started);
    EXPECT_FALSE(has(job.tick(), "wake:2 g1 1"));
}

TEST(ControllerGoals, R10_ReachedWhenAsManyRunAsAreWanted) {
    Job job;
    job.starts = false;
    static_cast<void>(job.call(create("b", 2)));
    static_cast<void>(job.tick());
    job.report("b#1", ReplicaReport::Kind::started);
    static_cast<void>(job.tick());
    EXPECT_EQ(job.controller->num_pending_goals(), 1U);
    job.report("b#2", ReplicaReport::Kind::started);
    static_cast<void>(job.tick());
    EXPECT_EQ(job.controller->num_pending_goals(), 0U);
}

TEST(ControllerGoals, R10_DownIsReachedWhenTheyHaveBegunToLeaveAndZeroWhenNoneIsLeft) {
    Job job;
    static_cast<void>(job.call(create("b", 3)));
    job.settle();
    job.stops = false;
    static_cast<void>(job.call(scale("b", 1)));
    EXPECT_FALSE(is_reached(job.state(), "b"));
    static_cast<void>(job.tick());
    static_cast<void>(job.tick());
    EXPECT_EQ(job.controller->num_pending_goals(), 0U);  // Two drain, one runs.
    static_cast<void>(job.call(DeleteBackend{"b"}));
    static_cast<void>(job.tick());
    for (const char* name : {"b#1", "b#2"}) job.kill(name);
    static_cast<void>(job.tick());
    EXPECT_EQ(job.controller->num_pending_goals(), 1U);
    job.kill("b#3");
    static_cast<void>(job.tick());
    EXPECT_EQ(job.controller->num_pending_goals(), 0U);
    EXPECT_TRUE(job.state().replicas.empty());
}

TEST(ControllerGoals, R10_WantedZeroIsReachedWhenNoneIsLeft) {
    Job job;
    static_cast<void>(job.call(create("b", 0)));
    static_cast<void>(job.tick());
    EXPECT_EQ(job.controller->num_pending_goals(), 0U);
}

TEST(ControllerGoals, AGoalWhoseReplicasNeverStartFails) {
    Job job;
    job.fail_starts = true;
    static_cast<void>(job.call(create("b", 1)));
    EXPECT_EQ(wait(job, 1, 1), std::nullopt);
    static_cast<void>(job.tick());
    static_cast<void>(job.tick());
    static_cast<void>(job.tick());
    EXPECT_EQ(job.controller->num_pending_goals(), 1U);
    EXPECT_TRUE(has(job.tick(), "wake:1 g1 3"));  // The third failure of one replica.
    EXPECT_EQ(wait(job, 2, 1), GoalOutcome::failed);
    const auto quiet = job.tick();
    EXPECT_FALSE(has(quiet, "start:b#4"));
    EXPECT_TRUE(job.state().replicas.empty());
    job.fail_starts = false;
    static_cast<void>(job.tick(60'000));  // Now and then it is tried again.
    EXPECT_EQ(job.handles("b").size(), 1U);
}

}  // namespace muster::core::controller::testing
