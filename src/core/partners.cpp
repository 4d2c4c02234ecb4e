// SPDX-License-Identifier: Apache-2.0
/// Who keeps whose copy.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "core/placement.hpp"

namespace muster::core {
namespace {

/// Slots in order of their node and unit, then a shift by the fullest node's count: nobody meets his own node, unless
/// one node holds more than half, and then as few as can be do.
std::vector<Slot> shifted(const std::vector<Rank>& world, const std::vector<Member>& launch,
                          const std::vector<std::uint32_t>& unit) {
    const std::size_t size = world.size();
    std::map<std::string, std::vector<std::uint32_t>> by_node;
    for (std::uint32_t s = 0; s < size; ++s) by_node[launch[world[s].value].node].push_back(s);
    std::vector<std::uint32_t> ordered;
    std::size_t fullest = 0;
    for (auto& [node, slots] : by_node) {
        std::stable_sort(slots.begin(), slots.end(), [&](auto a, auto b) { return unit[a] < unit[b]; });
        ordered.insert(ordered.end(), slots.begin(), slots.end());
        fullest = std::max(fullest, slots.size());
    }
    const std::size_t shift = size < 2 ? 0 : std::max<std::size_t>(1, std::min(fullest, size / 2));
    std::vector<Slot> partner(size);
    for (std::size_t i = 0; i < size; ++i) partner[ordered[i]] = Slot{ordered[(i + shift) % size]};
    return partner;
}

/// Two slots exchange their partners where one of them met its own unit and that mends more than it breaks. What the
/// shift has reached, a copy on another node, is never given up for it.
void part_units(std::vector<Slot>& partner, const std::vector<Rank>& world, const std::vector<Member>& launch,
                const std::vector<std::uint32_t>& unit) {
    const auto size = static_cast<std::uint32_t>(world.size());
    const auto at_home = [&](std::uint32_t a, Slot b) {
        return launch[world[a].value].node == launch[world[b.value].value].node ? 1 : 0;
    };
    const auto together = [&](std::uint32_t a, Slot b) { return unit[a] == unit[b.value] ? 1 : 0; };
    const auto better = [&](std::uint32_t s, std::uint32_t t) {
        const Slot of_s = partner[s], of_t = partner[t];
        return s != t && of_t.value != s && of_s.value != t &&
               together(s, of_t) + together(t, of_s) < together(s, of_s) + together(t, of_t) &&
               at_home(s, of_t) + at_home(t, of_s) <= at_home(s, of_s) + at_home(t, of_t);
    };
    for (std::uint32_t s = 0; s < size; ++s)
        for (std::uint32_t t = 0; t < size && together(s, partner[s]); ++t)
            if (better(s, t)) std::swap(partner[s], partner[t]);
}

}  // namespace

std::vector<Slot> partners(const PlacementSettings& settings, const std::vector<Rank>& world,
                           const std::vector<Member>& launch) {
    const auto size = static_cast<std::uint32_t>(world.size());
    auto unit = groups_of(settings, size);
    if (settings.group_size == 0)
        for (std::uint32_t s = 0; s < size; ++s) unit[s] = s / settings.engine_ranks;
    auto partner = shifted(world, launch, unit);
    if (std::set(unit.begin(), unit.end()).size() > 1) part_units(partner, world, launch, unit);
    return partner;
}

std::vector<Slot> partners(const std::vector<Rank>& world, const std::vector<Member>& launch) {
    return partners(PlacementSettings{}, world, launch);
}

}  // namespace muster::core
