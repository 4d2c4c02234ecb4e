// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the controller wants done, in this order, after its records are safe. Carrying one out twice is harmless.
/// Thread safety: plain values.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/controller_state.hpp"

namespace muster::core::controller {

/// What listeners subscribe to: the whole map by its name, "BACKEND_CONFIGS", one entry by "BACKEND_CONFIGS:tag".
/// The names are the source's LongPollKeys.
enum class Topic : std::uint8_t { backend_configs, replica_handles, route_table, traffic_policies };
[[nodiscard]] const char* name_of(Topic topic);

using WaiterId = Id<struct WaiterTag, std::uint64_t>;  ///< One call of wait_for_goal.

// clang-format off
struct Push { Topic topic; std::vector<std::string> tags; };  ///< The map has changed, in these entries.
struct Retire { Topic topic; std::string tag; };  ///< One entry is gone; only its own subscribers hear of it.
struct EndWait { WaiterId waiter; GoalId goal; GoalOutcome outcome; };  ///< pending: its time is over.
struct StartReplica { ReplicaName name; };   ///< Where one of this name runs, it is that one (R6).
struct AttachReplica { ReplicaName name; };  ///< Should run, from an earlier incarnation: report it where it is gone.
struct StopReplica { ReplicaName name; std::uint64_t grace_ms; };  ///< Drain, at most so long, then kill. 0: at once.
struct CheckReplica { ReplicaName name; };   ///< Ask whether it is well.
struct StartGate { std::string node; };      ///< Where one runs there, it is that one.
struct StopGate { std::string node; };
struct KillGate { std::string node; };       ///< At once, and it is not to come back (R20).
struct KillReplica { ReplicaName name; };    ///< The same.
struct DeleteCheckpoint { Bytes record; };   ///< Of the journal and of followers; the record is the last one to fold.
struct Exit { int code; };                   ///< R5: the fault hook; what follows is not carried out.
struct Warn { std::string text; };
// clang-format on
using Effect = std::variant<Push, Retire, EndWait, StartReplica, AttachReplica, StopReplica, CheckReplica, StartGate,
                            StopGate, KillGate, KillReplica, DeleteCheckpoint, Exit, Warn>;
using Effects = std::vector<Effect>;

}  // namespace muster::core::controller
