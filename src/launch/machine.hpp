// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What this machine is like, as far as the command line of mpirun depends on it.
/// look_at_machine() reads it; everything that decides takes a Machine as a value, so tests can make one up.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace muster::launch {

/// An IPv4 address of this machine. `address` and `mask` in host byte order.
struct Interface {
    std::string name{};
    std::uint32_t address = 0;
    std::uint32_t mask = 0;
    bool loopback = false;

    [[nodiscard]] std::string address_text() const;
    [[nodiscard]] std::string subnet_text() const;  ///< "10.77.0.0/24", as Open MPI takes it on all nodes.
    [[nodiscard]] bool reaches(std::uint32_t other) const { return (other & mask) == (address & mask); }
};

/// What a remote host said about itself, or what is known of it without asking.
struct HostFacts {
    std::optional<std::uint32_t> address{};  ///< IPv4, host byte order; nothing where the name does not resolve.
    bool local = false;                      ///< A name of this machine: mpirun does not log in there.
    std::string boot_id{};                   ///< Equal to ours: an emulated node that shares our cores.
    int cores = 0;                           ///< 0: not known.
};

struct Machine {
    std::string host_name{};
    std::string boot_id{};
    int cores = 1;  ///< That this process may use.
    bool root = false;
    std::vector<Interface> interfaces{};       ///< Those that are up.
    bool in_slurm = false;                     ///< Inside an allocation (SLURM_JOB_ID).
    int slurm_slots = 0;                       ///< Tasks of the allocation; 0: not said.
    std::map<std::string, HostFacts> hosts{};  ///< By the name in --hosts.
};

[[nodiscard]] Machine look_at_machine();

/// A variable of this process; empty where it is not set.
[[nodiscard]] std::string environment(const char* name);

/// IPv4 address of a host name; nothing where it has none.
[[nodiscard]] std::optional<std::uint32_t> resolve(const std::string& host);

/// True where `host` is a name or address of this machine.
[[nodiscard]] bool is_this_machine(const std::string& host, const Machine& machine);

/// SLURM_TASKS_PER_NODE, "2(x3),1" -> 7; 0 where the text makes no sense.
[[nodiscard]] int slurm_slots_of(const std::string& tasks_per_node);

}  // namespace muster::launch
