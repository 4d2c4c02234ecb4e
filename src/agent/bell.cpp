// SPDX-License-Identifier: Apache-2.0
#include "agent/bell.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

namespace muster::agent {
namespace {

std::uint32_t own_address() {
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

sockaddr_in socket_address(std::uint32_t ipv4, std::uint16_t port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ipv4;
    address.sin_port = htons(port);
    return address;
}

}  // namespace

Bell::Bell() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    auto any = socket_address(htonl(INADDR_ANY), 0);
    socklen_t size = sizeof any;
    if (socket_ < 0 || ::bind(socket_, reinterpret_cast<sockaddr*>(&any), size) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&any), &size) != 0)
        return;  // Without a bell every wake-up costs one tick.
    address_ = {own_address(), ntohs(any.sin_port)};
}

Bell::~Bell() {
    if (socket_ >= 0) ::close(socket_);
    if (event_ >= 0) ::close(event_);
}

bool Bell::wait(int timeout_ms) {
    pollfd fds[2] = {{event_, POLLIN, 0}, {socket_, POLLIN, 0}};
    if (::poll(fds, socket_ >= 0 ? 2 : 1, timeout_ms) <= 0) return false;
    std::uint64_t count = 0;
    [[maybe_unused]] const auto drained = ::read(event_, &count, sizeof count);
    hear();
    return true;
}

void Bell::hear() {
    std::array<unsigned char, sizeof(std::uint32_t)> hint{};
    ssize_t size = 0;
    while (socket_ >= 0 && (size = ::recv(socket_, hint.data(), hint.size(), MSG_DONTWAIT)) >= 0) {
        if (size != static_cast<ssize_t>(hint.size())) continue;
        std::uint32_t round = 0;
        for (const unsigned char byte : hint) round = round << 8U | byte;
        if (round != 0) asked_after_ = Round{round};
    }
}

void Bell::wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one);
}

void Bell::ring(const BellAddress& other, bool same_node, Round asked_after) const {
    if (socket_ < 0 || other.port == 0 || (!same_node && other.ipv4 == 0)) return;
    const auto to = socket_address(same_node ? htonl(INADDR_LOOPBACK) : other.ipv4, other.port);
    std::array<unsigned char, sizeof(std::uint32_t)> hint{};
    for (std::size_t i = 0; i < hint.size(); ++i)
        hint[i] = static_cast<unsigned char>(asked_after.value >> 8U * (hint.size() - 1 - i));
    ::sendto(socket_, hint.data(), hint.size(), MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to),
             sizeof to);
}

}  // namespace muster::agent
