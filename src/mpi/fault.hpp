// SPDX-License-Identifier: Apache-2.0
#pragma once
/// All MPI return codes pass through here.

#include <string>

#include "muster/types.hpp"

namespace muster::mpi {

/// What an MPI code means for the caller. A failed process, a revoke and Open MPI's "other" (libnbc says it for both)
/// are all peer_lost: look for failures. The text carries `what` and MPI's words.
[[nodiscard]] Error fault_of(int code, const std::string& what);

/// Done for MPI_SUCCESS, the fault otherwise.
[[nodiscard]] Result<Done> outcome(int code, const std::string& what);

}  // namespace muster::mpi
