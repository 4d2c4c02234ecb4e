// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a member says about itself and about the job when it joins.
/// Every rank must join with the same job settings (everything above `hooks`); a difference is refused by name.
/// Thread safety: a plain value. Units: milliseconds where the name ends in _ms.

#include <cstdint>
#include <functional>
#include <string>

#include "muster/lifecycle.hpp"
#include "muster/replica.hpp"
#include "muster/types.hpp"

namespace muster {

struct World;

/// Which place a survivor has after a rebuild.
enum class SlotOrder {
    stable,  ///< Survivors keep their slot; standbys fill the holes, the nearest first; then the highest slots move in.
    sorted,  ///< Slots are the sorted Ranks, as in torch's rendezvous.
};

/// Who may go on after a loss.
enum class Quorum {
    majority,  ///< More than half of the last complete round (the proven dead do not count), or half with mpirun's
               ///< node.
    none,      ///< Whoever is left goes on. Two halves of a split network both go on: only where that cannot happen.
};

/// Which thread runs the agent.
enum class AgentThread {
    own,     ///< A thread of its own. Needs MPI_THREAD_MULTIPLE.
    engine,  ///< Inside next() and commit(). Less MPI thread support is enough; see Config::agent.
};

/// How a lockstep group agrees each turn on whether to work.
enum class ConsensusMode {
    blocking,    ///< At the start of the turn.
    overlapped,  ///< Posted before the forward, read after it: one turn late, for large groups.
    off,         ///< Not at all: each engine decides by itself; its forward must contain no collective.
};

/// Which engine a request goes to, where its submitter names none.
enum class Routing {
    round_robin,      ///< One after the other.
    least_loaded,     ///< The one with the fewest requests, by its last report and what it was given since.
    power_of_two,     ///< The less loaded of two that are drawn by chance: for very many engines.
    prefix_affinity,  ///< One that has the request's prefix (SubmitOptions::blocks) in its cache, unless it is loaded.
};

/// Where an engine's work comes from.
enum class Work {
    always,    ///< There is always work (training, simulation): every turn is a forward until the job is paused.
    requests,  ///< There is work while requests are unanswered (serving).
};

/// Calls into the program. All run on the engine thread, inside next().
struct Hooks {
    /// Once, when this member is parked as a standby: load code, allocate, touch memory, so that promotion is quick.
    std::function<void()> warm_up;
    /// After every round, on engines (before next() returns rebuilt) and on parked standbys alike.
    std::function<void(const World&)> world_changed;
    /// On engines, for every world barrier in order: `reached` is the stable state behind it. A barrier that the others
    /// crossed while this engine was being interrupted is told of when it takes the next round over.
    std::function<void(std::uint64_t barrier, State reached)> crossed;
    /// This member is to be of a replica: load the model, allocate. On a standby, while the others serve on; on an
    /// engine of an idle group, between two turns; in a new round, before next() says rebuilt, where this member fills
    /// another one's place. An error is a no with a reason: no round happens, and the controller tries again. What was
    /// prepared for and does not come is not taken back by a call: the next prepare, if any, is for another replica.
    /// A standby that is called into the world meanwhile keeps all others waiting until this returns:
    /// Session::interrupted() says so.
    std::function<Result<Done>(const ReplicaInfo&)> prepare;
    /// Whether this engine can go on serving. Empty: it can, as long as it takes turns or rests. A member that has said
    /// no, or nothing, three times in a row has its replica replaced.
    std::function<bool()> healthy;
};

/// What a change of the job's state outlives, beside the loss of all but one of the members that keep it.
enum class Durability {
    file,   ///< The death of the whole job.
    fsync,  ///< A crash of its machines, too; each change waits for the disk.
};

struct Config {
    std::uint32_t engines = 0;       ///< Wanted size of the world in engines. 0: all ranks less standbys and clients.
    std::uint32_t standbys = 0;      ///< Ranks beyond the world at launch; only used where engines is 0.
    std::uint32_t clients = 0;       ///< The last so many ranks are clients: never engines, never standbys.
    std::uint32_t engines_min = 1;   ///< Below so many engines the job stops with ExitCode::below_min.
    std::uint32_t engine_ranks = 1;  ///< Members per engine: consecutive slots; the lowest one receives the requests.
    std::uint32_t group_size = 0;    ///< Engines per lockstep group; 0: one group, the whole world. Divides engines.
    /// Which lockstep group engine e of n belongs to; empty: e / group_size. Groups are 0, 1, 2 ... and of group_size
    /// engines each. Must give the same answer on every member. Called with every number of engines that a job of
    /// whole groups can shrink to.
    std::function<std::uint32_t(std::uint32_t engine, std::uint32_t engines)> layout;
    /// The world holds the replicas that the job's controller wants, a lockstep group each, and beside them as many
    /// idle groups as engines_min demands; all other ranks are standbys, whatever `engines` and `standbys` say. Needs
    /// group_size and stable slots.
    bool controller = false;
    ConsensusMode consensus = ConsensusMode::blocking;
    std::uint32_t consensus_every = 1;  ///< A vote every so many turns; between two votes the last one holds.
    Work work = Work::always;
    /// Members stay after stop and rest until a start, instead of leaving.
    bool stay = false;
    std::uint32_t fan_out = 4;  ///< To how many members a member passes a broadcast on.
    std::uint32_t followers =
        2;  ///< Members that keep a copy of what must outlive the coordinator, on other nodes first.
    Routing routing = Routing::round_robin;
    std::uint32_t queue_max_per_engine =
        4'096;                             ///< Requests that an engine may have; beyond: Fault::busy. 0: no bound.
    std::uint32_t queue_max = 65'536;      ///< Requests that may be open in the job; the same.
    std::uint32_t load_interval_ms = 100;  ///< Between two reports of a member about loads, while they change.
    SlotOrder slot_order = SlotOrder::stable;
    Quorum quorum = Quorum::majority;
    /// `engine`: failures are only noticed and repaired inside next() and commit(): a long forward delays every
    /// other member's recovery by its length, and a rank that is stuck in a collective is not freed.
    AgentThread agent = AgentThread::own;
    std::string run_id = "muster";  ///< Names the job in messages and events.
    /// Where the steps of each round's rendezvous are written as JSON lines: nowhere, "link" (to `muster run`), or a
    /// file that is appended to.
    std::string events;
    /// Where the job's state is written as well (registry, controller, wanted lifecycle; DESIGN.md, "Journal"), so that
    /// the same run, started again, goes on from it; empty: nowhere. Shared by all nodes, or one on each.
    std::string state_directory;
    Durability durability = Durability::fsync;
    std::uint32_t controller_period_ms = 100;     ///< Between two turns of the controller's loop.
    std::string location;                         ///< Place in the topology, "rack/node"; empty: the host's name.
    std::uint32_t join_deadline_ms = 120'000;     ///< For the first round, from join() on.
    std::uint32_t recovery_deadline_ms = 60'000;  ///< For each blocking step of a recovery.
    std::uint32_t commit_deadline_ms = 600'000;   ///< For the slowest engine to reach a commit.
    std::uint32_t turn_deadline_ms = 600'000;     ///< For a lockstep group's slowest member to reach a turn's vote.
    std::uint32_t prepare_deadline_ms =
        100'000;  ///< For a replica's slowest member to be ready; then it is rolled back.
    std::uint32_t barrier_deadline_ms = 60'000;  ///< After that a barrier says who is missing; it goes on waiting.
    /// POSIX signals that become signals of the job, "TERM=stop,USR1=suspend"; "off": none. Taken where the program
    /// has no handler of its own.
    std::string posix_signals = "TERM=stop,USR1=suspend";
    std::uint32_t leave_window_ms = 200;         ///< How long the first to leave waits for all the others to leave too.
    std::uint32_t finalize_deadline_ms = 2'000;  ///< MPI_Finalize may hang after a failure; then the process exits.
    Hooks hooks;

    /// The settings that `muster run` passed in the environment and the defaults for the rest: MUSTER_ENGINES,
    /// MUSTER_STANDBYS, MUSTER_CLIENTS, MUSTER_MIN, MUSTER_ENGINE_RANKS, MUSTER_GROUP_SIZE, MUSTER_SLOT_ORDER,
    /// MUSTER_QUORUM, MUSTER_CONTROLLER (no, yes), MUSTER_CONSENSUS (blocking, overlapped, off),
    /// MUSTER_CONSENSUS_EVERY, MUSTER_WORK (always, requests), MUSTER_STAY (no, yes), MUSTER_ROUTING (round_robin,
    /// least_loaded, power_of_two, prefix_affinity), MUSTER_QUEUE_MAX_PER_ENGINE, MUSTER_QUEUE_MAX,
    /// MUSTER_LOAD_INTERVAL_MS, MUSTER_FAN_OUT, MUSTER_FOLLOWERS, MUSTER_SIGNALS, MUSTER_RUN_ID,
    /// MUSTER_LOCATION, MUSTER_EVENTS, MUSTER_STATE, MUSTER_DURABILITY (file, fsync), MUSTER_CONTROLLER_PERIOD_MS,
    /// MUSTER_*_DEADLINE_MS. Errors: Fault::bad_setup names the variable and what it may be.
    [[nodiscard]] static Result<Config> from_environment();
};

}  // namespace muster
