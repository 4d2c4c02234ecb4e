// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What `muster bench consensus` measures: what it costs to agree each turn, beside the bare call that does the same.

#include "bench/samples.hpp"

namespace muster::bench {

struct ConsensusSettings {
    int forward_us = 1'000;
    int turns = 1'000;  ///< Of each kind, dealt to blocks.
};

/// Turns of a session whose engines always have work (its consensus as MUSTER_CONSENSUS and MUSTER_CONSENSUS_EVERY
/// say), in blocks that take turns with blocks of bare calls in the same processes. A sample is a block's mean time per
/// turn, over all ranks: the median of single turns would hide what disturbs one in ten of them. Rows, where the n-th
/// samples were measured one after the other: "forward" (no MPI), "forward_allreduce" (a bare MPI_Allreduce of the same
/// four integers first), "turn" (Session::next() first); "allreduce" and "next" without forward; and "forward_alone",
/// before there is a session and its agent thread. Samples only on rank 0; fewer than promised where the session broke
/// off. Collective.
[[nodiscard]] Samples consensus_turns(const ConsensusSettings& settings);

}  // namespace muster::bench
