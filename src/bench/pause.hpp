// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What `muster bench pause` and `muster bench rest` measure: signals to engines that rest, what resting costs, and how
/// quickly it ends.

#include "bench/samples.hpp"

namespace muster::bench {

struct PauseSettings {
    int cycles = 100;  ///< Of pause and unpause, and as many of each bare form.
};

/// Rows, measured in blocks that take turns: "pause" and "unpause", from the call on the client (rank 0) to the end of
/// wait(); "bare", MPI_Bcast + MPI_Allreduce + MPI_Barrier among the same ranks, all of them waiting in the bcast on
/// their cores; "bare_asleep", the same, but all ranks other than 0 sleep in poll(2) and are rung up down a tree first.
/// Samples only on rank 0; empty where it broke off. Collective.
[[nodiscard]] Samples pause_cycles(const PauseSettings& settings);

struct RestSettings {
    int seconds = 2;  ///< How long the engines rest while their CPU time is counted.
    int wakes = 100;  ///< Requests to resting engines.
};

/// Rows: "resting_cpu", a sample per rank: CPU time in a second of rest; "wake", submit() on the client (rank 0) -> the
/// forward of the engine that got the request begins, round robin over the engines.
/// Samples only on rank 0; empty where it broke off. Collective.
[[nodiscard]] Samples rest(const RestSettings& settings);

}  // namespace muster::bench
