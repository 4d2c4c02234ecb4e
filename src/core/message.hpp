// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What members tell each other over the control channel, and how it is written.
/// Shape: a packet is a header (magic, round, sender, sequence, acknowledged, kind) and one message, or no message:
/// then it only acknowledges. Numbers are little-endian. Errors: decode() of anything else than a whole, sensible
/// packet gives nothing; it never reads beyond the end and never allocates more than the packet's own size.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "core/codec.hpp"
#include "core/load_message.hpp"
#include "core/replica_message.hpp"
#include "core/signal_log.hpp"
#include "core/store_message.hpp"
#include "muster/types.hpp"

namespace muster::core {

/// What a client asks for. The first kSignals are the bare signals, in Signal's order.
enum class Wanted : std::uint8_t {
    pause,
    unpause,
    suspend,
    resume,
    stop,
    start,
    suspended,  ///< Compound: pause first where it must be.
    stopped,    ///< Compound.
};
constexpr std::size_t kWanted = 8;

enum class WakeScope : std::uint8_t { group, engine };

/// Where an engine is in its loop, for "who is missing".
struct Position {
    enum Doing : std::uint8_t { elsewhere, forward, dummy_forward, voting, resting, in_barrier, in_hooks };
    Round round;
    std::uint64_t crossed = 0, vote = 0;
    Doing doing = elsewhere;
};
[[nodiscard]] const char* name_of(Position::Doing doing);  ///< "in its forward", "waiting for the vote" ...

/// For whom a request is, where the job has a controller.
struct Target {
    enum Kind : std::uint8_t { anybody, endpoint, backend };
    Kind kind = anybody;
    std::string name{};  ///< Of the endpoint or the backend.
};

using RegistryToken = Id<struct RegistryTokenTag, std::uint64_t>;  ///< One version of a job's life.

namespace message {
// clang-format off
struct Connect {};                                                           ///< Client -> coordinator.
struct Connected {};                                                         ///< The answer to the first Connect.
struct Ask { OperationId operation; Wanted wanted = Wanted::pause; };        ///< Client -> coordinator.
struct Told { OperationId operation; bool accepted = true; std::string reason; };  ///< All have crossed, or refused.
struct Tell { SignalEntry entry; std::uint64_t crossed = 0; };               ///< Coordinator -> all, down the tree.
/// Client -> coordinator. `pin`: only the engine at this slot. `again`: an earlier coordinator may have accepted it.
struct Submit {
    RequestId id; Bytes bytes; std::optional<Slot> pin{}; std::vector<BlockHash> blocks{}; bool again = false;
    Target target{};
};
/// Coordinator -> engine. `number`: this coordinator's count for this engine, from 1.
struct Deliver { Rank client; RequestId id; Bytes bytes; std::uint64_t number = 0; };
/// Engine -> coordinator. `number`: the engine's count of replies and drops, from 1; 0 where another passes it on.
struct Reply { Rank client; RequestId id; Bytes bytes; std::uint64_t number = 0; };
/// Coordinator -> client. `fault`: where it is not ok.
struct Answer { RequestId id; bool ok = true; std::string reason; Bytes bytes; Fault fault = Fault::refused; };
struct Abort { RequestId id; };                                              ///< Client -> coordinator: taken back.
struct CallOff { Rank client; RequestId id; };                               ///< Coordinator -> engine: need not begin.
struct Dropped { Rank client; RequestId id; std::uint64_t number = 0; };     ///< Engine -> coordinator: had not begun.
/// To the leader, then down its tree. Void in any other round.
struct Wake { Round round; WakeScope scope = WakeScope::group; std::uint64_t number = 0; };
struct Leaving {};                                                           ///< Engine -> coordinator.
struct StateExists {};                                                       ///< Engine -> standby: steps are committed.
struct Where { std::uint64_t query = 0; };                                   ///< Anybody -> engine.
struct Here { std::uint64_t query = 0; Position position; };                 ///< The answer.
struct StoreAsk { StoreCall call; };                                         ///< Member -> coordinator.
struct StoreTold { CallId id; StoreAnswer answer; };                         ///< Coordinator -> member.
struct RegistryAsk {                                                         ///< Member -> coordinator.
    enum What : std::uint8_t { get, set, erase };
    CallId id;
    What what = get;
    std::string key;
    std::optional<RegistryToken> token;  ///< set, erase: only where this version is there. Nothing: where none is.
    Bytes bytes;
    CallId settled{};                    ///< The client waits for no answer to its calls below this one.
    Round round{};                       ///< In which it was sent.
};
struct RegistryTold {                                                        ///< Coordinator -> member.
    CallId id;
    std::optional<std::string> error;
    std::optional<RegistryToken> token;  ///< Of what is there now, or was before an accepted change. Nothing: none.
    Bytes bytes;
    bool accepted = false;
};
/// Member -> coordinator: a controller::Call. `settled`, `round`: as for the registry.
struct ControllerAsk { CallId id; Bytes call; CallId settled{}; Round round{}; };
/// Coordinator -> member: a controller::Answer, or why not.
struct ControllerTold { CallId id; std::optional<std::string> error; Bytes answer; };
struct Copy { Round term; std::uint64_t index = 0; bool whole = false; Bytes bytes; };  ///< See core/mirror.
struct Kept { Round term; std::uint64_t index = 0; };                                   ///< Follower -> coordinator.
struct LoadsUp { Round round; EngineWords words; };                          ///< Up the tree. Void in any other round.
struct WatchLoads {};                                                        ///< Member -> coordinator: from now on.
struct LoadsTold { Round round; GroupWords groups; };                        ///< Coordinator -> who watches.
struct Resync { std::uint64_t received = 0; };                               ///< First message to a peer in a round.
// clang-format on
}  // namespace message

using Message =
    std::variant<message::Connect, message::Connected, message::Ask, message::Told, message::Tell, message::Submit,
                 message::Deliver, message::Reply, message::Answer, message::Wake, message::Leaving,
                 message::StateExists, message::Where, message::Here, message::StoreAsk, message::StoreTold,
                 message::RegistryAsk, message::RegistryTold, message::Copy, message::Kept, message::Abort,
                 message::CallOff, message::Dropped, message::LoadsUp, message::WatchLoads, message::LoadsTold,
                 message::ControllerAsk, message::ControllerTold, message::ReplicaPrepare, message::ReplicaCancel,
                 message::ReplicaCheck, message::ReplicaPrepared, message::ReplicaRefused, message::ReplicaReady,
                 message::ReplicaHealth, message::Resync>;
[[nodiscard]] const char* name_of(const Message& message);       ///< "tell", "submit" ...
[[nodiscard]] std::span<const char* const> names_of_messages();  ///< All of them.

struct Packet {
    Round round;
    Rank sender;
    std::uint64_t sequence = 0;      ///< From 1 per pair and direction, for the job's life; 0: not numbered (Resync,
                                     ///< bare acknowledgements).
    std::uint64_t acknowledged = 0;  ///< All of the receiver's messages up to here have arrived.
    std::optional<Message> message;
};
constexpr std::size_t kRequestMax = 64U << 20;  ///< Bytes of a request or reply.
constexpr std::size_t kBlocksMax = 65'536;      ///< Block hashes of a request.

[[nodiscard]] Bytes encode(const Packet& packet);
[[nodiscard]] std::optional<Packet> decode_packet(std::span<const std::byte> bytes);

}  // namespace muster::core
