// SPDX-License-Identifier: Apache-2.0
#include "serve/resident.hpp"

#include <unistd.h>

#include <chrono>
#include <fstream>

namespace serve {
namespace {

std::uint64_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t size = 0, resident = 0;
    file >> size >> resident;
    return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

ResidentWatch::ResidentWatch(const muster::Session& session) : session_(session), watcher_([this] { watch(); }) {}

void ResidentWatch::about_to_suspend() { before_ = resident_bytes(); }

/// False where the session is over.
bool ResidentWatch::reached(muster::Milestone milestone) const {
    for (;;) {
        const auto done = session_.wait_for(milestone, std::chrono::hours(1));
        if (done || done.error().fault != muster::Fault::timed_out) return static_cast<bool>(done);
    }
}

void ResidentWatch::watch() {
    while (reached(muster::Milestone::suspended)) {
        const auto now = resident_bytes();
        // A look that came too late has seen memory that was already taken again.
        const bool in_time = session_.state() == muster::State::suspended;
        const auto before = before_.load();
        if (in_time && before > now) released_ = before - now;
        if (!reached(muster::Milestone::resumed)) return;
    }
}

}  // namespace serve
