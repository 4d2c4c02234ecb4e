// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a member says about itself and about the job when it joins.
/// Every rank must join with the same job settings (everything above `hooks`); a difference is refused by name.
/// Thread safety: a plain value. Units: milliseconds where the name ends in _ms.

#include <cstdint>
#include <functional>
#include <string>

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

/// Calls into the program. Both run on the engine thread, inside next().
struct Hooks {
    /// Once, when this member is parked as a standby: load code, allocate, touch memory, so that promotion is quick.
    std::function<void()> warm_up;
    /// After every round, on engines (before next() returns rebuilt) and on parked standbys alike.
    std::function<void(const World&)> world_changed;
};

struct Config {
    std::uint32_t engines = 0;      ///< Wanted size of the world (members). 0: all ranks less the standbys.
    std::uint32_t standbys = 0;     ///< Ranks beyond the world at launch; only used where engines is 0.
    std::uint32_t engines_min = 1;  ///< Below so many live members the job stops with ExitCode::below_min.
    std::uint32_t group_size = 0;   ///< Members per lockstep group; 0: one group, the whole world. Divides engines.
    SlotOrder slot_order = SlotOrder::stable;
    Quorum quorum = Quorum::majority;
    /// `engine`: failures are only noticed and repaired inside next() and commit(): a long forward delays every
    /// other member's recovery by its length, and a rank that is stuck in a collective is not freed.
    AgentThread agent = AgentThread::own;
    std::string run_id = "muster";                ///< Names the job in messages and events.
    std::string location;                         ///< Place in the topology, "rack/node"; empty: the host's name.
    std::uint32_t join_deadline_ms = 120'000;     ///< For the first round, from join() on.
    std::uint32_t recovery_deadline_ms = 60'000;  ///< For each blocking step of a recovery.
    std::uint32_t commit_deadline_ms = 600'000;   ///< For the slowest engine to reach a commit.
    std::uint32_t leave_window_ms = 200;         ///< How long the first to leave waits for all the others to leave too.
    std::uint32_t finalize_deadline_ms = 2'000;  ///< MPI_Finalize may hang after a failure; then the process exits.
    Hooks hooks;

    /// The settings that `muster run` passed in the environment (MUSTER_ENGINES, MUSTER_STANDBYS, MUSTER_MIN,
    /// MUSTER_GROUP_SIZE, MUSTER_SLOT_ORDER, MUSTER_QUORUM, MUSTER_RUN_ID, MUSTER_LOCATION, MUSTER_*_DEADLINE_MS),
    /// and the defaults for the rest. Errors: Fault::bad_setup names the variable and what it may be.
    [[nodiscard]] static Result<Config> from_environment();
};

}  // namespace muster
