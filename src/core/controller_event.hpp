// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What has happened, in the words of the journal: each event is one record, and each is whole by itself, so that a
/// crash between two of them leaves a state that makes sense.
/// Shape: encode() and decode_event() are inverse; apply() is pure and total: an event that names what is not there
/// changes nothing of it. Errors: nonsense decodes to nothing. Thread safety: plain values.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/codec.hpp"
#include "core/controller_state.hpp"

namespace muster::core::controller {

namespace event {

/// Created or updated: the whole entry as it is now, its new goal, and what its scaling came to.
struct BackendSet {
    std::string tag;
    Backend backend;
    GoalId goal;
    std::vector<ReplicaId> start{}, stop{};
};
/// Forgotten; its replicas are to go.
struct BackendDeleted {
    std::string tag;
    GoalId goal;
    std::uint64_t grace_ms = 0;
};
struct EndpointSet {
    std::string name;
    Endpoint endpoint;
};
struct EndpointDeleted {
    std::string name;
};
/// What one turn of the control loop has found, or decided, about one backend's replicas.
struct ReplicasMoved {
    std::string tag;
    std::optional<std::uint32_t> wanted{};  ///< The autoscaler's decision.
    std::vector<ReplicaId> running{}, stop{}, stopping{}, gone{}, start{};
    std::uint64_t grace_ms = 0;  ///< For `stop`.
    [[nodiscard]] bool is_empty() const {
        return !wanted && running.empty() && stop.empty() && stopping.empty() && gone.empty() && start.empty();
    }
};
struct GoalsEnded {
    GoalOutcome outcome = GoalOutcome::reached;
    std::vector<GoalId> goals{};
};
struct GoalsForgotten {
    std::vector<GoalId> goals{};
};
struct ShuttingDown {};  ///< From here on there is no way back; a successor completes it.
struct Cleared {};       ///< The checkpoint is deleted: nothing is left.

}  // namespace event

using Event =
    std::variant<event::BackendSet, event::BackendDeleted, event::EndpointSet, event::EndpointDeleted,
                 event::ReplicasMoved, event::GoalsEnded, event::GoalsForgotten, event::ShuttingDown, event::Cleared>;

[[nodiscard]] Bytes encode(const Event& event);
[[nodiscard]] std::optional<Event> decode_event(std::span<const std::byte> record);
/// For people: what `muster journal show` prints of a record. One line.
[[nodiscard]] std::string describe(const Event& event);

void apply(State& state, const Event& event);

}  // namespace muster::core::controller
