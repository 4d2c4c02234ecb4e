// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "core/assert.hpp"
#include "core/placement_steps.hpp"
#include "core/ranks.hpp"

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

/// Takes the standby that is nearest to where the hole's last member lived; of equals the lowest Rank.
Rank take_nearest(std::vector<Rank>& standbys, const std::vector<Rank>& last_resort, const std::string& location,
                  const std::vector<Member>& launch) {
    MUSTER_ASSERT(!standbys.empty());
    const auto nearest = std::min_element(standbys.begin(), standbys.end(), [&](Rank a, Rank b) {
        const bool late_a = contains(last_resort, a), late_b = contains(last_resort, b);
        if (late_a != late_b) return late_b;
        const auto far_a = distance(launch[a.value].location, location);
        const auto far_b = distance(launch[b.value].location, location);
        return far_a != far_b ? far_a < far_b : a < b;
    });
    const Rank taken = *nearest;
    standbys.erase(nearest);
    return taken;
}

std::uint32_t engines_in(const PlacementSettings& settings, std::size_t size) {
    return static_cast<std::uint32_t>(size / settings.engine_ranks);
}

/// order[k]: the slot at place k where the groups lie one after the other. In this order a unit is consecutive.
std::vector<std::uint32_t> slots_by_group(const PlacementSettings& settings, std::size_t size) {
    std::vector<std::uint32_t> order(size);
    std::iota(order.begin(), order.end(), 0U);
    if (!settings.layout || settings.group_size == 0) return order;
    const auto group = groups_of(settings, static_cast<std::uint32_t>(size));
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return group[a] < group[b]; });
    return order;
}

/// From by_group() back to where the layout puts them.
std::vector<Rank> laid_out(const PlacementSettings& settings, const Places& places) {
    std::vector<Rank> world(places.size());
    const auto order = slots_by_group(settings, places.size());
    for (std::size_t k = 0; k < places.size(); ++k) {
        MUSTER_ASSERT(places[k].has_value());
        world[order[k]] = *places[k];
    }
    return world;
}

/// Promotes `count` standbys into the lowest holes. No more than are needed beside the survivors: these hold the state,
/// and in a world that shrinks to whole units a standby too many would leave one of them over.
void fill_holes(Places& slots, std::size_t count, std::vector<Rank>& standbys, const Before& before,
                const std::vector<Member>& launch, std::vector<Promotion>& promoted) {
    for (std::uint32_t s = 0; s < slots.size() && promoted.size() < count; ++s) {
        if (slots[s]) continue;
        const bool had_one = s < before.places.size() && before.places[s];
        const std::string location = had_one ? launch[before.places[s]->value].location : std::string();
        slots[s] = take_nearest(standbys, before.last_resort, location, launch);
        promoted.push_back({*slots[s], Slot{s}});
    }
}

/// Makes units whole again with the members of higher broken ones, and takes the last broken one apart. Units that
/// are whole stay so: their members' copies lie in other units (partners()), so what is left over here is not lost
/// with it.
void mend_units(Places& slots, std::uint32_t unit, std::vector<Rank>& left_over) {
    std::vector<std::uint32_t> holes, spare;  // Ascending: of broken units.
    for (std::uint32_t first = 0; first < slots.size(); first += unit) {
        const auto begin = slots.begin() + first;
        if (std::all_of(begin, begin + unit, [](const auto& slot) { return slot.has_value(); })) continue;
        for (std::uint32_t s = first; s < first + unit; ++s) (slots[s] ? spare : holes).push_back(s);
    }
    for (const std::uint32_t hole : holes) {
        if (spare.empty() || spare.back() / unit <= hole / unit) break;
        std::swap(slots[hole], slots[spare.back()]);
        spare.pop_back();
    }
    for (std::uint32_t first = 0; first < slots.size(); first += unit) {
        const auto begin = slots.begin() + first;
        if (std::all_of(begin, begin + unit, [](const auto& slot) { return slot.has_value(); })) continue;
        for (auto slot = begin; slot != begin + unit; ++slot)
            if (*slot) left_over.push_back(*std::exchange(*slot, std::nullopt));
    }
}

/// Moves whole units from the end into the places of empty ones, so that the world is dense. `units`: what was where.
void compact(Places& slots, std::uint32_t unit, std::vector<std::uint32_t>& units) {
    const auto drop_last = [&] {
        slots.resize(slots.size() - unit);
        units.pop_back();
    };
    for (std::uint32_t first = 0; first < slots.size(); first += unit) {
        while (!slots.empty() && !slots.back()) drop_last();
        if (first >= slots.size() || slots[first]) continue;
        std::copy(slots.end() - unit, slots.end(), slots.begin() + first);
        units[first / unit] = units.back();
        drop_last();
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

std::uint32_t unit_of(const PlacementSettings& settings) {
    MUSTER_ASSERT(settings.engine_ranks > 0);
    return std::max<std::uint32_t>(1, settings.group_size) * settings.engine_ranks;
}

std::vector<std::uint32_t> groups_of(const PlacementSettings& settings, std::uint32_t world_size) {
    MUSTER_ASSERT(settings.engine_ranks > 0 && world_size % settings.engine_ranks == 0);
    std::vector<std::uint32_t> groups(world_size);
    if (settings.group_size == 0) return groups;
    const std::uint32_t engines = engines_in(settings, world_size);
    for (std::uint32_t engine = 0; engine < engines; ++engine) {
        const auto group = settings.layout ? settings.layout(engine, engines) : engine / settings.group_size;
        std::fill_n(groups.begin() + engine * settings.engine_ranks, settings.engine_ranks, group);
    }
    return groups;
}

std::vector<Rank> sources_of(const PlacementSettings& settings, const std::vector<Rank>& world) {
    std::vector<Rank> sources;
    for (std::size_t first = 0; first < world.size(); first += settings.engine_ranks) sources.push_back(world[first]);
    return sources;
}

std::string complaint_about_layout(const PlacementSettings& settings) {
    if (!settings.layout) return "";
    if (settings.group_size == 0) return "a layout needs the number of engines per lockstep group (group_size)";
    for (std::uint32_t engines = settings.group_size; engines <= settings.engines; engines += settings.group_size) {
        const std::uint32_t groups = engines / settings.group_size;
        std::vector<std::uint32_t> taken(groups);
        for (std::uint32_t engine = 0; engine < engines; ++engine) {
            const std::uint32_t group = settings.layout(engine, engines);
            const std::string who = "the layout puts engine " + std::to_string(engine) + " of " +
                                    std::to_string(engines) + " into lockstep group " + std::to_string(group);
            if (group >= groups)
                return who + ", but with groups of " + std::to_string(settings.group_size) + " the highest is " +
                       std::to_string(groups - 1);
            if (++taken[group] > settings.group_size)
                return who + ", which has its " + std::to_string(settings.group_size) + " engines already";
        }
    }
    return "";
}

Places by_group(const PlacementSettings& settings, const std::vector<Rank>& world) {
    Places places;
    for (const std::uint32_t slot : slots_by_group(settings, world.size())) places.emplace_back(world[slot]);
    return places;
}

Placement place(const PlacementSettings& settings, const std::vector<Rank>& previous, const std::vector<Member>& launch,
                const std::vector<Rank>& available) {
    return place_over(settings, {by_group(settings, previous), {}}, launch, available).placement;
}

Placed place_over(const PlacementSettings& settings, const Before& before, const std::vector<Member>& launch,
                  const std::vector<Rank>& available) {
    const std::uint32_t unit = unit_of(settings);
    const auto& previous = before.places;
    const auto wanted =
        std::min<std::uint64_t>(std::uint64_t{settings.engines} * settings.engine_ranks, available.size());
    const auto size = static_cast<std::uint32_t>(wanted / unit * unit);

    const auto places = static_cast<std::uint32_t>(std::max<std::size_t>(previous.size(), size));
    Places slots((places + unit - 1) / unit * unit);
    std::set<Rank> placed;
    for (std::uint32_t s = 0; s < previous.size(); ++s)
        if (previous[s] && std::binary_search(available.begin(), available.end(), *previous[s])) {
            slots[s] = previous[s];
            placed.insert(*previous[s]);
        }
    Placed done;
    Placement& result = done.placement;
    for (const Rank rank : available)
        if (!placed.contains(rank)) result.standbys.push_back(rank);
    done.units.resize(slots.size() / unit);
    std::iota(done.units.begin(), done.units.end(), 0U);

    fill_holes(slots, size - std::min<std::size_t>(size, placed.size()), result.standbys, before, launch,
               result.promoted);
    mend_units(slots, unit, result.standbys);
    compact(slots, unit, done.units);
    MUSTER_ASSERT(slots.size() == size);
    result.world = laid_out(settings, slots);
    if (settings.order == SlotOrder::sorted) std::sort(result.world.begin(), result.world.end());
    std::sort(result.standbys.begin(), result.standbys.end());
    relocate(result.promoted, result.world);
    return done;
}

}  // namespace muster::core
