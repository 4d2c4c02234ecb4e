// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A seat: the place of one replica in the world, a whole lockstep group. Its number is the replica's
/// (controller::ReplicaId) and never comes again; 0 is an idle group, which is in the world only because the minimum
/// demands it, and gets no requests. Thread safety: plain values.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "muster/types.hpp"

namespace muster::core {

using SeatId = Id<struct SeatTag, std::uint64_t>;

constexpr std::size_t kSeatsMax = 16;  ///< Wishes of one kind in one round.

/// The coordinator wants a round in which these replicas have come into the world, and those have left it.
struct SeatRound {
    std::vector<SeatId> seat, unseat;
};

}  // namespace muster::core
