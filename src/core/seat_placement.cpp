// SPDX-License-Identifier: Apache-2.0
#include "core/seat_placement.hpp"

#include <algorithm>
#include <optional>

#include "core/assert.hpp"
#include "core/placement_steps.hpp"

namespace muster::core {
namespace {

bool holds(const std::vector<SeatId>& seats, SeatId id) {
    return std::find(seats.begin(), seats.end(), id) != seats.end();
}

/// A lockstep group of the next world, before it is known who is in it.
struct Group {
    SeatId seat;
    std::optional<std::uint32_t> from{};  ///< The group of the last world that it is.
    bool operator==(const Group&) const = default;
};

/// What becomes of the groups of the last world, one after the other; nothing: the place is free.
class Chart {
public:
    Chart(const std::vector<SeatId>& last, std::size_t groups, const std::vector<SeatId>& unseat) {
        for (std::uint32_t group = 0; group < groups; ++group) {
            const SeatId id = group < last.size() ? last[group] : SeatId{};
            const bool goes = id != SeatId{} && holds(unseat, id);
            const bool idles = id == SeatId{};
            if (goes) vacated_.push_back(group);
            if (idles) idle_.push_back(group);
            if (!goes && !idles) ++seated_;
            groups_.push_back(goes || idles ? std::nullopt : std::optional(Group{id, group}));
        }
    }

    [[nodiscard]] std::size_t seated() const { return seated_; }
    [[nodiscard]] bool has(SeatId id) const {
        return std::any_of(groups_.begin(), groups_.end(),
                           [id](const auto& group) { return group && group->seat == id; });
    }

    /// One more name: in an idle group as it stands, else of standbys.
    void add(SeatId id) {
        if (idle_.empty()) return put(Group{id});
        groups_[idle_.front()] = Group{id, idle_.front()};
        idle_.erase(idle_.begin());
    }
    /// One more idle group: one that is so already, else a vacated one whose place is still free, else of standbys.
    void idle() {
        std::erase_if(vacated_, [this](std::uint32_t group) { return groups_[group].has_value(); });
        auto& from = idle_.empty() ? vacated_ : idle_;
        if (from.empty()) return put(Group{});
        groups_[from.front()] = Group{SeatId{}, from.front()};
        from.erase(from.begin());
    }

    /// The groups without gaps: the highest ones move into free places.
    [[nodiscard]] std::vector<Group> dense() const {
        auto groups = groups_;
        std::vector<Group> dense;
        for (std::size_t place = 0; place < groups.size(); ++place) {
            while (groups.size() > place && !groups.back()) groups.pop_back();
            if (place >= groups.size()) break;
            if (!groups[place]) {
                groups[place] = groups.back();
                groups.pop_back();
            }
            dense.push_back(*groups[place]);
        }
        return dense;
    }

    /// Groups that have lost their name.
    [[nodiscard]] const std::vector<std::uint32_t>& vacated() const { return vacated_; }

private:
    /// At the lowest free place. No idle group of the last world is left by then.
    void put(const Group& group) {
        const auto free = std::find(groups_.begin(), groups_.end(), std::nullopt);
        if (free == groups_.end())
            groups_.emplace_back(group);
        else
            *free = group;
    }

    std::vector<std::optional<Group>> groups_;
    std::vector<std::uint32_t> idle_, vacated_;  ///< Of the last world, ascending; not used yet.
    std::size_t seated_ = 0;
};

std::vector<SeatId> new_names(const Chart& chart, const SeatWishes& wishes) {
    std::vector<SeatId> names;
    for (const SeatId id : wishes.seat)
        if (id != SeatId{} && !chart.has(id) && !holds(wishes.unseat, id) && !holds(names, id)) names.push_back(id);
    return names;
}

Places places_of(const std::vector<Group>& groups, const Places& before, std::uint32_t unit) {
    Places places(groups.size() * unit);
    for (std::size_t group = 0; group < groups.size(); ++group)
        if (groups[group].from)
            std::copy_n(before.begin() + *groups[group].from * unit, unit, places.begin() + group * unit);
    return places;
}

}  // namespace

SeatPlacement place_seats(PlacementSettings settings, std::uint32_t groups_min, const std::vector<SeatId>& last,
                          const SeatWishes& wishes, const std::vector<Rank>& previous,
                          const std::vector<Member>& launch, const std::vector<Rank>& available) {
    MUSTER_ASSERT(settings.group_size > 0 && groups_min > 0 && settings.order == SlotOrder::stable);
    const std::uint32_t unit = unit_of(settings);
    const auto before = by_group(settings, previous);
    Chart chart(last, before.size() / unit, wishes.unseat);
    const auto names = new_names(chart, wishes);
    const std::size_t room = available.size() / unit;
    const std::size_t wanted = std::max<std::size_t>(groups_min, chart.seated() + names.size());
    const std::size_t added = std::min(names.size(), room - std::min(room, chart.seated()));
    std::vector<Rank> last_resort;
    for (const std::uint32_t group : chart.vacated())
        for (std::uint32_t place = group * unit; place < (group + 1) * unit; ++place)
            last_resort.push_back(*before[place]);

    for (std::size_t i = 0; i < added; ++i) chart.add(names[i]);
    for (std::size_t groups = chart.seated() + added; groups < std::min<std::size_t>(wanted, room); ++groups)
        chart.idle();
    const auto groups = chart.dense();
    settings.engines = static_cast<std::uint32_t>(wanted * settings.group_size);
    auto placed = place_over(settings, {places_of(groups, before, unit), std::move(last_resort)}, launch, available);
    SeatPlacement result{std::move(placed.placement), {}, settings.engines};
    for (const std::uint32_t from : placed.units) result.seats.push_back(groups[from].seat);
    return result;
}

}  // namespace muster::core
