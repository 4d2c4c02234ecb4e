// SPDX-License-Identifier: Apache-2.0
/// The driver loop's first part: from a notice to the pool of those who are alive, and the proof of who is not.
#include <sched.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "agent/agent.hpp"
#include "agent/inject.hpp"
#include "agent/log.hpp"
#include "agent/settings.hpp"

namespace muster::agent {
namespace {

constexpr auto kProofPatience = std::chrono::milliseconds(500);
constexpr auto kSettle = std::chrono::milliseconds(5);
constexpr auto kProofGlance = std::chrono::milliseconds(3);
constexpr auto kReturnPatience = std::chrono::milliseconds(1'000);
constexpr auto kNearly = std::chrono::milliseconds(200);
constexpr auto kReturnGlance = std::chrono::milliseconds(1);

}  // namespace

void Agent::ring(Rank other, Round asked_after) {
    ++rings_;
    const auto& entry = roster_[other.value];
    bell_.ring(entry.bell, entry.member.node == roster_[self_.value].member.node, asked_after);
}

/// Members at distance 1, 2, 4, ... in the pool: whoever is woken rings his own, so all are awake after log n hops.
void Agent::ring_neighbours() {
    const auto size = places_.size();
    const auto here = static_cast<std::size_t>(place_of(self_));
    const Round hint = only_asked_for() && !mpi::broken_by_death(pool_) ? recovery_.round() : Round{};
    for (std::size_t far = 1; far < size; far *= 2)
        for (const std::size_t place : {(here + far) % size, (here + size - far) % size})
            if (place != here) ring(places_[place], hint);
}

std::optional<core::Input> Agent::perform(const core::Revoke&) {
    mailbox_.interrupt();
    in_round_ = false;
    post_.abandon();
    apply(switchboard_.interrupted());
    inbox_.poke();
    pool_.revoke();
    ring_neighbours();  // They wake while the rest is revoked.
    if (comms_) comms_->revoke();
    mailbox_.revoke_tracked();
    building_.reset();
    end_hung_engine();
    reach_point("revoked");
    return std::nullopt;
}

/// Everything that the engine could wait for is revoked. Whose turn was overdue, and does not come back now, is hung in
/// code of its own: the process ends, as if a member of its node had ended it, and the others' shrink, which waits for
/// it, goes on without it.
void Agent::end_hung_engine() {
    // A peer whose turn began a moment earlier may be the one that has begun this round.
    const auto due = inbox_.whereabouts.turn_due_ms.load(std::memory_order_relaxed);
    const bool nearly = due != 0 && milliseconds(Clock::now() + kNearly) >= due;
    if (!std::exchange(overdue_, false) && !nearly) return;
    const auto since = inbox_.whereabouts.turn_since_ms.load();
    const auto until = Clock::now() + kReturnPatience;
    while (!mailbox_.engine_waits() && Clock::now() < until) {
        mpi::progress();
        std::this_thread::sleep_for(kReturnGlance);
    }
    if (mailbox_.engine_waits() || config_.agent != AgentThread::own) return;
    const auto text = "the engine's turn has taken " + std::to_string(milliseconds(Clock::now()) - since) +
                      " ms and does not come back: this process ends";
    say(text);
    link_.send({{"event", "note"}, {"rank", self_.value}, {"text", text}});
    (void)std::raise(SIGKILL);
}

/// As far as this member knows nobody has died: it has asked for the round itself, or heard that somebody has, and
/// nothing has failed since. If somebody dies at this very moment the agreement finds out, as it always can.
bool Agent::only_asked_for() const {
    return !troubled_ && (calm_ || (recovery_.round() > Round{0} && bell_.asked_after() == recovery_.round()));
}

/// Open MPI 5.0.11 can crash in the shrink's agreement where a process learns of a death from it, or where a second
/// thread takes part in MPI's progress meanwhile (DESIGN.md, "The agreement's stale event"). So before the agreement:
/// let MPI hear of the death by itself, and the engine come back from its calls; both take about a millisecond, and
/// neither is waited for long, since there may be no death, and the engine may be computing. Where the round was only
/// asked for there is nothing to hear of.
void Agent::settle() {
    const auto until = Clock::now() + kSettle;
    const bool own_thread = config_.agent == AgentThread::own;
    const auto settled = [&] {
        if (!mpi::broken_by_death(pool_)) return only_asked_for();
        return mailbox_.engine_waits() || !own_thread;
    };
    while (!settled() && Clock::now() < until) {
        mpi::progress();
        bell_.hear();
        sched_yield();
    }
    trace(std::string("shrink: a death is ") + (mpi::broken_by_death(pool_) ? "" : "not ") + "known, the engine is " +
          (mailbox_.engine_waits() ? "" : "not ") + "back");
}

std::optional<core::Input> Agent::perform(const core::Shrink&) {
    settle();
    const Watch watch(watchdog_, Watchdog::agent_lane, "shrink: all survivors to agree on who is alive",
                      config_.recovery_deadline_ms);
    auto shrunk = mpi::Communicator::shrink(pool_.get());
    if (!shrunk) return core::Failed{};
    pool_ = std::move(*shrunk);
    places_ = pool_.ranks();
    reach_point("shrunk");
    // Open MPI 5.0.11 crashes in a rank that is still making a communicator which another revokes already: nobody may
    // revoke this one, whatever fails, before everybody has it.
    if (!mpi::agree(pool_, /*yes=*/true)) return core::Failed{};
    times_.shrunk = Clock::now();
    return core::Shrunk{places_};
}

void Agent::prove(const core::Gather& gather) {
    proven_.clear();
    if (!witness_) return;
    const auto until = Clock::now() + (gather.insist ? kProofPatience : kProofGlance);
    for (const Rank rank : gather.prove) {
        bool gone = is_gone(roster_[rank.value].process);
        while (!gone && Clock::now() < until) {  // A killed process takes a moment to become one for the kernel too.
            sched_yield();
            gone = is_gone(roster_[rank.value].process);
        }
        if (gone) proven_.push_back(rank);
    }
}

}  // namespace muster::agent
