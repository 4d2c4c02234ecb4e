// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Calls something every so often on a thread of its own; once it is destroyed no call runs and none comes.
/// Must not be destroyed by what it calls, nor by a thread that holds a lock which that needs.

#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace muster::meet {

class Timer {
public:
    /// `name` is the thread's, as far as the system takes it (15 letters). `every` is more than nothing.
    Timer(const std::string& name, std::chrono::microseconds every, std::function<void()> tick);

private:
    std::jthread thread_;
};

}  // namespace muster::meet
