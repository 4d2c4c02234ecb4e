// SPDX-License-Identifier: Apache-2.0
#include "agent/watchdog.hpp"

#include <chrono>

namespace muster::agent {
namespace {

constexpr auto kLook = std::chrono::milliseconds(250);

std::uint64_t steady_ms() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

Watchdog::Watchdog() : now_ms_(steady_ms()), thread_([this] { run(); }) {}

Watchdog::~Watchdog() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    stop_.notify_all();
    thread_.join();
}

void Watchdog::on_expiry(Lane lane, Action action) {
    const std::scoped_lock lock(mutex_);
    lanes_[lane].action = std::move(action);
}

void Watchdog::run() {
    std::unique_lock lock(mutex_);
    while (!stop_.wait_for(lock, kLook, [this] { return stopping_; })) {
        now_ms_ = steady_ms();
        for (auto& lane : lanes_) look(lane);
    }
}

void Watchdog::look(State& lane) {
    const char* what = lane.what.load(std::memory_order_acquire);
    const std::uint64_t since = lane.since_ms.load(std::memory_order_relaxed);
    if (what == nullptr || (what == lane.expired && since == lane.expired_since)) return;
    const std::uint64_t waited = now_ms_ > since ? now_ms_ - since : 0;
    if (waited <= lane.deadline_ms.load(std::memory_order_relaxed)) return;
    lane.expired = what;
    lane.expired_since = since;
    if (lane.action) lane.action(what, waited);
}

}  // namespace muster::agent
