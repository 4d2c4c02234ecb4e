// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The next world where replicas have seats in it.
/// Intuition: a seat is a lockstep group with a name. Groups of names that go are vacated; new names take idle groups
/// first, the lowest one first, then standbys, in the places of vacated groups and then at the end. Beside the seats
/// there are only as many idle groups as the job's minimum demands. Survivors keep their places; where a place stays
/// empty the highest group moves into it. Where there are too few members new names are left out first, then idle
/// groups go, then seats, as place() dissolves them.
/// Whoever was in a vacated group is promoted again only where there is no other standby: standbys may have been
/// prepared for what is new.
/// Source: ours (Ray starts an actor for each replica; DESIGN.md, "Seats"). Pure.

#include "core/placement.hpp"
#include "core/seat.hpp"

namespace muster::core {

struct SeatPlacement {
    Placement placement;
    std::vector<SeatId> seats;  ///< Shape: one per lockstep group of the new world.
    std::uint32_t engines = 0;  ///< That are wanted; the world has fewer where there are too few members.
};

/// `settings.engines` is not looked at: the seats say how many there are. `groups_min`: 1 or more. `last`: of the
/// groups of `previous`; missing ones are idle. The rest as in place(), with stable slots.
[[nodiscard]] SeatPlacement place_seats(PlacementSettings settings, std::uint32_t groups_min,
                                        const std::vector<SeatId>& last, const SeatWishes& wishes,
                                        const std::vector<Rank>& previous, const std::vector<Member>& launch,
                                        const std::vector<Rank>& available);

}  // namespace muster::core
