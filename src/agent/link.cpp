// SPDX-License-Identifier: Apache-2.0
#include "agent/link.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
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

LauncherLink::LauncherLink(Rank self, std::string more) : self_(self), more_(std::move(more)) {
    const char* list = std::getenv("MUSTER_LINK");
    const char* token = std::getenv("MUSTER_LINK_TOKEN");
    if (list == nullptr || token == nullptr) return;
    token_ = token;
    std::stringstream parts{std::string(list)};
    for (std::string part; std::getline(parts, part, ',');)
        if (!part.empty()) addresses_.push_back(part);
}

LauncherLink::~LauncherLink() { close(); }

void LauncherLink::close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void LauncherLink::connect() {
    for (const auto& address : std::exchange(addresses_, {})) {
        socket_ = connect_to(address);
        if (socket_ < 0) continue;
        nlohmann::json hello{{"hello", token_}, {"rank", self_.value}};
        if (!more_.empty()) hello.update(nlohmann::json::parse(more_));
        if (write(hello.dump() + "\n")) return;
    }
}

bool LauncherLink::write(const std::string& line) {
    std::size_t at = 0;
    while (at < line.size()) {
        const auto sent = ::send(socket_, line.data() + at, line.size() - at, MSG_NOSIGNAL);
        if (sent > 0) {
            at += static_cast<std::size_t>(sent);
        } else if (errno != EAGAIN || !ready_to_write(socket_)) {
            close();
            return false;
        }
    }
    return true;
}

std::optional<std::vector<nlohmann::json>> LauncherLink::listen(int end, std::chrono::milliseconds limit) {
    std::array<pollfd, 2> waits{pollfd{end, POLLIN, 0}, pollfd{socket_, POLLIN, 0}};
    (void)::poll(waits.data(), waits.size(), static_cast<int>(limit.count()));
    if (waits[0].revents != 0) return std::nullopt;
    std::vector<nlohmann::json> said;
    if (waits[1].revents == 0) return said;
    std::array<char, 4096> buffer{};
    const auto count = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) close();
    if (count > 0) heard_.append(buffer.data(), static_cast<std::size_t>(count));
    for (auto stop = heard_.find('\n'); stop != std::string::npos; stop = heard_.find('\n')) {
        auto line = nlohmann::json::parse(heard_.substr(0, stop), nullptr, false);
        if (line.is_object()) said.push_back(std::move(line));
        heard_.erase(0, stop + 1);
    }
    return said;
}

bool LauncherLink::send(const nlohmann::json& event) {
    if (socket_ < 0 && !addresses_.empty()) connect();
    return socket_ >= 0 && write(event.dump() + "\n");
}

}  // namespace muster::agent
