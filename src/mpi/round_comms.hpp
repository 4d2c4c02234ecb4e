// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The communicators of one round, and how they are made from a plan.
/// Shape: pool holds all members of the round; the rest is empty on a member that is no engine.

#include <optional>
#include <vector>

#include "core/plan.hpp"
#include "mpi/communicator.hpp"

namespace muster::mpi {

/// What an engine works with. Made and broken together.
struct RoundComms {
    Communicator world;   ///< The program's. Errors on it call the handler of set_error_handler().
    Communicator group;   ///< The program's, of its lockstep group.
    Communicator ours;    ///< World once more, for commit, vault and barriers: the program never sees it.
    Communicator turn;    ///< Group once more, for votes. Empty where there is one group: then it is `ours`.
    Communicator engine;  ///< The ranks of one engine, for its batches. Empty where an engine is one rank.

    void revoke() const;
    [[nodiscard]] const Communicator& votes() const { return turn ? turn : ours; }
};

struct BuiltRound {
    std::optional<Communicator> pool;  ///< A smaller pool, where members were dismissed.
    RoundComms comms;
};

/// How the world of a plan is cut.
struct WorldShape {
    std::vector<std::uint32_t> group;  ///< Shape: one per slot: its lockstep group.
    std::uint32_t engine_ranks = 1;
};

/// Collective over `pool`, in every step of it, so that revoking the pool frees whoever is in it. Every member calls it
/// with the same plan and shape. `reached` is told of each step.
[[nodiscard]] Result<BuiltRound> build(const Communicator& pool, const core::Plan& plan, Rank self,
                                       const WorldShape& shape, void (*reached)(const char* step));

/// Installs the handler that tells the agent of an error on a communicator of the program's, and returns the code to
/// the caller as MPI_ERRORS_RETURN does. `notify` must be async and cheap: it runs in the failing call.
void set_error_handler(void (*notify)());
void attach_error_handler(MPI_Comm comm);

}  // namespace muster::mpi
