// SPDX-License-Identifier: Apache-2.0
#include "serve/tally.hpp"

namespace serve {

void Tally::count_sent() { count(sent_); }
void Tally::count_answered() { count(answered_); }
void Tally::count_transition() { count(transitions_); }

void Tally::count(std::uint64_t& number) {
    const std::lock_guard lock(mutex_);
    ++number;
    last_ = std::chrono::steady_clock::now();
    changed_.notify_all();
}

void Tally::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
}

bool Tally::wait_sent(std::uint64_t count) { return wait(sent_, count); }
bool Tally::wait_answered(std::uint64_t count) { return wait(answered_, count); }
bool Tally::wait_deployed() { return wait(deployed_, 1); }
void Tally::deployed() { count(deployed_); }

bool Tally::wait(const std::uint64_t& number, std::uint64_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return number >= count || closed_; });
    return number >= count;
}

std::uint64_t Tally::sent() const {
    const std::lock_guard lock(mutex_);
    return sent_;
}

std::chrono::steady_clock::duration Tally::quiet_for() const {
    const std::lock_guard lock(mutex_);
    return std::chrono::steady_clock::now() - last_;
}

}  // namespace serve
