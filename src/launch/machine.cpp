// SPDX-License-Identifier: Apache-2.0
#include "launch/machine.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <numeric>

#include "launch/slurm.hpp"

namespace muster::launch {

namespace {

std::string dotted(std::uint32_t address) {
    const in_addr raw{htonl(address)};
    std::array<char, INET_ADDRSTRLEN> text{};
    inet_ntop(AF_INET, &raw, text.data(), text.size());
    return text.data();
}

std::uint32_t ipv4_of(const sockaddr* address) {
    return ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr);
}

std::vector<Interface> interfaces_up() {
    ifaddrs* raw = nullptr;
    if (getifaddrs(&raw) != 0) return {};
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(raw, &freeifaddrs);
    std::vector<Interface> found;
    for (const auto* it = raw; it != nullptr; it = it->ifa_next) {
        if (it->ifa_addr == nullptr || it->ifa_addr->sa_family != AF_INET || (it->ifa_flags & IFF_UP) == 0) continue;
        found.push_back({.name = it->ifa_name,
                         .address = ipv4_of(it->ifa_addr),
                         .mask = it->ifa_netmask != nullptr ? ipv4_of(it->ifa_netmask) : 0xffffffffU,
                         .loopback = (it->ifa_flags & IFF_LOOPBACK) != 0});
    }
    return found;
}

int usable_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
    return std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
}

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

}  // namespace

std::string Interface::address_text() const { return dotted(address); }

std::string Interface::subnet_text() const {
    return dotted(address & mask) + "/" + std::to_string(std::popcount(mask));
}

Machine look_at_machine() {
    Machine machine;
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) == 0) machine.host_name = name.data();
    std::ifstream("/proc/sys/kernel/random/boot_id") >> machine.boot_id;
    machine.cores = usable_cores();
    machine.root = geteuid() == 0;
    machine.interfaces = interfaces_up();
    machine.in_slurm = !environment("SLURM_JOB_ID").empty();
    if (machine.in_slurm) machine.slurm_slots = slurm_slots_of(environment("SLURM_TASKS_PER_NODE"));
    return machine;
}

std::optional<std::uint32_t> resolve(const std::string& host) {
    addrinfo hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
    return ipv4_of(found->ai_addr);
}

bool is_this_machine(const std::string& host, const Machine& machine) {
    const auto short_of = [](const std::string& name) { return name.substr(0, name.find('.')); };
    if (host == "localhost" || host == machine.host_name || host == short_of(machine.host_name)) return true;
    const auto address = resolve(host);
    return address && std::any_of(machine.interfaces.begin(), machine.interfaces.end(),
                                  [&](const Interface& own) { return own.address == *address; });
}

int slurm_slots_of(const std::string& tasks_per_node) {
    const auto tasks = slurm_tasks_per_node(tasks_per_node);
    return std::accumulate(tasks.begin(), tasks.end(), 0);
}

}  // namespace muster::launch
