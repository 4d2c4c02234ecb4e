// SPDX-License-Identifier: Apache-2.0
#pragma once
/// While the job runs, its launcher's eye on the rendezvous: who comes late is answered or taken in, and a launcher
/// that the others have given up learns of it.
/// Intuition: a thread that looks every poll_sleep. Nodes on the wait list ask to be taken in; the answer lies in the
/// round's store under answer.NODE, or taken.NODE where the job may be launched again larger. A launcher that is in the
/// round no longer was silent for too long (stopped, or cut off): the others have gone and a next round may launch the
/// job again, so this job must stop. Thread safety: all calls from any thread.

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "launch/meeting_place.hpp"

namespace muster::launch {

class Reception {
public:
    /// All must outlive it.
    Reception(MeetingPlace& place, const meet::Joined& joined, meet::RoundStore& store, const Bootstrap& job);
    [[nodiscard]] bool is_given_up() const { return given_up_; }
    /// Who was taken in and waits for the job to be launched again; empty: nobody.
    [[nodiscard]] std::string growth() const;
    [[nodiscard]] std::vector<HostSlots> take_hosts();  ///< All that were taken in; nobody waits for that any more.

private:
    void serve(const std::stop_token& stop);
    void look();
    void answer(const meet::State& state);
    [[nodiscard]] bool take_in(const meet::Node& node);

    MeetingPlace& place_;
    const meet::Joined& joined_;
    meet::RoundStore& store_;
    const Bootstrap& job_;
    std::set<meet::Node> answered_;  ///< Only serve()'s.
    std::string trouble_;            ///< The same; what was said last.
    std::atomic<bool> given_up_{false};
    mutable std::mutex mutex_;
    std::vector<HostSlots> hosts_;  ///< Under the lock, as the next one.
    std::string growth_;
    std::jthread thread_;
};

}  // namespace muster::launch
