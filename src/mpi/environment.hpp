// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Starting MPI so that it survives, finding it started by somebody else, and leaving it without hanging.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "muster/config.hpp"
#include "muster/types.hpp"

namespace muster::mpi {

struct Started {
    std::uint32_t ranks = 0;
    Rank self;
    bool ours = false;               ///< MPI was initialised here; it is finalised at exit.
    std::vector<std::string> notes;  ///< Sentences for the user: what this job will not survive, and why.
};

/// SIGPIPE, MCA parameters, MPI_Init_thread where nobody has called it, and the checks that say what to change.
/// Errors: bad_setup.
[[nodiscard]] Result<Started> start(AgentThread agent);

/// What happens when the process ends. Called in this order, once.
struct ExitHooks {
    /// The process exits, perhaps while still a member: tell the others. `status` as given to exit(); -1: an exception.
    /// Returns the status to end with.
    std::function<int(int status)> departing;
    /// True where MPI_Finalize could hang: somebody died, or left, since MPI was started.
    std::function<bool()> finalize_may_hang;
    std::uint32_t finalize_deadline_ms = 2'000;
    bool finalize = false;  ///< MPI is ours to finalise.
};
void install_exit_hooks(ExitHooks hooks);

}  // namespace muster::mpi
