// SPDX-License-Identifier: Apache-2.0
#include "agent/process.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>

namespace muster::agent {
namespace {

struct Stat {
    char state = '?';
    std::uint32_t parent = 0;
    std::uint64_t start_time = 0;
};

/// /proc/PID/stat: the name in field 2 may hold spaces and brackets, so fields count from its last bracket.
bool read_stat(std::uint32_t pid, Stat& stat) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    if (!std::getline(file, line)) return false;
    const auto bracket = line.rfind(')');
    if (bracket == std::string::npos) return false;
    std::istringstream fields(line.substr(bracket + 1));
    fields >> stat.state >> stat.parent;
    std::string skipped;
    for (int field = 5; field < 22; ++field) fields >> skipped;
    fields >> stat.start_time;
    return !fields.fail();
}

std::uint64_t own_space() {
    struct stat info = {};
    return ::stat("/proc/self/ns/pid", &info) == 0 ? static_cast<std::uint64_t>(info.st_ino) : 0;
}

}  // namespace

ProcessId this_process() {
    ProcessId id{.pid = static_cast<std::uint32_t>(::getpid()), .space = own_space()};
    Stat stat;
    if (read_stat(id.pid, stat)) id.start_time = stat.start_time;
    return id;
}

ProcessId parent_of(const ProcessId& process) {
    Stat stat, above;
    if (!read_stat(process.pid, stat) || stat.parent == 0 || !read_stat(stat.parent, above)) return {};
    return {.pid = stat.parent, .start_time = above.start_time, .space = process.space};
}

bool is_gone(const ProcessId& process) {
    if (process.space == 0 || process.space != own_space() || process.start_time == 0) return false;
    if (::kill(static_cast<pid_t>(process.pid), 0) != 0 && errno == ESRCH) return true;
    Stat stat;
    if (!read_stat(process.pid, stat)) return false;
    return stat.state == 'Z' || stat.state == 'X' || stat.start_time != process.start_time;
}

/// The descriptor stays with the process that it was opened for, whoever gets its pid afterwards.
bool end_process(const ProcessId& process) {
    if (process.space == 0 || process.space != own_space() || process.start_time == 0) return false;
    const int fd = static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(process.pid), 0));
    if (fd < 0) return false;
    Stat stat;
    const bool same = read_stat(process.pid, stat) && stat.start_time == process.start_time;
    const bool sent = same && ::syscall(SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0) == 0;
    ::close(fd);
    return sent;
}

std::string host_name() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

}  // namespace muster::agent
