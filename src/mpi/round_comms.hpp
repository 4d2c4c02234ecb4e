// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The communicators of one round, and how they are made from a plan.
/// Shape: pool holds all members of the round; the rest is empty on a standby.

#include <optional>

#include "core/plan.hpp"
#include "mpi/communicator.hpp"

namespace muster::mpi {

/// What an engine works with. Made and broken together.
struct RoundComms {
    Communicator world;  ///< The program's. Errors on it call the handler of set_error_handler().
    Communicator group;  ///< The program's, of its lockstep group.
    Communicator ours;   ///< World once more, for commit and vault: the program never sees it.

    void revoke() const;
};

struct BuiltRound {
    std::optional<Communicator> pool;  ///< A smaller pool, where members were dismissed.
    RoundComms comms;
};

/// Collective over `pool`, in every step of it, so that revoking the pool frees whoever is in it. Every member calls it
/// with the same plan. `reached` is told of each step.
[[nodiscard]] Result<BuiltRound> build(const Communicator& pool, const core::Plan& plan, Rank self,
                                       std::uint32_t group_size, void (*reached)(const char* step));

/// Installs the handler that tells the agent of an error on a communicator of the program's, and returns the code to
/// the caller as MPI_ERRORS_RETURN does. `notify` must be async and cheap: it runs in the failing call.
void set_error_handler(void (*notify)());
void attach_error_handler(MPI_Comm comm);

}  // namespace muster::mpi
