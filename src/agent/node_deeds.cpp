// SPDX-License-Identifier: Apache-2.0
#include "agent/node_deeds.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <string_view>

namespace muster::agent {
namespace {

/// mpirun by its names, its daemons, and what starts the ranks in a Slurm step.
constexpr std::array<std::string_view, 4> kMpirun = {"mpirun", "mpiexec", "prterun", "prte"};
constexpr std::array<std::string_view, 3> kDaemons = {"prted", "orted", "slurmstepd"};

std::string name_of(std::uint32_t pid) {
    std::string name;
    std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/comm"), name);
    return name;
}

}  // namespace

/// A name in the abstract name space of the node's network: the kernel frees it when its holder dies.
bool is_first_on_this_node(const std::string& word) {
    const int holder = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (holder < 0) return true;
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    const auto size = std::min(word.size(), sizeof name.sun_path - 1);
    std::memcpy(name.sun_path + 1, word.data(), size);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + size);
    if (::bind(holder, reinterpret_cast<const sockaddr*>(&name), length) == 0)
        return true;  // Open as long as it lives.
    ::close(holder);
    return false;
}

Daemon daemon_above() {
    for (auto process = parent_of(this_process()); process.pid > 1; process = parent_of(process)) {
        const auto name = name_of(process.pid);
        const bool is_mpirun = std::find(kMpirun.begin(), kMpirun.end(), name) != kMpirun.end();
        if (is_mpirun || std::find(kDaemons.begin(), kDaemons.end(), name) != kDaemons.end())
            return {process, is_mpirun};
    }
    return {};
}

void end_this_node(const Daemon& daemon, std::span<const ProcessId> ranks) {
    const auto end = [](const ProcessId& process) {
        if (process.pid > 0 && !is_gone(process)) ::kill(static_cast<pid_t>(process.pid), SIGKILL);
    };
    const auto self = this_process().pid;
    end(daemon.process);
    for (const auto& rank : ranks)
        if (rank.pid != self) end(rank);
    (void)std::raise(SIGKILL);
}

}  // namespace muster::agent
