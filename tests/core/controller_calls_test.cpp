// SPDX-License-Identifier: Apache-2.0
// What calls answer: idempotence, validation, the source's texts.
#include <gtest/gtest.h>

#include "controller_support.hpp"

namespace muster::core::controller::testing {

TEST(ControllerCalls, R7_TheSameAgainIsNoGoal) {
    Job job;
    EXPECT_EQ(job.call(create("b", 2)).goal, GoalId{1});
    const auto before = job.state();
    const auto again = job.call(create("b", 2));
    EXPECT_FALSE(again.goal || again.error);
    EXPECT_EQ(again.effects, Texts{});
    EXPECT_EQ(job.state(), before);
    EXPECT_EQ(job.call(create("b", 3)).goal, GoalId{2});           // Another config.
    EXPECT_EQ(job.call(create("b", 3, "\"g\"")).goal, GoalId{3});  // Another program.
    EXPECT_EQ(job.state().backends.at("b").version, 2U);
}

TEST(ControllerCalls, R8_AFailedCreateLeavesNothing) {
    Job job;
    job.around.room = 1;
    const auto failed = job.call(create("b", 2));
    EXPECT_EQ(failed.error,
              "Cannot scale backend b to 2 replicas: 2 would have to be started and there is room for 1. Ask for fewer "
              "replicas or add standbys.");
    EXPECT_EQ(failed.effects, Texts{});
    EXPECT_EQ(job.state(), State{});
    job.around = {};
    EXPECT_EQ(job.call(create("b", 2)).goal, GoalId{1});
}

TEST(ControllerCalls, R8_OursRestoresThePreviousEntryAndItsGoal) {
    Job job;
    static_cast<void>(job.call(create("b", 1)));
    const auto before = job.state();
    job.around.scaling_fails = "no resources";
    EXPECT_EQ(job.call(create("b", 2)).error, "no resources");  // The source would delete b here.
    EXPECT_EQ(job.call(scale("b", 3)).error, "no resources");   // And keep the new config here.
    EXPECT_EQ(job.state(), before);
    EXPECT_EQ(job.state().pending.at("b"), GoalId{1});
    EXPECT_EQ(job.journal.size(), 1U);
}

TEST(ControllerCalls, R11_DeletesWhatNobodyUses) {
    Job job;
    EXPECT_FALSE(job.call(DeleteBackend{"b"}).goal);
    static_cast<void>(job.call(create("b", 1)));
    static_cast<void>(job.call(create("shadow", 1)));
    static_cast<void>(job.call(endpoint("e", {{"b", 1}})));
    static_cast<void>(job.call(ShadowTraffic{"e", "shadow", 0.5}));
    for (const std::string tag : {"b", "shadow"})
        EXPECT_EQ(job.call(DeleteBackend{tag}).error,
                  "Backend '" + tag +
                      "' is used by endpoint 'e' and cannot be deleted. Please remove the backend from all endpoints "
                      "and try again.");
    EXPECT_FALSE(job.call(DeleteBackend{"unknown"}).error);  // Unknown comes first.
    static_cast<void>(job.call(DeleteEndpoint{"e"}));
    const auto deleted = job.call(DeleteBackend{"b"});
    EXPECT_EQ(deleted.goal, GoalId{3});
    EXPECT_EQ(deleted.effects,
              (Texts{"checkpoint", "retire:BACKEND_CONFIGS b", "retire:REPLICA_HANDLES b"}));  // R18: no map.
    EXPECT_FALSE(job.state().backends.contains("b"));
}

TEST(ControllerCalls, R11_ForceKillHasNoGraceTime) {
    Job job;
    static_cast<void>(job.call(create("gentle", 1)));
    static_cast<void>(job.call(create("forced", 1)));
    job.settle();
    job.stops = false;
    static_cast<void>(job.call(DeleteBackend{"gentle"}));
    static_cast<void>(job.call(DeleteBackend{"forced", true}));
    const auto effects = job.tick();
    EXPECT_NE(std::find(effects.begin(), effects.end(), "stop:gentle#1 20000"), effects.end());
    EXPECT_NE(std::find(effects.begin(), effects.end(), "stop:forced#2 0"), effects.end());
}

TEST(ControllerCalls, R12_APartialUpdateMergesOnlyWhatIsSet) {
    Job job;
    auto config = replicas(2);
    config.max_batch_size = 8;
    config.user_config = "{\"a\":1}";
    static_cast<void>(job.call(CreateBackend{"b", config, "\"f\""}));
    BackendConfigUpdate options;
    options.num_replicas = 3;
    options.max_batch_size = std::optional<std::int64_t>{};  // Set, to nothing.
    EXPECT_EQ(job.call(UpdateBackendConfig{"b", options}).goal, GoalId{2});
    config.num_replicas = 3;
    config.max_batch_size.reset();
    EXPECT_EQ(job.state().backends.at("b").config, config);
    EXPECT_EQ(job.state().backends.at("b").version, 1U);
    EXPECT_EQ(job.call(scale("c", 1)).error, "Backend c is not registered.");
}

TEST(ControllerCalls, R12_TheWholeIsValidatedNotTheUpdate) {
    Job job;
    auto config = replicas(1);
    config.accepts_batches = false;
    static_cast<void>(job.call(CreateBackend{"b", config, "\"f\""}));
    const auto before = job.state();
    BackendConfigUpdate options;
    options.max_batch_size = 4;  // Right by itself, not together with what is there.
    EXPECT_EQ(job.call(UpdateBackendConfig{"b", options}).error,
              "max_batch_size is set in config but the function or method does not accept batching.");
    EXPECT_EQ(job.call(scale("b", -1)).error, "Number of replicas must be greater than or equal to 0.");
    EXPECT_EQ(job.state(), before);
}

TEST(ControllerCalls, R14_TrafficGoesToRegisteredBackendsWithWeightsThatSumToOne) {
    Job job;
    static_cast<void>(job.call(create("b", 1)));
    static_cast<void>(job.call(create("c", 1)));
    const std::string unknown = "Attempted to assign traffic to a backend 'x' that is not registered.";
    EXPECT_EQ(job.call(endpoint("e", {{"x", 1}})).error, unknown);
    EXPECT_EQ(job.call(endpoint("e", {{"b", 0.5}, {"c", 0.25}})).error,
              "Traffic dictionary weights must sum to 1, currently they sum to 0.75");
    EXPECT_TRUE(job.call(endpoint("e", {})).error);
    EXPECT_FALSE(job.call(endpoint("e", {{"b", 1 + 0.9e-8}})).error);
    EXPECT_TRUE(job.call(SetTraffic{"e", {{"b", 1 + 1.1e-8}}}).error);
    EXPECT_EQ(job.call(SetTraffic{"e", {{"x", 1}}}).error, unknown);
    EXPECT_EQ(job.call(SetTraffic{"e", {{"b", 1.5}, {"c", -0.5}}}).error,
              "Attempted to assign a weight of -0.5 to backend 'c'. Weights cannot be negative.");
    EXPECT_EQ(job.call(SetTraffic{"f", {{"b", 1}}}).error,
              "Attempted to assign traffic for an endpoint 'f' that is not registered.");
    const auto set = job.call(SetTraffic{"e", {{"b", 0.5}, {"c", 0.5}}});
    EXPECT_EQ(set.effects, (Texts{"checkpoint", "push:TRAFFIC_POLICIES e"}));
    EXPECT_EQ(job.state().endpoints.at("e").traffic, (Weights{{"b", 0.5}, {"c", 0.5}}));
}

TEST(ControllerCalls, R15_AShadowOfNothingIsRemoved) {
    Job job;
    static_cast<void>(job.call(create("b", 1)));
    static_cast<void>(job.call(endpoint("e", {{"b", 1}})));
    EXPECT_EQ(job.call(ShadowTraffic{"e", "x", 0.5}).error,
              "Attempted to shadow traffic to a backend 'x' that is not registered.");
    EXPECT_EQ(job.call(ShadowTraffic{"f", "b", 0.5}).error,
              "Attempted to shadow traffic from an endpoint 'f' that is not registered.");
    EXPECT_TRUE(job.call(ShadowTraffic{"e", "b", 1.5}).error);
    EXPECT_EQ(job.call(ShadowTraffic{"e", "b", 0.5}).effects, (Texts{"checkpoint", "push:TRAFFIC_POLICIES e"}));
    EXPECT_EQ(job.state().endpoints.at("e").shadows, (Weights{{"b", 0.5}}));
    static_cast<void>(job.call(ShadowTraffic{"e", "b", 0}));
    EXPECT_EQ(job.state().endpoints.at("e").shadows, Weights{});
    static_cast<void>(job.call(ShadowTraffic{"e", "b", 0.5}));
    static_cast<void>(job.call(SetTraffic{"e", {{"b", 1}}}));  // A new policy.
    EXPECT_EQ(job.state().endpoints.at("e").shadows, Weights{});
}

TEST(ControllerCalls, R16_EndpointsAreCreatedOnceAndDeletedAtWill) {
    Job job;
    static_cast<void>(job.call(create("b", 1)));
    const TrafficDict all{{"b", 1}};
    EXPECT_EQ(job.call(endpoint("e", all)).effects,
              (Texts{"checkpoint", "push:ROUTE_TABLE e", "push:TRAFFIC_POLICIES e"}));
    EXPECT_EQ(job.call(endpoint("e", all)).effects, Texts{});  // The same again.
    EXPECT_EQ(job.call(CreateEndpoint{"e", all, "/e", {"POST"}}).error,
              "Cannot create endpoint. Route '/e' is already registered.");
    EXPECT_EQ(job.call(CreateEndpoint{"e", all, "/other", {"GET"}}).error,
              "Cannot create endpoint. Endpoint 'e' is already registered.");
    EXPECT_FALSE(job.call(CreateEndpoint{"headless", all, {}, {"GET"}}).error);
    EXPECT_EQ(job.call(CreateEndpoint{"headless", all, {}, {"GET"}}).effects, Texts{});
    EXPECT_FALSE(job.state().endpoints.at("headless").route);
    EXPECT_EQ(job.call(DeleteEndpoint{"e"}).effects.front(), "checkpoint");
    EXPECT_EQ(job.call(DeleteEndpoint{"e"}).effects, Texts{});
    EXPECT_TRUE(job.state().backends.contains("b"));
}

TEST(ControllerCalls, R21_ReadingChangesNothing) {
    Job job;
    static_cast<void>(job.call(create("b", 2)));
    job.settle();
    const auto before = job.state();
    EXPECT_EQ(job.handles("b"), (Texts{"b#1", "b#2"}));
    EXPECT_EQ(job.handles("unknown"), Texts{});
    EXPECT_EQ(job.controller->gates().handles(), (std::map<std::string, std::string>{{"n0", "gate:n0"}}));
    EXPECT_EQ(job.controller->gates().config().port, 8000);
    EXPECT_EQ(job.controller->num_pending_goals(), 0U);
    EXPECT_EQ(job.state(), before);
    EXPECT_EQ(job.journal.size(), 3U);
}

TEST(ControllerCalls, ANameOfNothingIsRefused) {
    Job job;
    EXPECT_TRUE(job.call(create("", 1)).error);
    EXPECT_TRUE(job.call(endpoint("", {})).error);
}

}  // namespace muster::core::controller::testing
