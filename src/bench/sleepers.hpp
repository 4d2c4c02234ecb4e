// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Ranks that sleep in poll(2) until they are rung up down a tree: what a bare program has to do whose processes leave
/// their cores to others while they wait.
/// Thread safety: none.

#include <mpi.h>

#include <vector>

#include "agent/bell.hpp"

namespace muster::bench {

class Sleepers {
public:
    /// Collective over `comm`, on one machine.
    explicit Sleepers(MPI_Comm comm);

    /// Rank 0 rings, at once. Every other rank sleeps until it is rung, and rings its children in the tree.
    void wake();

private:
    int rank_ = 0, size_ = 1;
    agent::Bell bell_;
    std::vector<agent::BellAddress> bells_;
};

}  // namespace muster::bench
