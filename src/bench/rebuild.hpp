// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What `muster bench rebuild` measures: a death and its repair through muster, and the bare ULFM calls for the same.
/// Shape: every sample list has one entry per death. Units: microseconds. All functions are collective.

#include "bench/board.hpp"
#include "bench/samples.hpp"

namespace muster::bench {

struct RebuildSettings {
    int engines = 4;
    int deaths = 3;  ///< One after the other; as many standbys are needed.
    bool measure_parked = false;
};

/// Joins a session, lets engines die one after the other and leaves. Samples only on the director, rank 0.
[[nodiscard]] Samples session_rebuilds(const RebuildSettings& settings, Board& board);

/// The same with bare calls, in MPI_COMM_WORLD: revoke, shrink, and as many splits and dups as a rebuild of muster
/// makes, then the first allreduce. A job has the one or the other: so both begin with a pool of the same size.
/// Intuition: this is what a program that does everything itself, and nothing too much, pays for.
[[nodiscard]] Samples bare_rebuilds(const RebuildSettings& settings, Board& board);

}  // namespace muster::bench
