// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a client asks the controller, and what it is answered, as values and as the bytes of a message.
/// Intuition: commands change something and are done once; the rest only looks or waits, and may be asked again.
/// Shape: encode() and decode are inverse. Units: milliseconds. Errors: nonsense decodes to nothing. Thread safety:
/// pure. Source: acceptance R7 to R21.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "core/controller_command.hpp"
#include "core/long_poll.hpp"

namespace muster::core::controller {

// clang-format off
struct WaitForGoal { GoalId goal; std::optional<std::uint64_t> limit_ms{}; };
struct ListenForChange { std::map<std::string, SnapshotId> keys; std::optional<std::uint64_t> limit_ms{}; };
struct GetBackendConfig { std::string tag; };
struct ListBackends {};
struct ListEndpoints {};
struct ListReplicas {};
struct CountPendingGoals {};
// clang-format on
using Question = std::variant<WaitForGoal, ListenForChange, GetBackendConfig, ListBackends, ListEndpoints, ListReplicas,
                              CountPendingGoals>;
using Call = std::variant<Command, Question>;

[[nodiscard]] Bytes encode(const Call& call);
[[nodiscard]] std::optional<Call> decode_call(std::span<const std::byte> bytes);

// clang-format off
struct CallDone { std::optional<GoalId> goal; };                     ///< To a command.
struct WaitEnded { GoalOutcome outcome = GoalOutcome::reached; };    ///< pending: its time is over.
struct Changed { std::map<std::string, Snapshot> keys; };            ///< Empty: the time is over. Values are views.
struct Viewed { Bytes view; };
struct Counted { std::uint64_t count = 0; };
// clang-format on
using Answer = std::variant<CallDone, WaitEnded, Changed, Viewed, Counted>;

[[nodiscard]] Bytes encode(const Answer& answer);
[[nodiscard]] std::optional<Answer> decode_answer(std::span<const std::byte> bytes);

/// A whole map, or one entry of it; an entry that is gone is null. As bytes of a ControllerView.
[[nodiscard]] Value view_of(const State& state, Topic topic);
[[nodiscard]] Value view_of(const State& state, Topic topic, const std::string& tag);
/// The whole state of endpoints, for the query.
[[nodiscard]] Value endpoints_of(const State& state);
[[nodiscard]] std::optional<ControllerView> decode_view(std::span<const std::byte> bytes);

}  // namespace muster::core::controller
