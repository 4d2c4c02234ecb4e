// SPDX-License-Identifier: Apache-2.0
#include "core/placement.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/assert.hpp"

namespace muster::core {
namespace {

std::vector<std::string> components(const std::string& path) {
    std::vector<std::string> parts(1);
    for (const char c : path) {
        if (c == '/')
            parts.emplace_back();
        else
            parts.back().push_back(c);
    }
    return parts;
}

using Slots = std::vector<std::optional<Rank>>;

/// Takes the standby that is nearest to where the hole's last member lived; of equals the lowest Rank.
Rank take_nearest(std::vector<Rank>& standbys, const std::string& location, const std::vector<Member>& launch) {
    MUSTER_ASSERT(!standbys.empty());
    const auto nearest = std::min_element(standbys.begin(), standbys.end(), [&](Rank a, Rank b) {
        const auto far_a = distance(launch[a.value].location, location);
        const auto far_b = distance(launch[b.value].location, location);
        return far_a != far_b ? far_a < far_b : a < b;
    });
    const Rank taken = *nearest;
    standbys.erase(nearest);
    return taken;
}

/// Promotes `count` standbys into the lowest holes. No more than are needed beside the survivors: these hold the state,
/// and in a world that shrinks to whole groups a standby too many would leave one of them over.
void fill_holes(Slots& slots, std::size_t count, std::vector<Rank>& standbys, const std::vector<Rank>& previous,
                const std::vector<Member>& launch, std::vector<Promotion>& promoted) {
    for (std::uint32_t s = 0; s < slots.size() && promoted.size() < count; ++s) {
        if (slots[s]) continue;
        const std::string location = s < previous.size() ? launch[previous[s].value].location : std::string();
        slots[s] = take_nearest(standbys, location, launch);
        promoted.push_back({*slots[s], Slot{s}});
    }
}

/// Makes groups whole again with the members of higher broken ones, and takes the last broken one apart. Groups that
/// are whole stay so: their members' copies lie in other groups (partners()), so what is left over here is not lost
/// with it.
void mend_groups(Slots& slots, std::uint32_t group, std::vector<Rank>& left_over) {
    std::vector<std::uint32_t> holes, spare;  // Ascending: of broken groups.
    for (std::uint32_t first = 0; first < slots.size(); first += group) {
        const auto begin = slots.begin() + first;
        if (std::all_of(begin, begin + group, [](const auto& slot) { return slot.has_value(); })) continue;
        for (std::uint32_t s = first; s < first + group; ++s) (slots[s] ? spare : holes).push_back(s);
    }
    for (const std::uint32_t hole : holes) {
        if (spare.empty() || spare.back() / group <= hole / group) break;
        std::swap(slots[hole], slots[spare.back()]);
        spare.pop_back();
    }
    for (std::uint32_t first = 0; first < slots.size(); first += group) {
        const auto begin = slots.begin() + first;
        if (std::all_of(begin, begin + group, [](const auto& slot) { return slot.has_value(); })) continue;
        for (auto slot = begin; slot != begin + group; ++slot)
            if (*slot) left_over.push_back(*std::exchange(*slot, std::nullopt));
    }
}

/// Moves whole groups from the end into the places of empty ones, so that the world is dense.
void compact(Slots& slots, std::uint32_t group) {
    for (std::uint32_t first = 0; first < slots.size(); first += group) {
        while (!slots.empty() && !slots.back()) slots.resize(slots.size() - group);
        if (first >= slots.size() || slots[first]) continue;
        std::copy(slots.end() - group, slots.end(), slots.begin() + first);
        slots.resize(slots.size() - group);
    }
}

/// Where standbys were promoted and then moved down by compact(), or sorted, their slot is looked up again.
void relocate(std::vector<Promotion>& promoted, const std::vector<Rank>& world) {
    std::map<Rank, Slot> where;
    for (std::uint32_t s = 0; s < world.size(); ++s) where[world[s]] = Slot{s};
    std::erase_if(promoted, [&](const Promotion& p) { return !where.contains(p.rank); });
    for (auto& p : promoted) p.slot = where[p.rank];
    std::sort(promoted.begin(), promoted.end(), [](const auto& a, const auto& b) { return a.slot < b.slot; });
}

}  // namespace

std::uint32_t distance(const std::string& a, const std::string& b) {
    const auto parts_a = components(a);
    const auto parts_b = components(b);
    const std::size_t longest = std::max(parts_a.size(), parts_b.size());
    std::size_t same = 0;
    while (same < parts_a.size() && same < parts_b.size() && parts_a[same] == parts_b[same]) ++same;
    return static_cast<std::uint32_t>(longest - same);
}

Placement place(const PlacementSettings& settings, const std::vector<Rank>& previous, const std::vector<Member>& launch,
                const std::vector<Rank>& available) {
    const std::uint32_t group = std::max<std::uint32_t>(1, settings.group_size);
    const auto wanted = std::min<std::uint32_t>(settings.engines, static_cast<std::uint32_t>(available.size()));
    const std::uint32_t size = wanted / group * group;

    const auto places = static_cast<std::uint32_t>(std::max<std::size_t>(previous.size(), size));
    Slots slots((places + group - 1) / group * group);
    std::set<Rank> placed;
    for (std::uint32_t s = 0; s < previous.size(); ++s)
        if (std::binary_search(available.begin(), available.end(), previous[s])) {
            slots[s] = previous[s];
            placed.insert(previous[s]);
        }
    Placement result;
    for (const Rank rank : available)
        if (!placed.contains(rank)) result.standbys.push_back(rank);

    fill_holes(slots, size - std::min<std::size_t>(size, placed.size()), result.standbys, previous, launch,
               result.promoted);
    mend_groups(slots, group, result.standbys);
    compact(slots, group);
    MUSTER_ASSERT(slots.size() == size);
    for (const auto& slot : slots) {
        MUSTER_ASSERT(slot.has_value());
        result.world.push_back(*slot);
    }
    if (settings.order == SlotOrder::sorted) std::sort(result.world.begin(), result.world.end());
    std::sort(result.standbys.begin(), result.standbys.end());
    relocate(result.promoted, result.world);
    return result;
}

std::vector<Slot> partners(const std::vector<Rank>& world, const std::vector<Member>& launch) {
    const std::size_t size = world.size();
    std::map<std::string, std::vector<std::uint32_t>> by_node;
    for (std::uint32_t s = 0; s < size; ++s) by_node[launch[world[s].value].node].push_back(s);
    // Slots in order of their node, then a shift by the fullest node's count: nobody meets his own node, unless one
    // node holds more than half, and then as few as can be do.
    std::vector<std::uint32_t> ordered;
    std::size_t fullest = 0;
    for (const auto& [node, slots] : by_node) {
        ordered.insert(ordered.end(), slots.begin(), slots.end());
        fullest = std::max(fullest, slots.size());
    }
    const std::size_t shift = size < 2 ? 0 : std::max<std::size_t>(1, std::min(fullest, size / 2));
    std::vector<Slot> partner(size);
    for (std::size_t i = 0; i < size; ++i) partner[ordered[i]] = Slot{ordered[(i + shift) % size]};
    return partner;
}

}  // namespace muster::core
