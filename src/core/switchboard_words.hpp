// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The words of a switchboard: the round it works in, its settings, what its process says, and its effects.
/// Thread safety: plain values.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/backend_routers.hpp"
#include "core/channel.hpp"
#include "core/controller_server.hpp"
#include "core/load_message.hpp"
#include "core/replica_seat.hpp"
#include "core/seat.hpp"
#include "core/signal_log.hpp"
#include "core/steward.hpp"
#include "core/store.hpp"
#include "core/wave_tracker.hpp"
#include "muster/types.hpp"

namespace muster::core {

/// A complete round as the switchboard sees it. Shared, since a simulator holds very many of them.
struct RoundView {
    Round round;
    Rank coordinator;
    std::vector<Rank> members;            ///< All of the pool, ascending.
    std::vector<Rank> world;              ///< Shape: one per slot.
    std::vector<Rank> sources;            ///< The receiving rank of each engine, by slot.
    std::vector<Rank> followers{};        ///< Keep copies of what outlives the coordinator.
    std::optional<Rank> keeper{};         ///< Who has the furthest copy of the rounds before.
    Round keeper_term{};                  ///< In which its holder last had everything.
    std::vector<std::uint32_t> groups{};  ///< Which lockstep group each slot's member is in. Empty: one group.
    std::vector<Rank> standbys{};         ///< Ascending.
    std::vector<SeatId> seats{};          ///< Which replica each lockstep group is. Empty: there is no controller.
};

struct SwitchboardSettings {
    std::uint32_t fan_out = 4;
    std::uint64_t where_patience_ms = 1'000;  ///< For the answers to "where are you".
    StoreSettings store{};
    std::size_t registry_bytes_max = std::size_t{256} << 20;
    RouterSettings router{};
    std::uint32_t load_interval_ms = 100;  ///< Between two messages about loads to the same member.
    bool coordination = true;              ///< Lockstep groups vote, so they have waves.
    ControllerServerSettings controller{};
    bool replicas = false;  ///< The world holds what a controller wants.
    StewardSettings steward{};
};

/// What the engine of this process says of itself.
struct EngineSays {
    Load load{};
    std::uint64_t capacity = 0;
    StepMark at{};
    Wave wave{};  ///< See EngineLoop::wave().
    bool awake = false;
};

/// How a request is to be routed.
struct RequestHints {
    std::optional<Slot> pin{};
    std::vector<BlockHash> blocks{};
    Target target{};
};

// clang-format off
struct SignalArrived { SignalEntry entry; };                        ///< For the engine, in order, each once.
struct RequestArrived { Rank client; RequestId id; Bytes bytes; };  ///< For the engine.
struct RequestCalledOff { Rank client; RequestId id; };             ///< Where it has not begun: dropped().
struct WakeEngine { WakeScope scope; std::uint64_t number; };
struct ClientConnected {};                                          ///< The local client may go on.
struct OperationEnded { OperationId operation; std::optional<Error> error; };
struct RequestEnded { RequestId id; std::optional<Error> error; Bytes bytes; };
struct StoreCallEnded { CallId id; StoreAnswer answer; };
struct RegistryCallEnded { message::RegistryTold told; };
struct ControllerCallEnded { message::ControllerTold told; bool over = false; };  ///< over: the session is.
struct LoadsHeard { Round round; GroupWords groups; };              ///< For the local client: groups that changed.
struct LeavingHeard { Rank rank; };
struct StateHeard {};
struct TellPosition { Rank to; std::uint64_t query; };              ///< Answer with position().
struct Whereabouts { std::vector<std::pair<Rank, Position>> known; std::vector<Rank> silent; };
struct SeatRound { SeatWishes wishes; };                            ///< Have a round with these; kept until it is complete.
struct Note { std::string text; };                                  ///< A line for the log.
// clang-format on
using SwitchEffect = std::variant<Transmit, SignalArrived, RequestArrived, WakeEngine, ClientConnected, OperationEnded,
                                  RequestEnded, StoreCallEnded, RegistryCallEnded, ControllerCallEnded, ReplicaOrder,
                                  CrashOrder, RequestCalledOff, PrepareEngine, CheckEngine, SeatRound, LoadsHeard,
                                  LeavingHeard, StateHeard, TellPosition, Whereabouts, Note>;
using SwitchEffects = std::vector<SwitchEffect>;

}  // namespace muster::core
