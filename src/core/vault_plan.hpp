// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How the items of a vault are dealt again after a rebuild: who sends which item to whom.
/// Pure: every member computes the same moves from the same inventories.

#include <cstdint>
#include <optional>
#include <vector>

#include "muster/types.hpp"

namespace muster::core {

struct Move {
    std::uint32_t item = 0;
    Slot from, to;
    bool operator==(const Move&) const = default;
};

struct VaultPlan {
    std::vector<Move> moves;            ///< Ascending by item; an item goes to its owner first, then to the partner.
    std::optional<std::uint32_t> lost;  ///< Lowest item that nobody holds; then there are no moves.
};

/// `holds[slot][item]`: does that slot have the item at the agreed step. `partner[slot]`: who keeps its copies.
/// An item that its new owner lacks comes from the lowest slot that has it; the same for the partner's copy.
[[nodiscard]] VaultPlan deal(const std::vector<std::vector<bool>>& holds, const std::vector<Slot>& partner,
                             std::uint32_t items);

}  // namespace muster::core
