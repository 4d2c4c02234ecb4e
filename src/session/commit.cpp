// SPDX-License-Identifier: Apache-2.0
/// The agreement that a step is done.
#include <mpi.h>

#include <algorithm>
#include <array>
#include <map>

#include "agent/inject.hpp"
#include "mpi/fault.hpp"
#include "session/impl.hpp"

namespace muster {

namespace {

using Pair = std::pair<std::uint64_t, std::uint64_t>;

/// Those who differ from what most of them gave; at most three by name. `all`: step and hash of each slot.
std::string odd_ones(const std::vector<std::uint64_t>& all, const World& world) {
    std::map<Pair, std::uint32_t> count;
    for (std::uint32_t s = 0; s < world.size(); ++s) ++count[{all[2 * s], all[2 * s + 1]}];
    const auto usual = std::max_element(count.begin(), count.end(), [](const auto& a, const auto& b) {
                           return a.second < b.second;
                       })->first;
    std::string text;
    std::uint32_t odd = 0;
    for (std::uint32_t s = 0; s < world.size(); ++s) {
        if (Pair{all[2 * s], all[2 * s + 1]} == usual || ++odd > 3) continue;
        text += "slot " + std::to_string(s) + " (rank " + std::to_string(world.ranks[s].value) + " on " +
                world.nodes[s] + ") gives step " + std::to_string(all[2 * s]) +
                (all[2 * s + 1] == usual.second ? ", " : " and another blob, ");
    }
    if (odd > 3) text += "and " + std::to_string(odd - 3) + " more, ";
    return text + "the others step " + std::to_string(usual.first);
}

}  // namespace

Error Session::Impl::lost(int code, const char* what) {
    mailbox.complain();
    auto error = mpi::fault_of(code, what);
    error.fault = Fault::peer_lost;  // Whatever MPI calls it: the round is looked at anew.
    return error;
}

Result<MPI_Comm> Session::Impl::ours() const {
    if (over) return Error{Fault::ended, "the session is over"};
    if (!world.slot) return Error{Fault::refused, "this member is a standby: only engines of the world can do that"};
    if (mailbox.interrupted()) return Error{Fault::peer_lost, "the round is broken: call next()"};
    return current->comms->ours.get();
}

Result<Step> Session::Impl::commit(Step step, std::span<const std::byte> blob) {
    const auto comm = ours();
    if (!comm) return comm.error();
    agent::reach_step(step);
    agent::reach_point("commit.entered");
    if (const auto last = mailbox.ledger.committed(); last && step.value != last->value + 1) {
        stop(ExitCode::aborted, "commit(" + std::to_string(step.value) + ") after step " + std::to_string(last->value) +
                                    ": steps count up by one");
        return Error{Fault::refused, "steps count up by one: " + std::to_string(last->value) + " is the last one"};
    }
    if (!mailbox.ledger.begin(step, world.round, blob)) return Error{Fault::peer_lost, "the round is broken"};
    const std::uint64_t hash = core::hash_of(blob);
    // Each number and its complement: after a MAX they still match only if all gave the same.
    const std::array<std::uint64_t, 4> mine{step.value, ~step.value, hash, ~hash};
    std::array<std::uint64_t, 4> all{};
    {
        const agent::Watch watch(watchdog, agent::Watchdog::engine_lane, "all engines to reach a commit",
                                 config.commit_deadline_ms);
        turns->waits(true);
        const int code = MPI_Allreduce(mine.data(), all.data(), 4, MPI_UINT64_T, MPI_MAX, *comm);
        turns->waits(false);
        if (code != MPI_SUCCESS) return lost(code, "commit");
    }
    if (all[0] != ~all[1] || all[2] != ~all[3]) return disagreement(step, hash);
    agent::reach_point("commit.agreed");
    if (!mailbox.ledger.record()) return Error{Fault::peer_lost, "the round broke before the commit was recorded"};
    const auto now = agent::Clock::now();
    mailbox.committed(step, now);
    if (first_commit_due) {
        first_commit_due = false;
        if (!rounds.empty()) rounds.back().stalled_ms = current->times.stalled_ms(now);
    }
    agent::reach_point("commit.recorded");
    return step;
}

/// As if it had been there when the step was committed.
Result<Done> Session::Impl::took_over() {
    if (const auto comm = ours(); !comm) return comm.error();
    if (!world.step) return Error{Fault::refused, "nothing is committed in this world that could be taken over"};
    auto& ledger = mailbox.ledger;
    if (ledger.committed() == world.step) return Done{};
    if (!ledger.begin(*world.step, current->plan.state_round, world.blob) || !ledger.record())
        return Error{Fault::peer_lost, "the round is broken: call next()"};
    return Done{};
}

/// Everybody has seen that not all are alike; now everybody sees who is not like the others.
Error Session::Impl::disagreement(Step step, std::uint64_t hash) {
    const std::array<std::uint64_t, 2> mine{step.value, hash};
    std::vector<std::uint64_t> all(2 * world.size());
    const int code =
        MPI_Allgather(mine.data(), 2, MPI_UINT64_T, all.data(), 2, MPI_UINT64_T, current->comms->ours.get());
    if (code != MPI_SUCCESS) return lost(code, "commit");
    const std::string text = "the engines do not commit the same: " + odd_ones(all, world);
    stop(ExitCode::aborted, text);
    return Error{Fault::refused, text};
}

}  // namespace muster
