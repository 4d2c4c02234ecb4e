// SPDX-License-Identifier: Apache-2.0
#include "agent/link.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

namespace muster::agent {
namespace {

constexpr int kPatienceMs = 1000;

bool ready_to_write(int fd) {
    pollfd wait = {fd, POLLOUT, 0};
    return ::poll(&wait, 1, kPatienceMs) == 1 && (wait.revents & POLLOUT) != 0;
}

int connect_to(const std::string& address) {
    const auto colon = address.rfind(':');
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    if (colon == std::string::npos || ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr) != 1)
        return -1;
    to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(address.c_str() + colon + 1)));
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    const bool begun = ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 || errno == EINPROGRESS;
    int error = 0;
    socklen_t size = sizeof error;
    if (begun && ready_to_write(fd) && ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0)
        return fd;
    ::close(fd);
    return -1;
}

}  // namespace

nlohmann::json ended_event(ExitCode code, const std::string& reason) {
    return {{"event", "ended"}, {"code", static_cast<int>(code)}, {"name", name_of(code)}, {"reason", reason}};
}

LauncherLink::LauncherLink(Rank self) : self_(self) {
    const char* list = std::getenv("MUSTER_LINK");
    const char* token = std::getenv("MUSTER_LINK_TOKEN");
    if (list == nullptr || token == nullptr) return;
    token_ = token;
    std::stringstream parts{std::string(list)};
    for (std::string part; std::getline(parts, part, ',');)
        if (!part.empty()) addresses_.push_back(part);
}

LauncherLink::~LauncherLink() {
    if (socket_ >= 0) ::close(socket_);
}

void LauncherLink::connect() {
    for (const auto& address : std::exchange(addresses_, {})) {
        socket_ = connect_to(address);
        if (socket_ < 0) continue;
        if (write(nlohmann::json{{"hello", token_}, {"rank", self_.value}}.dump() + "\n")) return;
    }
}

bool LauncherLink::write(const std::string& line) {
    std::size_t at = 0;
    while (at < line.size()) {
        const auto sent = ::send(socket_, line.data() + at, line.size() - at, MSG_NOSIGNAL);
        if (sent > 0) {
            at += static_cast<std::size_t>(sent);
        } else if (errno != EAGAIN || !ready_to_write(socket_)) {
            ::close(std::exchange(socket_, -1));
            return false;
        }
    }
    return true;
}

bool LauncherLink::send(const nlohmann::json& event) {
    if (socket_ < 0 && !addresses_.empty()) connect();
    return socket_ >= 0 && write(event.dump() + "\n");
}

}  // namespace muster::agent
