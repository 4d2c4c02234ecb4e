// SPDX-License-Identifier: Apache-2.0
#include "launch/returned_hosts.hpp"

#include "launch/host_check.hpp"

namespace muster::launch {

namespace {
constexpr std::chrono::seconds kAskAgain{2};
}

ReturnedHosts::ReturnedHosts(JobSpec silent, Machine machine, std::chrono::milliseconds ask_limit)
    : silent_(std::move(silent)),
      machine_(std::move(machine)),
      ask_limit_(ask_limit),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void ReturnedHosts::run(const std::stop_token& stop) {
    std::condition_variable_any wake;
    std::unique_lock lock(mutex_);
    while (!wake.wait_for(lock, stop, kAskAgain, [] { return false; }) && !stop.stop_requested()) {
        lock.unlock();
        const auto still = ask_hosts(silent_, machine_, ask_limit_);
        lock.lock();
        for (const auto& host : silent_.hosts)
            if (!still.contains(host.name)) returned_ = "host " + host.name + " answers again";
        if (!returned_.empty()) return;
    }
}

std::string ReturnedHosts::any() const {
    const std::lock_guard held(mutex_);
    return returned_;
}

}  // namespace muster::launch
