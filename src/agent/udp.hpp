// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Datagram sockets between members: the bell's and the heart's.

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

namespace muster::agent {

/// Where a member's datagrams go.
struct BellAddress {
    std::uint32_t ipv4 =
        0;  ///< Network byte order; 0: this member has no network address, reach it on its own node only.
    std::uint16_t port = 0;  ///< Host byte order; 0: no socket.
};

/// Of MUSTER_INTERFACE, or of the first interface that is up.
[[nodiscard]] inline std::uint32_t own_ipv4() {
    ifaddrs* all = nullptr;
    if (getifaddrs(&all) != 0) return 0;
    const char* wanted = std::getenv("MUSTER_INTERFACE");
    std::uint32_t found = 0;
    for (const ifaddrs* one = all; one != nullptr && found == 0; one = one->ifa_next) {
        if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
        const bool usable = (one->ifa_flags & IFF_UP) != 0 && (one->ifa_flags & IFF_LOOPBACK) == 0;
        const bool named = wanted == nullptr || std::strcmp(wanted, one->ifa_name) == 0;
        if (usable && named) found = reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr.s_addr;
    }
    freeifaddrs(all);
    return found;
}

[[nodiscard]] inline sockaddr_in socket_address(std::uint32_t ipv4, std::uint16_t port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ipv4;
    address.sin_port = htons(port);
    return address;
}

/// A socket that never blocks, on a port of the system's choice; `address` is where others send to. -1: there is none,
/// and `address` stays as it is.
[[nodiscard]] inline int open_datagrams(BellAddress& address) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    auto any = socket_address(htonl(INADDR_ANY), 0);
    socklen_t size = sizeof any;
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&any), size) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&any), &size) != 0) {
        if (fd >= 0) ::close(fd);
        return -1;
    }
    address = {own_ipv4(), ntohs(any.sin_port)};
    return fd;
}

/// Loopback where `same_node`. What cannot be sent is lost, as any datagram may be.
inline void send_datagram(int fd, const BellAddress& other, bool same_node, std::span<const std::byte> bytes) {
    if (fd < 0 || other.port == 0 || (!same_node && other.ipv4 == 0)) return;
    const auto to = socket_address(same_node ? htonl(INADDR_LOOPBACK) : other.ipv4, other.port);
    ::sendto(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to),
             sizeof to);
}

}  // namespace muster::agent
