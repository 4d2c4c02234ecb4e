// SPDX-License-Identifier: Apache-2.0
/// Calls and answers of the controller as bytes.
#include "core/controller_call.hpp"

#include <gtest/gtest.h>

namespace muster::core::controller {
namespace {

std::vector<Call> sample_calls() {
    BackendConfig config;
    config.num_replicas = 3;
    config.max_batch_size = 7;
    config.autoscaling = AutoscalingConfig{.min_replicas = 0, .max_replicas = 4, .target_ongoing_requests = 1.5};
    BackendConfigUpdate update;
    update.num_replicas = -2;
    update.max_batch_size = std::optional<std::int64_t>();
    update.batch_wait_timeout = 0.25;
    update.user_config = "{}";
    update.accepts_batches = false;
    update.autoscaling = config.autoscaling;
    BackendConfigUpdate none;
    none.autoscaling = std::optional<AutoscalingConfig>();
    return {Command{CreateBackend{"b", config, "{\"x\":1}"}},
            Command{DeleteBackend{"b", true}},
            Command{UpdateBackendConfig{"b", update}},
            Command{UpdateBackendConfig{"b", none}},
            Command{CreateEndpoint{"e", {{"b", 0.5}, {"c", 0.5}}, "/e", {"GET", "POST"}}},
            Command{CreateEndpoint{"headless", {{"b", 1}}, std::nullopt, {}}},
            Command{DeleteEndpoint{"e"}},
            Command{SetTraffic{"e", {{"b", 1}}}},
            Command{ShadowTraffic{"e", "b", 0.25}},
            Command{Shutdown{}},
            Question{WaitForGoal{GoalId{9}, 250}},
            Question{WaitForGoal{GoalId{9}, std::nullopt}},
            Question{ListenForChange{{{"BACKEND_CONFIGS", -1}, {"REPLICA_HANDLES:b", kIdMin}}, 1}},
            Question{GetBackendConfig{"b"}},
            Question{ListBackends{}},
            Question{ListEndpoints{}},
            Question{ListReplicas{}},
            Question{CountPendingGoals{}}};
}

TEST(ControllerCall, ComesBackAsItWas) {
    for (const auto& call : sample_calls()) {
        const auto bytes = encode(call);
        const auto back = decode_call(bytes);
        ASSERT_TRUE(back) << int(bytes[0]);
        EXPECT_EQ(encode(*back), bytes) << int(bytes[0]);
        EXPECT_EQ(back->index(), call.index());
    }
    const auto update = std::get<UpdateBackendConfig>(std::get<Command>(*decode_call(encode(sample_calls()[2]))));
    EXPECT_EQ(update.options.num_replicas, -2);
    ASSERT_TRUE(update.options.max_batch_size);
    EXPECT_EQ(*update.options.max_batch_size, std::nullopt);
    EXPECT_EQ(update.options.max_concurrent_queries, std::nullopt);
    EXPECT_EQ(update.options.autoscaling->value().max_replicas, 4);
}

TEST(ControllerCall, CutOrWithMoreBehindItIsNone) {
    for (const auto& call : sample_calls()) {
        auto bytes = encode(call);
        for (std::size_t size = 0; size < bytes.size(); ++size)
            EXPECT_FALSE(decode_call(std::span(bytes.data(), size))) << int(bytes[0]) << " " << size;
        bytes.push_back(std::byte{0});
        EXPECT_FALSE(decode_call(bytes)) << int(bytes[0]);
    }
    EXPECT_FALSE(decode_call(Bytes{std::byte{15}}));
}

TEST(ControllerCall, AnswersComeBackAsTheyWere) {
    const std::vector<Answer> answers{
        CallDone{GoalId{3}},
        CallDone{},
        WaitEnded{GoalOutcome::failed},
        Changed{{{"k", {kIdMin, value_of(Bytes{std::byte{1}})}}, {"gone", {kNeverSeen, nullptr}}}},
        Viewed{Bytes{std::byte{2}}},
        Counted{8}};
    for (const auto& answer : answers) {
        const auto bytes = encode(answer);
        const auto back = decode_answer(bytes);
        ASSERT_TRUE(back) << answer.index();
        EXPECT_EQ(encode(*back), bytes);
        EXPECT_FALSE(decode_answer(std::span(bytes.data(), bytes.size() - 1)));
    }
    EXPECT_EQ(std::get<Changed>(*decode_answer(encode(answers[3]))).keys.at("gone").value, nullptr);
}

TEST(ControllerCall, ViewsShowWhatTheirTopicIsAbout) {
    State state;
    state.backends["b"].config.num_replicas = 2;
    state.replicas["b"][ReplicaId{1}].phase = ReplicaPhase::running;
    state.replicas["b"][ReplicaId{2}].phase = ReplicaPhase::to_start;
    state.replicas["gone"][ReplicaId{3}].phase = ReplicaPhase::stopping;
    state.endpoints["e"] = {"/e", {"GET"}, {{"b", 1.0}}, {}};
    const auto whole = [&](Topic topic) { return *decode_view(*view_of(state, topic)); };
    EXPECT_EQ(whole(Topic::backend_configs).backends.at("b").num_replicas, 2);
    EXPECT_EQ(whole(Topic::replica_handles).replicas,
              (std::map<std::string, std::vector<std::string>>{{"b", {"b#1"}}}));
    EXPECT_EQ(whole(Topic::route_table).endpoints.at("e"), (Endpoint{"/e", {"GET"}, {}, {}}));
    EXPECT_EQ(whole(Topic::traffic_policies).endpoints.at("e"), (Endpoint{std::nullopt, {}, {{"b", 1.0}}, {}}));
    EXPECT_EQ(decode_view(*view_of(state, Topic::replica_handles, "b"))->replicas.at("b").front(), "b#1");
    EXPECT_EQ(view_of(state, Topic::replica_handles, "gone"), nullptr);
    EXPECT_EQ(view_of(state, Topic::traffic_policies, "x"), nullptr);
    EXPECT_EQ(decode_view(*endpoints_of(state))->endpoints, state.endpoints);
}

}  // namespace
}  // namespace muster::core::controller
