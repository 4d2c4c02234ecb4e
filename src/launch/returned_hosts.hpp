// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Asks hosts that were silent, every few seconds, whether they answer again.
/// Thread safety: any() from any thread; asks in a thread of its own.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "launch/job_spec.hpp"
#include "launch/machine.hpp"

namespace muster::launch {

class ReturnedHosts {
public:
    /// `silent.hosts`: those to ask, in the way that the rest of it says.
    ReturnedHosts(JobSpec silent, Machine machine, std::chrono::milliseconds ask_limit);
    /// "n1 answers again"; empty: nobody does.
    [[nodiscard]] std::string any() const;

private:
    void run(const std::stop_token& stop);

    JobSpec silent_;
    Machine machine_;
    std::chrono::milliseconds ask_limit_;
    mutable std::mutex mutex_;
    std::string returned_;
    std::jthread thread_;
};

}  // namespace muster::launch
