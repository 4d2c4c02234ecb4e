// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What an ordered fault does to this process's node, for real: its death, and a dark link.
/// Thread safety: any thread. Units: microseconds.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agent/process.hpp"

namespace muster::agent {

/// True for one process of the node, false for all that ask later with the same word, until the first one is gone.
/// Intuition: several ranks of a node come to an order's trigger in the same moment, and one must carry it out alone:
/// two that kill each other leave the rest alive.
[[nodiscard]] bool is_first_on_this_node(const std::string& word);

/// The launcher's daemon that this process lives under.
struct Daemon {
    ProcessId process;       ///< pid 0: there is none (started by hand).
    bool is_mpirun = false;  ///< mpirun itself, not one of its daemons: nothing outlives that.
};
[[nodiscard]] Daemon daemon_above();

/// SIGKILL for the daemon, so that it reports nobody's death, for these processes, and at last for this one.
void end_this_node(const Daemon& daemon, std::span<const ProcessId> ranks);

/// The network interfaces of this node that are marked as ones to take down: their alias is kFaultAlias. Others are
/// never touched, so an order on a real node cuts nobody off.
[[nodiscard]] std::vector<std::string> links_to_take_down();
inline constexpr const char* kFaultAlias = "muster-fault";

/// After `for_us` (0: never) they are up again, whatever becomes of this process. Returns why it could not be done;
/// empty: it is done.
[[nodiscard]] std::string take_down(const std::vector<std::string>& links, std::uint64_t for_us);

}  // namespace muster::agent
