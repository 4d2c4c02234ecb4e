// SPDX-License-Identifier: Apache-2.0
#include "launch/link_server.hpp"

#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

namespace muster::launch {

namespace {

constexpr std::size_t kLineMax = 1 << 20;
constexpr std::chrono::seconds kHelloLimit{5};

Error system_error(const char* what) {
    return {Fault::internal, std::string(what) + " for the launcher link: " + std::strerror(errno)};
}

/// Takes as long for a wrong token as for a right one.
bool same(const std::string& a, const std::string& b) {
    if (a.size() != b.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
    return difference == 0;
}

}  // namespace

std::string random_token() {
    std::array<unsigned char, 16> bytes{};
    if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
    std::string text;
    for (const unsigned byte : bytes) {
        text += "0123456789abcdef"[byte >> 4U];
        text += "0123456789abcdef"[byte & 15U];
    }
    return text;
}

Result<LinkServer> LinkServer::open(std::string token) {
    LinkServer server;
    server.token_ = std::move(token);
    server.listener_ = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!server.listener_.open()) return system_error("no socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (bind(server.listener_.get(), raw, size) != 0 || listen(server.listener_.get(), SOMAXCONN) != 0 ||
        getsockname(server.listener_.get(), raw, &size) != 0)
        return system_error("no port");
    server.port_ = ntohs(address.sin_port);
    return server;
}

void LinkServer::append_to(std::vector<pollfd>& waits) const {
    waits.push_back({listener_.get(), POLLIN, 0});
    for (const auto& member : members_) waits.push_back({member.socket.get(), POLLIN, 0});
}

void LinkServer::handle(const OnEvent& on_event) {
    accept_all();
    const auto now = Clock::now();
    for (auto member = members_.begin(); member != members_.end();) {
        const bool late = member->rank < 0 && now - member->since > kHelloLimit;
        if (read_from(*member, on_event) && !late) {
            ++member;
            continue;
        }
        if (member->pulse) on_pulse_.closed(member->rank);
        member = members_.erase(member);
    }
}

void LinkServer::accept_all() {
    while (true) {
        Descriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!socket.open()) return;
        members_.push_back(
            {.socket = std::move(socket), .since = Clock::now(), .rank = -1, .pending = {}, .pulse = false});
    }
}

/// False where the connection is to be closed.
bool LinkServer::read_from(Member& member, const OnEvent& on_event) const {
    std::array<char, 8192> buffer{};
    while (true) {
        const auto count = recv(member.socket.get(), buffer.data(), buffer.size(), 0);
        if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
        if (count == 0) return false;
        member.pending.append(buffer.data(), static_cast<std::size_t>(count));
        std::size_t begin = 0;
        for (auto end = member.pending.find('\n'); end != std::string::npos; end = member.pending.find('\n', begin)) {
            if (!take_line(member, member.pending.substr(begin, end - begin), on_event)) return false;
            begin = end + 1;
        }
        member.pending.erase(0, begin);
        if (member.pending.size() > kLineMax) return false;
    }
}

bool LinkServer::take_line(Member& member, const std::string& line, const OnEvent& on_event) const {
    const auto message = nlohmann::json::parse(line, nullptr, false);
    if (!message.is_object()) return false;
    if (member.rank >= 0) {
        member.pulse ? on_pulse_.heard(member.rank, message) : on_event(member.rank, message);
        return true;
    }
    const auto hello = message.find("hello");
    const auto rank = message.find("rank");
    if (hello == message.end() || !hello->is_string() || !same(hello->get<std::string>(), token_)) return false;
    if (rank == message.end() || !rank->is_number_integer() || rank->get<int>() < 0) return false;
    member.rank = rank->get<int>();
    member.pulse = on_pulse_.hello && message.contains("pulse");
    if (member.pulse) on_pulse_.hello(member.rank, message, member.socket.get());
    return true;
}

}  // namespace muster::launch
