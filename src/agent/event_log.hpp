// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Writes down the steps of each round's rendezvous (T35), as JSON lines (meet/event_line), where somebody reads them.
/// Shape: Config::events is "" (nobody), "link" (`muster run --json`), or the path of a file that is appended to; each
/// round's coordinator writes, so over several nodes the file belongs on a shared file system.
/// Errors: a file that cannot be written is said once. Thread safety: the agent's.

#include <string>

#include "agent/link.hpp"
#include "core/rendezvous_event.hpp"

namespace muster::agent {

class EventLog {
public:
    /// `link` must outlive it.
    EventLog(std::string target, LauncherLink& link) : target_(std::move(target)), link_(link) {}

    [[nodiscard]] bool wanted() const { return !target_.empty(); }
    void write(const core::rendezvous::Events& events);

private:
    std::string target_;
    LauncherLink& link_;
};

}  // namespace muster::agent
