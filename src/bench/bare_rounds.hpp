// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Bare MPI calls that do what a round does, or a part of it, among processes that all live.

#include <mpi.h>

#include "bench/samples.hpp"

namespace muster::bench {

/// Takes one sample each of "split", "split_asleep" and "bare_round" (rendezvous.hpp) on `comm`, from the first
/// member's call to the last one's return; adds them on its rank 0. False: an error, `comm` is broken. Collective.
[[nodiscard]] bool bare_rounds(MPI_Comm comm, Samples& samples);

/// True where all members of `comm` are on one machine. Collective.
[[nodiscard]] bool on_one_machine(MPI_Comm comm);

}  // namespace muster::bench
