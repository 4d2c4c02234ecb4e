// SPDX-License-Identifier: Apache-2.0
#include "launch/heart.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <condition_variable>
#include <nlohmann/json.hpp>

namespace muster::launch {

namespace {

/// Whole or not at all but for a full buffer, in which many beats lie unread: then nobody listens.
bool write_line(int socket, const std::string& line) {
    return ::send(socket, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL) == static_cast<ssize_t>(line.size());
}

}  // namespace

Heart::Heart(std::chrono::milliseconds interval)
    : interval_(interval), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Heart::run(const std::stop_token& stop) {
    const auto beat = nlohmann::json{{"order", "none"}}.dump() + "\n";
    std::condition_variable_any wake;
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
        for (const auto& [rank, socket] : members_) (void)write_line(socket.get(), beat);
        wake.wait_for(lock, stop, interval_, [] { return false; });
    }
}

void Heart::add(int rank, int socket) {
    const std::lock_guard held(mutex_);
    members_[rank] = Descriptor(::fcntl(socket, F_DUPFD_CLOEXEC, 0));
}

void Heart::remove(int rank) {
    const std::lock_guard held(mutex_);
    members_.erase(rank);
}

void Heart::stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

bool Heart::tell(int rank, const nlohmann::json& order) {
    const std::lock_guard held(mutex_);
    const auto found = members_.find(rank);
    return found != members_.end() && write_line(found->second.get(), order.dump() + "\n");
}

}  // namespace muster::launch
