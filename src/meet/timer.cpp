// SPDX-License-Identifier: Apache-2.0
#include "meet/timer.hpp"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "core/assert.hpp"

namespace muster::meet {

Timer::Timer(const std::string& name, std::chrono::microseconds every, std::function<void()> tick) {
    MUSTER_ASSERT(every.count() > 0);
    thread_ = std::jthread([every, tick = std::move(tick)](const std::stop_token& stop) {
        using Clock = std::chrono::steady_clock;
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        auto due = Clock::now() + every;
        while (!wake.wait_until(lock, stop, due, [&] { return stop.stop_requested(); })) {
            tick();
            due = std::max(due + every, Clock::now());  // A tick that took long is not made up for.
        }
    });
    (void)::pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

}  // namespace muster::meet
