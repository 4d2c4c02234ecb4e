// SPDX-License-Identifier: Apache-2.0
#include "agent/bell.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace muster::agent {

/// Without a socket every wake-up costs one tick.
Bell::Bell() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { socket_ = open_datagrams(address_); }

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
    std::array<std::byte, sizeof(std::uint32_t)> hint{};
    for (std::size_t i = 0; i < hint.size(); ++i)
        hint[i] = static_cast<std::byte>(asked_after.value >> 8U * (hint.size() - 1 - i));
    send_datagram(socket_, other, same_node, hint);
}

}  // namespace muster::agent
