// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Who was launched, where each one lives, how to ring it: exchanged once, when the job starts.

#include <string>
#include <vector>

#include "agent/bell.hpp"
#include "agent/process.hpp"
#include "core/placement.hpp"
#include "mpi/communicator.hpp"
#include "muster/config.hpp"

namespace muster::agent {

struct RosterEntry {
    core::Member member;
    ProcessId process;
    BellAddress bell;
    BellAddress heart;
    std::uint64_t key = 0;       ///< A random number; that of the lowest Rank names the job to its heartbeats.
    std::uint64_t settings = 0;  ///< Hash of the job's settings: all must have joined with the same.
};

/// This process's own entry.
[[nodiscard]] RosterEntry own_entry(Rank self, const Config& config, const BellAddress& bell, const BellAddress& heart);

/// Everybody's, indexed by Rank of `launched` ranks; those that died before they could say are named "?".
/// Collective over the pool. Errors: peer_lost (shrink and try again), bad_setup (settings differ: names the rank).
[[nodiscard]] Result<std::vector<RosterEntry>> exchange(const mpi::Communicator& pool, const RosterEntry& own,
                                                        std::uint32_t launched);

}  // namespace muster::agent
