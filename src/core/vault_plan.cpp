// SPDX-License-Identifier: Apache-2.0
#include "core/vault_plan.hpp"

#include "core/assert.hpp"
#include "muster/vault.hpp"

namespace muster {

ItemRange items_of(Slot slot, std::uint32_t size, std::uint32_t items) {
    MUSTER_ASSERT(size > 0 && slot.value < size);
    const std::uint64_t first = std::uint64_t{items} * slot.value / size;
    const std::uint64_t last = std::uint64_t{items} * (slot.value + 1) / size;
    return {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last)};
}

Slot owner_of(std::uint32_t item, std::uint32_t size, std::uint32_t items) {
    MUSTER_ASSERT(size > 0 && item < items);
    // The largest slot whose block begins at or before the item: blocks begin at floor(items * slot / size).
    return Slot{static_cast<std::uint32_t>(((std::uint64_t{item} + 1) * size - 1) / items)};
}

}  // namespace muster

namespace muster::core {
namespace {

std::optional<Slot> lowest_holder(const std::vector<std::vector<bool>>& holds, std::uint32_t item) {
    for (std::uint32_t s = 0; s < holds.size(); ++s)
        if (holds[s][item]) return Slot{s};
    return std::nullopt;
}

}  // namespace

VaultPlan deal(const std::vector<std::vector<bool>>& holds, const std::vector<Slot>& partner, std::uint32_t items) {
    VaultPlan plan;
    const auto size = static_cast<std::uint32_t>(holds.size());
    for (std::uint32_t item = 0; item < items; ++item) {
        const auto holder = lowest_holder(holds, item);
        if (!holder) return {{}, item};
        const Slot owner = owner_of(item, size, items);
        const Slot keeper = partner[owner.value];
        if (!holds[owner.value][item]) plan.moves.push_back({item, *holder, owner});
        if (keeper != owner && !holds[keeper.value][item]) plan.moves.push_back({item, *holder, keeper});
    }
    return plan;
}

}  // namespace muster::core
