// SPDX-License-Identifier: Apache-2.0
#include "muster/exit_codes.hpp"
#include "muster/session.hpp"
#include "muster/types.hpp"

namespace muster {

const char* name_of(Fault fault) {
    switch (fault) {
        case Fault::peer_lost: return "peer_lost";
        case Fault::timed_out: return "timed_out";
        case Fault::refused: return "refused";
        case Fault::busy: return "busy";
        case Fault::aborted: return "aborted";
        case Fault::ended: return "ended";
        case Fault::state_lost: return "state_lost";
        case Fault::bad_setup: return "bad_setup";
        case Fault::internal: return "internal";
    }
    return "unknown";
}

const char* name_of(ExitCode code) {
    switch (code) {
        case ExitCode::finished: return "finished";
        case ExitCode::program_failed: return "program_failed";
        case ExitCode::bad_usage: return "bad_usage";
        case ExitCode::stopped: return "stopped";
        case ExitCode::requeue_wanted: return "requeue_wanted";
        case ExitCode::below_min: return "below_min";
        case ExitCode::lost_quorum: return "lost_quorum";
        case ExitCode::state_lost: return "state_lost";
        case ExitCode::launcher_failed: return "launcher_failed";
        case ExitCode::aborted: return "aborted";
        case ExitCode::timed_out: return "timed_out";
        case ExitCode::refused: return "refused";
        case ExitCode::internal: return "internal";
    }
    return "unknown";
}

bool World::is_newcomer(Slot s) const {
    for (const auto& newcomer : newcomers)
        if (newcomer.slot == s) return true;
    return false;
}

}  // namespace muster
