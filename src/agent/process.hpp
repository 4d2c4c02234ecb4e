// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Is that process gone? The witness for a death on one's own node, and the hand that brings it about.

#include <cstdint>
#include <string>

namespace muster::agent {

/// Names a process beyond the reuse of its pid, for those who share its pid namespace.
struct ProcessId {
    std::uint32_t pid = 0;
    std::uint64_t start_time = 0;  ///< Clock ticks since boot, field 22 of /proc/PID/stat.
    std::uint64_t space = 0;       ///< Inode of its pid namespace.
};

[[nodiscard]] ProcessId this_process();

/// The node, as members name it to each other and to `muster run`.
[[nodiscard]] std::string host_name();

/// Who has started it, or taken it over; pid 0 where that cannot be seen.
[[nodiscard]] ProcessId parent_of(const ProcessId& process);

/// True only where it is certain: same pid namespace, and the process is a zombie, gone, or its pid is another's now.
[[nodiscard]] bool is_gone(const ProcessId& process);

/// SIGKILL, where it is certain that this is the process: same pid namespace, same start. True where the signal was
/// sent.
[[nodiscard]] bool end_process(const ProcessId& process);

}  // namespace muster::agent
