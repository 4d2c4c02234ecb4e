// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The next world as a rendezvous round: placement says who would sit where, the rendezvous' own steps admit them.
/// Intuition: all live members leave the last round and join the next one, those that are placed first; the round is
/// complete when they all are there, and whoever comes then is told to wait (there would be a place, but no whole unit
/// of them) or is redundant.
/// Shape: descriptors are (run id, 0, Rank), so torch's order of descriptors is the order of Ranks. Errors: a round
/// that cannot be complete has an empty world; `waits` says why. Thread safety: pure. Source: design.md section 6.4.

#include <string>
#include <vector>

#include "core/placement.hpp"
#include "core/rendezvous_batch.hpp"

namespace muster::core {

/// What a rendezvous remembers from round to round.
struct LastRound {
    Round round;                     ///< 0: there was none.
    const std::vector<Rank>& world;  ///< slot -> Rank. Whoever was outside asks anew.
    bool closed = false;
};

struct SeatingSettings {
    std::string run_id;
    std::uint32_t members_min = 1;
    std::uint32_t members_max = 1;
    bool record = false;  ///< Fill SeatedRound::events.
};

/// The round that comes of it.
struct SeatedRound {
    std::vector<Rank> world;      ///< slot -> Rank.
    std::vector<Rank> standbys;   ///< Wait list and redundancy list. Ascending.
    std::vector<Rank> waiting;    ///< Of these the wait list. Ascending.
    std::vector<Rank> dismissed;  ///< Closed while they were outside. Ascending.
    bool closed = false;
    std::string waits;
    rendezvous::Events events;  ///< The records of the steps that the round is made of.
};

/// `placed`: slot -> Rank, of `live`. `live`: all that are in the rendezvous. `close`: this is to be the last round.
[[nodiscard]] SeatedRound seat(const SeatingSettings& settings, const LastRound& last, const std::vector<Rank>& placed,
                               const std::vector<Rank>& live, bool close);

}  // namespace muster::core
