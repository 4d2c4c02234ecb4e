// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Has this process's MPI believe that a member is dead, though the launcher has not said so: it stands still, or is
/// out of reach. Otherwise a shrink would wait for it for ever.
/// How: PMIx carries the launcher's own news of deaths to MPI; the same event is raised here, for this process only.
/// PMIx is looked for at run time (it comes with Open MPI). Thread safety: any thread.

#include "muster/types.hpp"

namespace muster::mpi {

/// False where there is no PMIx to be asked: MPI then hears of a death from the launcher or its own detector only.
[[nodiscard]] bool can_declare_failed();

/// MPI hears of it with its next progress. Nothing happens where it knows already. False where it was not told.
[[nodiscard]] bool declare_failed(Rank rank);

}  // namespace muster::mpi
