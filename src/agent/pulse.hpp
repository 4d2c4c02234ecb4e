// SPDX-License-Identifier: Apache-2.0
#pragma once
/// This member's sign of life to `muster run`, and its ear for what `muster run` asks of the job.
/// Intuition: a thread with a link of its own says every interval which step is committed, whatever the agent is
/// blocked in. `muster run` sees a process's death as the end of its link, at once, and a node's silence as missing
/// beats. The other way round each line that comes renews a lease: a member that hears nothing for that long is cut
/// off, the job may already run again elsewhere, and it stops itself.
/// Runs only where `muster run` asks for it: MUSTER_PULSE_MS (interval), MUSTER_LEASE_MS (0 or not there: no lease).
/// Thread safety: constructor, end() and destructor from one thread; the rest is its own.

#include <chrono>
#include <memory>
#include <thread>

#include "agent/client_desk.hpp"
#include "agent/link.hpp"
#include "agent/mailbox.hpp"
#include "persist/descriptor.hpp"

namespace muster::agent {

class Pulse {
public:
    /// `mailbox` and `desk` outlive it.
    Pulse(Rank self, Mailbox& mailbox, detail::Desk& desk);
    ~Pulse();
    Pulse(const Pulse&) = delete;
    Pulse& operator=(const Pulse&) = delete;

private:
    void run();
    bool beat();
    void obey(const nlohmann::json& order);
    [[noreturn]] void stop_cut_off(const char* how) const;

    Mailbox& mailbox_;
    detail::Desk& desk_;
    std::chrono::milliseconds interval_, lease_;
    LauncherLink link_;
    persist::Descriptor end_;  ///< An eventfd: the session is over.
    std::thread thread_;
};

}  // namespace muster::agent
