// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The calls that change something, and what each comes to: a refusal in the source's words, nothing, or one event.
/// Intuition: decide() looks at the state and says what the call means; nothing has changed until the event is folded,
/// so a call that fails half-way (R8) cannot leave anything behind.
/// Shape: a pure function. Every call may be made again (R1): what is there already is no event and no goal.
/// Errors: Decision::error, the exact texts of acceptance R8 to R15. Thread safety: pure.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/controller_effect.hpp"
#include "core/controller_event.hpp"

namespace muster::core::controller {

using TrafficDict = std::vector<std::pair<std::string, double>>;  ///< In the caller's order: the first fault counts.

// clang-format off
struct CreateBackend { std::string tag; BackendConfig config; std::string replica_config = "null"; };
struct DeleteBackend { std::string tag; bool force_kill = false; };
struct UpdateBackendConfig { std::string tag; BackendConfigUpdate options; };
struct CreateEndpoint { std::string name; TrafficDict traffic; std::optional<std::string> route; std::vector<std::string> methods; };
struct DeleteEndpoint { std::string name; };
struct SetTraffic { std::string endpoint; TrafficDict traffic; };
struct ShadowTraffic { std::string endpoint; std::string backend; double proportion = 0; };
struct Shutdown {};
// clang-format on
using Command = std::variant<CreateBackend, DeleteBackend, UpdateBackendConfig, CreateEndpoint, DeleteEndpoint,
                             SetTraffic, ShadowTraffic, Shutdown>;

/// What scaling depends on and the state does not say.
struct Surroundings {
    std::optional<std::uint32_t> room{};         ///< Replicas that can be started beside those there are.
    std::optional<std::string> scaling_fails{};  ///< The fault hook of R8: the scaling step raises this.
};

struct Decision {
    std::optional<std::string> error{};  ///< Refused: nothing else is there.
    std::optional<GoalId> goal{};
    std::optional<Event> event{};  ///< Nothing: it is so already.
    Effects effects{};             ///< Once the event is safe.
    bool scaled = false;           ///< The scaling step was reached.
};

[[nodiscard]] Decision decide(const State& state, const Command& command, const Surroundings& around);

/// What a backend's replicas have to do to become `wanted`; the newest go first, those that do not run yet before all.
struct Scaling {
    std::vector<ReplicaId> start{}, stop{};
};
[[nodiscard]] Scaling scaling_of(const State& state, const std::string& tag, std::uint32_t wanted);

/// A real number as the source's texts show it: "0.5", "2.0".
[[nodiscard]] std::string shown(double value);

}  // namespace muster::core::controller
