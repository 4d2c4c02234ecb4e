// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What an ordered fault does to this process, for real. Any thread.

#include <cstdint>

#include "core/fault_order.hpp"

namespace muster::agent {

/// SIGSTOP for this process; after `for_us` microseconds SIGCONT (0: somebody else must send it, or SIGKILL).
/// Returns when the process goes on. False where the system gives no timer: then the process has not been stopped.
bool stop_this_process(std::uint64_t for_us);

/// kill, abort or segv. Does not come back, unless the program's own handler of the signal does.
void end_this_process(core::FaultKind kind);

}  // namespace muster::agent
