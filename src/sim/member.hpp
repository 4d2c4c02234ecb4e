// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One virtual member: its agent, its engine and its client, with what each waits for.
/// Intuition: agent and engine are two threads of one process in the job, so here they are two sequences of events that
/// meet in a mailbox, as over MPI: nothing reaches the other side in the middle of what it does.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "core/engine_loop.hpp"
#include "core/leave_desk.hpp"
#include "core/recovery.hpp"
#include "core/switchboard.hpp"
#include "sim/comms.hpp"
#include "sim/event_queue.hpp"

namespace muster::sim {

/// What the engine does or waits for.
enum class Doing : std::uint8_t {
    parked,     ///< Waits for a round to be handed over.
    batch,      ///< Waits for its source.
    vote,       ///< Waits for the others' votes.
    meeting,    ///< In the forward, waits for the group's collective.
    computing,  ///< In the forward, after it.
    hooks,
    rest,
    barrier,
    finished,
};
[[nodiscard]] const char* name_of(Doing doing);

constexpr int kLeaveWindowMs = 200;

struct Handover {
    Round round;
    std::uint64_t crossed = 0;
    State state = State::running;
    std::int64_t wave = 0;
    std::shared_ptr<Comms> comms;
    std::uint32_t slot = 0, group = 0, engine = 0;
};

using RequestKey = std::pair<Rank, RequestId>;

struct Engine {
    explicit Engine(const core::LoopSettings& settings) : loop(settings) {}
    core::EngineLoop loop;
    std::uint32_t epoch = 0;  ///< Events of an earlier one are void.
    Doing doing = Doing::parked;
    bool interrupted = true;           ///< The round that it works in is broken.
    std::optional<Handover> handover;  ///< The next round, until it is taken.
    Handover now;                      ///< The round that it has taken.
    bool source = false;
    std::vector<core::SignalEntry> signals;
    std::vector<RequestKey> inbox;  ///< Delivered since the last batch.
    std::vector<RequestKey> open;   ///< Taken with a batch and not answered, oldest first.
    std::uint64_t work_since = 0;   ///< When it had nothing to do and a request came.
    std::uint64_t batches = 0;      ///< Taken in this round.
    std::uint32_t votes = 0;        ///< Posted in this round.
    bool vote_there = false;        ///< The vote that was posted before a forward has been counted.
    std::uint64_t rested_for = 0;   ///< Number of the wake that the last rest was for; 0: none since the last batch.
    std::uint64_t woken_group = 0, woken_engine = 0;  ///< Highest number of each scope in this round.
    std::uint64_t resting_since = 0;
    bool dummy = false;  ///< The forward under way is one.
};

/// A client's own account of what it has asked for.
struct ClientBook {
    bool connecting = false, connected = false;
    std::uint64_t operations = 0, requests = 0;  ///< Asked for so far.
    std::map<std::uint64_t, core::Wanted> open_operations;
    std::set<std::uint64_t> open_requests;
};

/// A program's account of its calls on store and registry, as detail::Desk keeps it.
struct CallBook {
    struct Call {
        bool may_change = false, given_up = false;
        bool registry = false, controller = false;  ///< Else the store.
        bool waits = false;                         ///< For something that need not come.
    };
    std::uint64_t made = 0;
    std::map<std::uint64_t, Call> open;
};

/// A program that listens to the controller: for which keys, and what it has seen last.
struct Listening {
    std::map<std::string, core::SnapshotId> keys;
    std::map<std::string, core::Value> seen;  ///< Nothing: it is gone, or was never told.
};

/// What the engine thread knows of the replica that it is to be.
struct Preparation {
    std::optional<core::SeatId> seat;  ///< Of the round that the agent is in.
    std::optional<core::SeatId> prepared;
    std::uint64_t busy_until = 0;  ///< In the program's hook.
};

/// What a program wants of the next round, as agent::Mailbox and agent::Agent hold it.
struct Wishes {
    bool parked = false, closes = false;
    bool asked = false;        ///< The round that is under way was asked for here.
    bool told_parked = false;  ///< The facts that were gathered last said so.
    core::SeatWishes seats, told_seats;
};

namespace mail {
struct Crossed {
    std::uint64_t barrier;
};
struct Reply {
    RequestKey request;
};
struct Wake {
    core::WakeScope scope;
    std::uint64_t number;
};
struct Leaving {};
struct Connect {};
struct Ask {
    core::OperationId operation;
    core::Wanted wanted;
};
struct Submit {
    RequestId id;
    core::RequestHints hints;
};
struct Abort {
    RequestId id;
};
struct Watch {};  ///< Loads and waves, from now on.
struct Regroup {};
struct Prepared {
    core::SeatId seat;
    std::optional<std::string> error;
};
struct Checked {
    core::SeatId seat;
    std::uint64_t number;
    bool well;
};
struct Taken {
    Round round;
};
struct GiveUp {  ///< A call on registry or controller.
    core::CallId call;
};
}  // namespace mail
/// From engine and client to the agent of their process.
using Mail =
    std::variant<mail::Crossed, mail::Reply, mail::Wake, mail::Leaving, mail::Connect, mail::Ask, mail::Submit,
                 mail::Abort, mail::Watch, mail::Regroup, mail::GiveUp, mail::Prepared, mail::Checked, mail::Taken,
                 core::SeatWishes, core::StoreCall, core::message::RegistryAsk, core::message::ControllerAsk>;

/// What the agent waits for in a recovery.
enum class Waits : std::uint8_t {
    nothing,
    turn,     ///< Its next effect is due.
    meeting,  ///< Shrink or agreement.
    gather,
    broadcast,
    build,
    answer,     ///< The outcome is on its way, and may still be lost with the round.
    certainty,  ///< The outcome is on its way, the same to everybody.
};

struct Member {
    Rank rank;
    bool client = false, alive = true, ended = false, leaving = false;
    bool hung = false;            ///< Stopped: what happens to it waits in `frozen`.
    bool cut = false;             ///< The others have gone on without it, and it lives.
    std::uint32_t hangs = 0;      ///< So far.
    std::vector<Event> frozen;    ///< In the order in which they came.
    std::uint64_t disturbed = 0;  ///< When it last woke, or entered or lost a round.
    std::uint64_t ticked_ms = 0;  ///< When its switchboard last heard the time.
    bool says_no = false;         ///< In the agreement under way.
    Wishes wishes;
    CallBook calls;
    std::optional<Listening> listening;
    Preparation preparation;
    std::optional<core::Switchboard> switchboard;
    std::unique_ptr<core::Recovery> recovery;
    std::vector<core::Effect> due;  ///< Effects of the recovery, the next one first.
    Waits waits = Waits::nothing;
    std::uint32_t agent_epoch = 0;
    std::uint32_t pool = 0, next_pool = 0;  ///< The next one is the outcome of a shrink, until it is heard of.
    bool steady = false;                    ///< In a complete round, and the agent listens.
    bool broken = false;                    ///< Knows that its pool is broken.
    bool engine_role = false;               ///< In the world of its round.
    bool mail_due = false, tick_due = false;
    std::vector<Mail> mail;
    std::vector<std::uint32_t> early;  ///< Packets of its pool that came before it had completed the round.
    std::unique_ptr<core::LeaveDesk> desk;
    std::shared_ptr<const core::RoundView> view;
    std::unique_ptr<Engine> engine;
    std::unique_ptr<ClientBook> book;
    std::optional<std::uint32_t> dies_after;  ///< So many more things that it sends.
    std::uint64_t packets = 0;
};

}  // namespace muster::sim
