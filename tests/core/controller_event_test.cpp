// SPDX-License-Identifier: Apache-2.0
// Events and states as bytes.
#include "core/controller_event.hpp"

#include <gtest/gtest.h>

#include <random>

namespace muster::core::controller {

namespace {

Backend sample_backend() {
    Backend backend;
    backend.config.num_replicas = 3;
    backend.config.max_batch_size = 4;
    backend.config.user_config = "{\"a\":[1,2]}";
    backend.config.autoscaling = AutoscalingConfig{.min_replicas = 1, .max_replicas = 9};
    backend.replica_config = "\"f\"";
    backend.version = 7;
    backend.wanted = 3;
    return backend;
}

std::vector<Event> samples() {
    Endpoint endpoint{"/e", {"GET", "POST"}, {{"b", 0.25}, {"c", 0.75}}, {{"d", 0.5}}};
    event::ReplicasMoved moved{.tag = "b"};
    moved.wanted = 4;
    moved.running = {ReplicaId{1}};
    moved.stop = {ReplicaId{2}};
    moved.stopping = {ReplicaId{3}};
    moved.gone = {ReplicaId{4}, ReplicaId{5}};
    moved.start = {ReplicaId{6}};
    moved.grace_ms = 20'000;
    return {event::BackendSet{"b", sample_backend(), GoalId{2}, {ReplicaId{4}, ReplicaId{5}}, {ReplicaId{1}}},
            event::BackendDeleted{"b", GoalId{3}, 500},
            event::EndpointSet{"e", endpoint},
            event::EndpointDeleted{"e"},
            moved,
            event::GoalsEnded{GoalOutcome::failed, {GoalId{2}}},
            event::GoalsForgotten{{GoalId{1}, GoalId{2}}},
            event::ShuttingDown{},
            event::Cleared{}};
}

State sample_state() {
    State state;
    for (const auto& event : samples()) {
        const bool removes = std::holds_alternative<event::Cleared>(event) ||
                             std::holds_alternative<event::BackendDeleted>(event) ||
                             std::holds_alternative<event::EndpointDeleted>(event);
        if (!removes) apply(state, event);
    }
    apply(state, event::BackendDeleted{"old", GoalId{4}, 0});
    apply(state, event::GoalsEnded{GoalOutcome::reached, {GoalId{4}}});
    apply(state, event::BackendDeleted{"older", GoalId{5}, 0});
    return state;
}

}  // namespace

TEST(ControllerEvent, EachIsReadBackAsItWasWritten) {
    const auto all = samples();
    EXPECT_EQ(all.size(), std::variant_size_v<Event>);
    for (const auto& event : all) {
        const auto bytes = encode(event);
        const auto again = decode_event(bytes);
        ASSERT_TRUE(again) << describe(event);
        EXPECT_EQ(again->index(), event.index());
        EXPECT_EQ(encode(*again), bytes) << describe(event);
        State one = sample_state(), other = one;
        apply(one, event);
        apply(other, *again);
        EXPECT_EQ(one, other) << describe(event);
    }
}

TEST(ControllerEvent, CutShortItIsNothing) {
    for (const auto& event : samples()) {
        const auto bytes = encode(event);
        for (std::size_t size = 0; size < bytes.size(); ++size)
            EXPECT_FALSE(decode_event(std::span(bytes).first(size))) << describe(event) << " at " << size;
        auto longer = bytes;
        longer.push_back(std::byte{0});
        EXPECT_FALSE(decode_event(longer)) << describe(event);
    }
}

TEST(ControllerEvent, NonsenseIsNothingOrAnEventAndNeverHarms) {
    std::mt19937_64 dice(1);
    for (int round = 0; round < 20'000; ++round) {
        auto bytes = encode(samples()[dice() % samples().size()]);
        for (int flips = 0; flips < 3; ++flips) bytes[dice() % bytes.size()] ^= static_cast<std::byte>(dice());
        if (const auto event = decode_event(bytes)) {
            auto state = sample_state();
            apply(state, *event);
            EXPECT_FALSE(describe(*event).empty());
        }
    }
}

TEST(ControllerEvent, AnEventAboutWhatIsNotThereChangesNothingOfIt) {
    State state;
    event::ReplicasMoved moved{.tag = "b"};
    moved.running = {ReplicaId{1}};
    moved.stop = {ReplicaId{2}};
    moved.gone = {ReplicaId{3}};
    apply(state, moved);
    apply(state, event::GoalsEnded{GoalOutcome::reached, {GoalId{9}}});
    apply(state, event::GoalsForgotten{{GoalId{9}}});
    EXPECT_EQ(state, State{});
}

TEST(ControllerEvent, KindsInFilesKeepTheirNumbers) {
    // Journals of older versions are read by these; a new kind goes to the end.
    EXPECT_EQ(encode(Event{event::ShuttingDown{}}), Bytes{std::byte{7}});
    EXPECT_EQ(encode(Event{event::Cleared{}}), Bytes{std::byte{8}});
    EXPECT_EQ(encode(Event{event::BackendDeleted{}})[0], std::byte{1});
}

TEST(ControllerState, ASnapshotIsReadBackAsItWasWritten) {
    const auto state = sample_state();
    EXPECT_FALSE(state.backends.empty() || state.endpoints.empty() || state.replicas.empty() || state.goals.empty());
    const auto bytes = encode(state);
    EXPECT_EQ(decode_state(bytes), state);
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_state(std::span(bytes).first(size)));
}

TEST(ControllerState, NonsenseIsNothingOrAStateThatIsWrittenTheSame) {
    std::mt19937_64 dice(2);
    const auto good = encode(sample_state());
    for (int round = 0; round < 20'000; ++round) {
        auto bytes = good;
        bytes[dice() % bytes.size()] ^= static_cast<std::byte>(1 + dice() % 255);
        const auto state = decode_state(bytes);
        ASSERT_TRUE(!state || encode(*state) == bytes);
    }
}

TEST(ControllerState, ReplicasAreNamedByBackendAndNumber) {
    EXPECT_EQ(text_of({"b#1", ReplicaId{7}}), "b#1#7");
    EXPECT_EQ(replica_from("b#1#7"), (ReplicaName{"b#1", ReplicaId{7}}));
    for (const char* wrong : {"b", "b#", "b#x", "b#7x", "b#-1"}) EXPECT_FALSE(replica_from(wrong)) << wrong;
}

}  // namespace muster::core::controller
