// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A replica's place in the world: which lockstep group runs it.
/// Shape: a list of seats has one entry per lockstep group, by its number (groups_of()). Thread safety: plain values.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "muster/types.hpp"

namespace muster::core {

/// The replica's id (controller::ReplicaId), never given twice. 0: the group is idle, in the world only because the job
/// needs so many engines, and gets no requests.
using SeatId = Id<struct SeatTag, std::uint64_t>;

constexpr std::size_t kSeatsMax = 16;  ///< To be added, and to be removed, in one round.

/// What the coordinator wants of the next round.
struct SeatWishes {
    std::vector<SeatId> seat{};    ///< To be added. Who finds no room is just not seated.
    std::vector<SeatId> unseat{};  ///< To be removed. Whoever is in both is not seated.
    [[nodiscard]] bool empty() const { return seat.empty() && unseat.empty(); }
    bool operator==(const SeatWishes&) const = default;
};

}  // namespace muster::core
