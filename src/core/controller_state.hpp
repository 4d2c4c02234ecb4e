// SPDX-License-Identifier: Apache-2.0
#pragma once
/// All that the controller knows and must not forget: what is wanted, what runs, and which goals are open.
/// Intuition: one value that is a fold of events (controller_event): apply() is the only way to change it, so the
/// coordinator, its followers and a restart from the journal all hold the same.
/// Shape: replicas are listed per backend, also of backends that are deleted, until the last one is gone. There is no
/// time in it: clocks differ between coordinators. Ids are never used twice.
/// Errors: decode_state() of anything else is nothing. Thread safety: plain values.
/// Source: acceptance R1, R4, R9 to R16; names are the source's.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/codec.hpp"
#include "core/controller_config.hpp"
#include "muster/types.hpp"

namespace muster::core::controller {

using muster::Endpoint;
using muster::GoalId;
using muster::GoalOutcome;
using muster::Weights;
using ReplicaId = Id<struct ReplicaTag, std::uint64_t>;  ///< Of the whole job, upwards from 1.

/// "b#7": what a replica is called for life, also by the coordinator's successors (R6).
struct ReplicaName {
    std::string backend;
    ReplicaId id;
    auto operator<=>(const ReplicaName&) const = default;
};
[[nodiscard]] std::string text_of(const ReplicaName& name);
[[nodiscard]] std::optional<ReplicaName> replica_from(const std::string& text);  ///< Read from the right.

enum class ReplicaPhase : std::uint8_t {
    to_start,  ///< Is to be started; perhaps it runs already and nobody has said so yet.
    running,   ///< Takes requests.
    to_stop,   ///< Is to be stopped, and takes requests until the next turn begins with it.
    stopping,  ///< Drains or is being killed; nobody is told of it any more.
};

struct Replica {
    ReplicaPhase phase = ReplicaPhase::to_start;
    std::uint64_t version = 1;
    std::uint64_t grace_ms = 0;  ///< How long it may drain. Of those that are to stop.
    bool operator==(const Replica&) const = default;
};
using Replicas = std::map<ReplicaId, Replica>;

struct Backend {
    BackendConfig config;
    std::string replica_config = "null";  ///< JSON: what to run; passed on as it is.
    std::uint64_t version = 1;            ///< +1 when replica_config changes: older replicas are replaced.
    std::uint32_t wanted = 1;             ///< Replicas; the config's number or the autoscaler's.
    bool operator==(const Backend&) const = default;
};

struct Goal {
    std::string backend;
    GoalOutcome outcome = GoalOutcome::pending;
    bool operator==(const Goal&) const = default;
};

struct State {
    std::map<std::string, Backend> backends{};
    std::map<std::string, Endpoint> endpoints{};
    std::map<std::string, Replicas> replicas{};  ///< By backend; no empty lists.
    std::map<GoalId, Goal> goals{};              ///< Ended ones too, until they are forgotten.
    std::map<std::string, GoalId> pending{};     ///< Those of them that are pending, by backend: at most one each.
    GoalId last_goal{};
    ReplicaId last_replica{};
    bool shutting_down = false;
    bool operator==(const State&) const = default;
};

/// The same state gives the same bytes.
[[nodiscard]] Bytes encode(const State& state);
[[nodiscard]] std::optional<State> decode_state(std::span<const std::byte> bytes);

void put(Writer& out, const Endpoint& endpoint);
[[nodiscard]] Endpoint take_endpoint(Reader& in);

[[nodiscard]] const Replicas& replicas_of(const State& state, const std::string& backend);

/// Is named to those who route requests.
[[nodiscard]] inline bool serves(const Replica& replica) {
    return replica.phase == ReplicaPhase::running || replica.phase == ReplicaPhase::to_stop;
}
/// Runs or is about to, and is not to go.
[[nodiscard]] inline bool stays(const Replica& replica) {
    return replica.phase == ReplicaPhase::running || replica.phase == ReplicaPhase::to_start;
}

/// The replicas of a backend that take requests.
[[nodiscard]] std::vector<ReplicaName> handles_of(const State& state, const std::string& backend);

}  // namespace muster::core::controller
