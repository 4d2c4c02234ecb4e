// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How much memory this process has given back while the job was suspended: measured, not computed from sizes.
/// Intuition: an engine has no turn while it is suspended, so a thread of its own waits for that state and looks.
/// Thread safety: about_to_suspend() from the engine thread, released_bytes() from any.
/// Units: bytes of resident memory, as /proc/self/statm says. Lifetime: shorter than the session's; the destructor
/// waits for the session's end.

#include <atomic>
#include <cstdint>
#include <thread>

#include "muster/session.hpp"

namespace serve {

class ResidentWatch {
public:
    explicit ResidentWatch(const muster::Session& session);
    ~ResidentWatch() { watcher_.join(); }
    ResidentWatch(const ResidentWatch&) = delete;
    ResidentWatch& operator=(const ResidentWatch&) = delete;

    void about_to_suspend();
    [[nodiscard]] std::uint64_t released_bytes() const { return released_; }

private:
    void watch();
    [[nodiscard]] bool reached(muster::Milestone milestone) const;

    const muster::Session& session_;
    std::atomic<std::uint64_t> before_ = 0, released_ = 0;
    std::thread watcher_;  ///< Last: it uses the others.
};

}  // namespace serve
