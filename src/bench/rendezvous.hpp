// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What `muster bench rendezvous` measures: rounds that somebody asks for while everybody lives, beside a bare split of
/// the same communicator in the same processes.

#include <string>

#include "bench/samples.hpp"

namespace muster::bench {

struct RendezvousSettings {
    int rounds = 20;  ///< Of each kind.
};

/// Joins a session whose engines rest in next(), and lets them ask for rounds. A time goes from the first call to the
/// moment when next() has said rebuilt to the last engine, by the steady clock that the processes of one machine share.
/// Rows, each sample of one round or of one bare call right before it:
/// - without standbys: "regroup" (one engine asks, another one each time) and its parts on rank 0: "notice" (call ->
///   noticed there), "shrink", "build", "hand_over", "last" (next() said so on rank 0 -> on the last engine);
///   "all_ask" (all at once), "rounds_of_all_ask" (how many rounds that led to); "messages", one entry a member: what
///   it sends itself in a round;
/// - with standbys: "park" (an engine gives its slot to a standby), "unpark" (it is one itself from then on);
/// - in both: "split", "split_asleep" (all but rank 0 are rung up from poll(2) first), "bare_round" (revoke, shrink and
///   as many splits as a round has).
/// Samples only on rank 0; none where the ranks are not on one machine; fewer where it broke off. Collective.
[[nodiscard]] Samples rendezvous_rounds(const RendezvousSettings& settings, const std::string& board_path);

}  // namespace muster::bench
