// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Nothing is left behind on this machine. PRRTE puts every rank into a process group of its own, so killing mpirun's
/// group does not reach them; but while an OrphanGuard lives, whatever outlives mpirun becomes our child.
/// Limit: on other nodes PRRTE's daemon does the same when its connection to mpirun ends.

#include <sys/types.h>

#include <chrono>
#include <set>

namespace muster::launch {

class OrphanGuard {
public:
    OrphanGuard();   ///< Remembers the children there are already: they are not ours to end.
    ~OrphanGuard();  ///< Orphans go elsewhere again.
    OrphanGuard(const OrphanGuard&) = delete;
    OrphanGuard& operator=(const OrphanGuard&) = delete;

    /// SIGKILLs and reaps every descendant that came after the constructor. Needs SIGCHLD blocked in this thread.
    /// Returns how many processes were killed.
    int sweep(std::chrono::milliseconds limit) const;

private:
    std::set<pid_t> before_;
    int subreaper_before_ = 0;
};

}  // namespace muster::launch
