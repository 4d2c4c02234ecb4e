// SPDX-License-Identifier: Apache-2.0
#pragma once
/// This engine's state as other threads of its process see it and wait for it.
/// Thread safety: show() and close() from the engine thread, the rest from any.

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "core/lifecycle.hpp"
#include "muster/lifecycle.hpp"

namespace muster {

class Stage {
public:
    void show(const core::EngineLifecycle& lifecycle);  ///< Cheap where nothing has changed.
    void close();                                       ///< The session is over: nobody waits any more.

    [[nodiscard]] State state() const;
    [[nodiscard]] bool reached(Milestone milestone) const;
    /// Errors: timed_out, ended.
    [[nodiscard]] Result<Done> wait_for(Milestone milestone, std::chrono::milliseconds deadline) const;

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    State state_ = State::running;
    unsigned milestones_ = 0;
    bool over_ = false;
};

}  // namespace muster
