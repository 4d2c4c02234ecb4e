// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The part of the interface that speaks MPI. Thread safety: engine thread only.

#include <mpi.h>

#include "muster/session.hpp"

namespace muster {

/// The world's communicator of the current round: rank in it = World::slot. The program's alone: muster never
/// communicates on it. Valid until next() says rebuilt or ended; never to be freed by the program.
/// Errors on it are returned, not fatal, and tell muster to look for failures. MPI_COMM_NULL on a standby.
[[nodiscard]] MPI_Comm communicator(const Session& session);

/// The lockstep group's communicator: slots [g * group_size, (g + 1) * group_size). The same rules.
/// Where there is one group it is a communicator of its own with the world's members.
[[nodiscard]] MPI_Comm group_communicator(const Session& session);

/// Adds a communicator that the program made from the world (split, dup, ...) to those that are revoked when a member
/// dies, so that no rank stays in a collective on it. Its error handler becomes muster's. The program frees it after
/// next() said rebuilt; muster forgets it there.
/// Collective over the world: every engine calls it, with MPI_COMM_NULL where it is in no such communicator. (Open MPI
/// 5.0.11 crashes in a rank that is still making a communicator which another one revokes: nobody tracks it before all
/// have it.) Errors: peer_lost: the communicator is not tracked and must not be used; return to next().
[[nodiscard]] Result<Done> track(Session& session, MPI_Comm comm);

/// Takes it back, before the program frees it within a round. Local.
void untrack(Session& session, MPI_Comm comm);

}  // namespace muster
