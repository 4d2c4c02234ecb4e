// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Nothing waits for ever: a thread that looks at what the others wait for, and acts when a deadline has passed.
/// Intuition: whoever is about to block writes down what it waits for and since when (a coarse clock, so that arming
/// costs a store), and crosses it out afterwards. The watchdog looks four times a second.
/// Thread safety: each lane has one writer; the watchdog's thread calls the lane's action.

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace muster::agent {

class Watchdog {
public:
    enum Lane : std::size_t { agent_lane, engine_lane, kLanes };
    /// Called once per arming that goes past its deadline. `what` as given to arm(), `waited_ms` so far.
    using Action = std::function<void(const char* what, std::uint64_t waited_ms)>;

    Watchdog();
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    void on_expiry(Lane lane, Action action);

    void arm(Lane lane, const char* what, std::uint32_t deadline_ms) {
        lanes_[lane].deadline_ms.store(deadline_ms, std::memory_order_relaxed);
        lanes_[lane].since_ms.store(now_ms_.load(std::memory_order_relaxed), std::memory_order_relaxed);
        lanes_[lane].what.store(what, std::memory_order_release);
    }
    void disarm(Lane lane) { lanes_[lane].what.store(nullptr, std::memory_order_release); }

private:
    struct State {
        std::atomic<const char*> what{nullptr};
        std::atomic<std::uint64_t> since_ms{0};
        std::atomic<std::uint32_t> deadline_ms{0};
        const char* expired = nullptr;  ///< Acted on already; the watchdog's own.
        std::uint64_t expired_since = 0;
        Action action;
    };
    void run();
    void look(State& lane);

    std::array<State, kLanes> lanes_;
    std::atomic<std::uint64_t> now_ms_{0};
    std::mutex mutex_;
    std::condition_variable stop_;
    bool stopping_ = false;
    std::thread thread_;
};

/// Arms a lane for a scope.
class Watch {
public:
    Watch(Watchdog& dog, Watchdog::Lane lane, const char* what, std::uint32_t deadline_ms) : dog_(dog), lane_(lane) {
        dog_.arm(lane_, what, deadline_ms);
    }
    ~Watch() { dog_.disarm(lane_); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

private:
    Watchdog& dog_;
    Watchdog::Lane lane_;
};

}  // namespace muster::agent
