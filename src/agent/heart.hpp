// SPDX-License-Identifier: Apache-2.0
#pragma once
/// This member's heartbeat: a thread and a UDP socket of its own around core::Heartbeat.
/// Intuition: the agent may wait in MPI for seconds, and the engine compute for minutes; neither means that the process
/// is gone. So neither is asked: as long as the process gets a processor now and then its heart beats. What it finds
/// out it carries out at once: it ends a silent process of its own node, and has MPI believe a death that the launcher
/// has not reported, so that the agent's recovery does not wait for the dead.
/// A member that learns that the others have gone on without it ends itself with SIGKILL: nothing of what it was doing
/// may reach anybody, and MPI notices.
/// Thread safety: ring(), stop(), confirm() from any thread, start() once, before them.

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <thread>
#include <vector>

#include "agent/bell.hpp"
#include "agent/minder.hpp"
#include "agent/roster.hpp"
#include "core/heartbeat.hpp"

namespace muster::agent {

class Heart {
public:
    /// `bell` is woken when MPI has been told of a death. It outlives the heart.
    explicit Heart(const Bell& bell);
    ~Heart();
    Heart(const Heart&) = delete;
    Heart& operator=(const Heart&) = delete;

    [[nodiscard]] BellAddress address() const { return address_; }

    /// `window_ms` 0: there are no heartbeats, and every other call does nothing.
    void start(Rank self, std::uint32_t window_ms, const std::vector<RosterEntry>& roster);
    /// A round is complete here.
    void ring(Round round, const std::vector<Rank>& members);
    /// The job has ended for this member: it beats no more, and nobody's silence concerns it.
    void stop();
    /// Waits until another member has said that this one is still counted. Where it is not, the process ends in here.
    void confirm(std::chrono::milliseconds patience);

private:
    void run();
    void wake() const;  ///< Its thread, out of poll(2).
    void mind(const std::vector<Rank>& members);
    void listen();
    void perform(const core::HeartbeatEffects& effects);
    void perform(const core::SendBeat& effect);
    void perform(const core::KillSilent& effect);
    void perform(const core::Condemned& effect);
    void perform(const core::Excluded& effect);
    void perform(const core::Confirmed& effect);
    void perform(const core::BeatNote& effect);
    void tell_launcher(std::vector<nlohmann::json> events);

    const Bell& bell_;
    BellAddress address_;
    int socket_ = -1, event_ = -1;
    Rank self_;
    std::uint64_t key_ = 0;
    std::vector<RosterEntry> roster_;
    std::vector<std::uint32_t> nodes_;
    std::uint32_t window_ms_ = 0;
    std::mutex mutex_;  ///< Guards what follows.
    std::condition_variable told_;
    std::unique_ptr<core::Heartbeat> heart_;
    std::unique_ptr<Minder> minder_;  ///< Where no other member of a round has shared this one's node.
    bool over_ = false;
    std::uint64_t confirmed_ = 0;  ///< How often.
    std::thread thread_;
    std::vector<std::thread> tellers_;
};

}  // namespace muster::agent
