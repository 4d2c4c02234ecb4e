// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How far the traffic is: counted by the thread that sends, waited for by the operator's.
/// Thread safety: every call from any thread.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace serve {

class Tally {
public:
    void count_sent();
    void count_answered();
    void count_transition();
    void close();  ///< There will be no more: whoever waits is told so.

    /// False: closed before it came to that.
    [[nodiscard]] bool wait_sent(std::uint64_t count);
    [[nodiscard]] bool wait_answered(std::uint64_t count);
    /// Until the calls of the controller, if there are any, are made and looked at.
    [[nodiscard]] bool wait_deployed();
    void deployed();
    [[nodiscard]] std::uint64_t sent() const;
    /// Since anything was counted.
    [[nodiscard]] std::chrono::steady_clock::duration quiet_for() const;

private:
    void count(std::uint64_t& number);
    [[nodiscard]] bool wait(const std::uint64_t& number, std::uint64_t count);

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t sent_ = 0, answered_ = 0, transitions_ = 0;
    std::uint64_t deployed_ = 0;
    bool closed_ = false;
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace serve
