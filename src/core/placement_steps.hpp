// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What place() and place_seats() have in common. Pure.
/// Shape: places lie group after group, so that a unit (unit_of()) is consecutive; a layout applies to the finished
/// world only.

#include <cstdint>
#include <optional>
#include <vector>

#include "core/placement.hpp"

namespace muster::core {

using Places = std::vector<std::optional<Rank>>;

/// What a placement begins from.
struct Before {
    Places places;                  ///< Of the last world; nothing: nobody has been there, it is to be filled.
    std::vector<Rank> last_resort;  ///< Taken only where there is no other standby.
};

struct Placed {
    Placement placement;
    std::vector<std::uint32_t> units;  ///< Shape: one per unit of the new world: which one of Before it was.
};

[[nodiscard]] Places by_group(const PlacementSettings& settings, const std::vector<Rank>& world);
[[nodiscard]] Placed place_over(const PlacementSettings& settings, const Before& before,
                                const std::vector<Member>& launch, const std::vector<Rank>& available);

}  // namespace muster::core
