// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A rendezvous that a program asks for itself, after torch's: some of the job's members (or of several programs that
/// share a directory) come together in rounds, with standbys, beside the job's own rounds.
///
/// Intuition: a Session's world is a rendezvous already, and `next()` its next_rendezvous. This is for what has to meet
/// besides: readers of data, evaluators, the launchers of several jobs. Nobody agrees on who is alive here: members
/// read and write one shared state by compare and swap, tell by keep-alives that they live, and poll.
///
///     auto meeting = muster::Rendezvous::in_job(session, {.run_id = "readers", .min_nodes = 2, .max_nodes = 4});
///     auto round = meeting->next_rendezvous();      // round, rank, nodes; or why not
///     while (!*meeting->is_round_over()) read();    // a member died: next_rendezvous() again
///     meeting->shutdown();
///
/// Units: seconds in Times. In the job the state lies in the coordinator's registry and outlives any coordinator
/// (Config::followers); in a directory it is a file (a local file system, NFS 4, Lustre with flock), and the machines'
/// clocks must agree to a fraction of keep_alive_interval x keep_alive_max_attempt, as they must in a job on several.
/// Errors: timed_out, ended (closed: "The rendezvous 'x' is closed ..."; a redundant node's text says that it may end
/// in peace), refused (settings that cannot be, interrupt()), internal (the registry or the file says something
/// unexpected); the texts are torch's. Thread safety: all calls from any thread, next_rendezvous() from one at a time.
/// Source: torch's DynamicRendezvousHandler (acceptance T27 to T35).

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "muster/session.hpp"

namespace muster {

/// torch's times; in_job() polls every 5 ms and its keep-alives go out every 200 ms where nothing else is said.
struct RendezvousTimes {
    double join = 600, last_call = 30, close = 30, heartbeat = 5;
    double keep_alive_interval = 5;
    std::int64_t keep_alive_max_attempt = 3;
    double poll = 1;          ///< Between two looks.
    double join_delay = 0.3;  ///< Up to so much in round 0, so that not all come at once.
    double cache = 1;         ///< What was read is good for so long.

    [[nodiscard]] static RendezvousTimes in_job() {
        return {.keep_alive_interval = 0.2, .keep_alive_max_attempt = 5, .poll = 0.005, .join_delay = 0, .cache = 0};
    }
};

struct RendezvousOptions {
    std::string run_id;
    std::int64_t min_nodes = 1, max_nodes = 1;
    RendezvousTimes times = RendezvousTimes::in_job();
    /// A participant of a complete round that dies starts the next one. False: torch to the letter.
    bool replace_dead_participants = true;
    SlotOrder slot_order = SlotOrder::sorted;
    /// What this node tells the others where it is rank 0: how to begin ("host:port" of a server that it has bound).
    std::string bootstrap;
    /// Each step's record, a JSON line without its end; one thread at a time. Must not call this object.
    std::function<void(const std::string& line)> on_event{};
};

/// A complete round with this node in it.
struct RendezvousRound {
    Round round;
    Slot rank;
    std::vector<std::string> nodes;  ///< By rank: "address_pid_number".
    std::string store_prefix;        ///< "muster.rendezvous.{run_id}.{round}": what the round's keys lie under.
    std::string bootstrap;           ///< What rank 0 of this round has to tell (T30: it follows rank 0).
};

class Rendezvous {
public:
    [[nodiscard]] static Result<Rendezvous> in_job(const Session& session, const RendezvousOptions& options);
    [[nodiscard]] static Result<Rendezvous> in_directory(const std::string& directory,
                                                         const RendezvousOptions& options);
    Rendezvous(Rendezvous&&) noexcept;
    Rendezvous& operator=(Rendezvous&&) noexcept;
    ~Rendezvous();  ///< Keep-alives end; without shutdown() or leave() the others find this node dead.

    [[nodiscard]] Result<RendezvousRound> next_rendezvous();
    /// The store of the round that was joined last, opened empty by its rank 0: a few small values. Refused once that
    /// round is over, by name. For more, and for large ones, a job has Session::store().
    Result<Done> set(const std::string& key, const std::string& value);
    [[nodiscard]] Result<std::string> get(const std::string& key, std::chrono::milliseconds deadline);

    [[nodiscard]] Result<bool> is_round_over();
    [[nodiscard]] Result<bool> is_closed();
    /// On the wait list; redundant nodes do not count (T31).
    [[nodiscard]] Result<std::size_t> num_nodes_waiting();
    Result<Done> set_closed();
    bool shutdown();       ///< set_closed() that cannot fail; false: it is not closed.
    void interrupt();      ///< next_rendezvous() returns, now and ever after.
    Result<Done> leave();  ///< Off all lists, so that nobody waits for keep-alives to expire. The last call.

private:
    class Impl;
    explicit Rendezvous(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace muster
