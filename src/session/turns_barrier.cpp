// SPDX-License-Identifier: Apache-2.0
/// World barriers, and the memory that is given back while the job is SUSPENDED.
#include <sched.h>

#include <thread>

#include "agent/inject.hpp"
#include "agent/log.hpp"
#include "agent/settings.hpp"
#include "session/turns.hpp"

namespace muster {
namespace {

constexpr auto kSpin = std::chrono::milliseconds(2);
constexpr auto kNap = std::chrono::microseconds(500);
constexpr auto kLetGo = std::chrono::milliseconds(200);

/// "pausing": the points of fault injection.
std::string place_of(State state) {
    std::string name = name_of(state);
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    return name;
}

/// Where a barrier that is entered in `state` leads.
State stable_after(State state) {
    switch (state) {
        case State::unpausing: return State::running;
        case State::suspending: return State::suspended;
        case State::stopping: return State::stopped;
        default: return State::paused;
    }
}

}  // namespace

/// A barrier that carries its number: an all-reduce without an end until all have come. False where the round is
/// broken.
bool Turns::barrier(std::uint64_t number) {
    ++counts_.barriers;
    const auto place = place_of(loop_.lifecycle().state());
    agent::reach_point("before", place.c_str());
    around_.inbox.whereabouts.doing.store(core::Position::in_barrier, std::memory_order_relaxed);
    const std::array<std::int64_t, 2> mine{static_cast<std::int64_t>(number), -static_cast<std::int64_t>(number)};
    std::array<std::int64_t, 2> all{};
    MPI_Request request = MPI_REQUEST_NULL;
    int code = MPI_Iallreduce(mine.data(), all.data(), 2, MPI_INT64_T, MPI_MAX, comms_->ours.get(), &request);
    if (broken(code, "a barrier")) return false;
    agent::reach_point("inside", place.c_str());
    {
        const agent::Watch watch(around_.watchdog, agent::Watchdog::engine_lane, agent::kBarrierWait,
                                 around_.config.barrier_deadline_ms);
        if (!await(request, "a barrier")) return false;
    }
    if (all[0] != -all[1]) {
        around_.stop(ExitCode::aborted, "this engine is in barrier " + std::to_string(number) +
                                            ", others are in barriers " + std::to_string(-all[1]) + " to " +
                                            std::to_string(all[0]));
        around_.mailbox.complain();
        return false;
    }
    if (!around_.mailbox.crossings.record(number)) return false;
    agent::reach_point("after", place.c_str());
    first_vote_ = true;
    around_.inbox.forget_signals(number);
    around_.inbox.give(agent::Inbox::Crossed{number});
    tell_crossed(number, stable_after(loop_.lifecycle().state()));
    if (loop_.lifecycle().state() == State::stopping) {
        open_.clear();
        fresh_.clear();
    }
    return true;
}

/// A collective of ours that was begun. Peers that come soon are waited for at once, late ones at leisure. When the
/// round breaks MPI lets go of it by itself.
bool Turns::await(MPI_Request& request, const char* what) {
    const auto begin = agent::Clock::now();
    std::optional<agent::Clock::time_point> broken_since;
    for (;;) {
        int done = 0;
        const int code = MPI_Test(&request, &done, MPI_STATUS_IGNORE);
        if (code != MPI_SUCCESS) return !broken(code, what);
        const auto now = agent::Clock::now();
        if (done != 0) return true;
        if (around_.mailbox.interrupted() && !broken_since) broken_since = now;
        if (broken_since && now - *broken_since > kLetGo) return false;  // Left to MPI; the communicator is revoked.
        if (around_.pump) around_.pump();
        if (now - begin < kSpin || broken_since)
            sched_yield();
        else
            std::this_thread::sleep_for(kNap);
    }
}

void Turns::release_buffers() {
    for (Buffer* buffer : buffers_)
        if (const auto released = buffer->release(); !released)
            agent::say("a buffer of " + std::to_string(buffer->bytes().size()) +
                       " bytes stays in memory: " + released.error().text);
}

void Turns::restore_buffers() {
    for (Buffer* buffer : buffers_)
        if (const auto restored = buffer->restore(); !restored)
            around_.stop(ExitCode::state_lost, "a buffer of " + std::to_string(buffer->bytes().size()) +
                                                   " bytes does not come back: " + restored.error().text);
}

}  // namespace muster
