// SPDX-License-Identifier: Apache-2.0
#include "agent/event_log.hpp"

#include <fcntl.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

#include "agent/log.hpp"
#include "meet/clock.hpp"
#include "meet/event_line.hpp"
#include "persist/descriptor.hpp"

namespace muster::agent {

void EventLog::write(const core::rendezvous::Events& events) {
    if (!wanted() || events.empty()) return;
    const auto now = meet::now();
    if (target_ == "link") {
        for (const auto& event : events) link_.send(meet::as_json(event, now));
        return;
    }
    std::string lines;
    for (const auto& event : events) lines += meet::as_json(event, now).dump() + "\n";
    const persist::Descriptor file(::open(target_.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644));
    // One write, so that the lines of two coordinators never mix.
    if (file && ::write(file.get(), lines.data(), lines.size()) == static_cast<ssize_t>(lines.size())) return;
    say("the rendezvous' events cannot be written to '" + target_ + "': " + std::generic_category().message(errno));
    target_.clear();
}

}  // namespace muster::agent
