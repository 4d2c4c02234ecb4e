// SPDX-License-Identifier: Apache-2.0
/// The rules of rounds: what a rendezvous promises to those who are in it.
#include <algorithm>
#include <optional>

#include "core/ranks.hpp"
#include "sim/witness.hpp"

namespace muster::sim {
namespace {

std::string round_name(Round round) { return "round " + std::to_string(round.value); }

std::string listed(const std::vector<Rank>& ranks) {
    std::string text = "(";
    for (const Rank rank : ranks) text += (text.size() > 1 ? "," : "") + std::to_string(rank.value);
    return text + ")";
}

/// Seats of a world that is being made, some of them empty.
class Seats {
public:
    Seats(std::size_t count, std::uint32_t unit) : seats_((count + unit - 1) / unit * unit), unit_(unit) {}
    [[nodiscard]] std::optional<Rank>& operator[](std::size_t slot) { return seats_[slot]; }
    [[nodiscard]] std::size_t size() const { return seats_.size(); }
    [[nodiscard]] std::size_t taken(std::size_t unit) const {
        const auto first = seats_.begin() + static_cast<std::ptrdiff_t>(unit * unit_);
        return static_cast<std::size_t>(
            std::count_if(first, first + unit_, [](const auto& seat) { return seat.has_value(); }));
    }
    [[nodiscard]] std::size_t units() const { return seats_.size() / unit_; }

    /// One member of the highest broken unit moves into the lowest empty seat of a lower one.
    bool mend_one() {
        for (std::size_t low = 0; low < size(); ++low) {
            if (seats_[low]) continue;
            for (std::size_t high = size(); high-- > 0 && high / unit_ > low / unit_;) {
                if (!seats_[high] || taken(high / unit_) == unit_) continue;
                std::swap(seats_[low], seats_[high]);
                return true;
            }
        }
        return false;
    }
    void dissolve_broken() {
        for (std::size_t slot = 0; slot < size(); ++slot)
            if (taken(slot / unit_) < unit_) seats_[slot].reset();
    }
    /// The highest unit moves into the lowest empty one.
    bool close_one_gap() {
        for (std::size_t low = 0; low < units(); ++low) {
            if (taken(low) > 0) continue;
            for (std::size_t high = units(); --high > low;) {
                if (taken(high) == 0) continue;
                for (std::size_t i = 0; i < unit_; ++i) std::swap(seats_[low * unit_ + i], seats_[high * unit_ + i]);
                return true;
            }
        }
        return false;
    }
    [[nodiscard]] std::vector<Rank> world() const {
        std::vector<Rank> world;
        for (const auto& seat : seats_)
            if (seat) world.push_back(*seat);
        return world;
    }

private:
    std::vector<std::optional<Rank>> seats_;
    std::uint32_t unit_;
};

}  // namespace

std::string who(const Member& member) { return "rank " + std::to_string(member.rank.value); }

Witness::Witness(std::uint32_t members, const core::PlanSettings& settings, const std::vector<core::Member>& launch)
    : rounds_(members),
      crossings_(members),
      waves_(violations_, members),
      settings_(settings),
      launch_(launch),
      seats_(violations_, settings_) {
    const auto engines =
        settings.controller ? core::groups_min(settings) * settings.placement.group_size : settings.placement.engines;
    const std::size_t size = std::size_t{engines} * settings.placement.engine_ranks;
    for (std::uint32_t rank = 0; rank < size; ++rank) world_before_.push_back(Rank{rank});
}

/// No round is skipped or repeated, and all who enter it have the same plan, whoever else may believe to go on.
void Witness::enters_round(const Member& member, const core::Plan& plan, const std::vector<core::Facts>& facts,
                           const std::vector<Member>& members) {
    Round& last = rounds_[member.rank.value];
    if (plan.round.value != last.value + 1)
        violated(who(member) + " enters " + round_name(plan.round) + " after " + round_name(last));
    last = plan.round;

    const auto [known, is_first] = plans_.try_emplace(plan.round, plan);
    if (core::encode(known->second) != core::encode(plan))
        violated(round_name(plan.round) + ": members see different plans");
    if (!is_first) return;
    store_.round_begins(plan.round);
    const auto before = plans_.find(Round{plan.round.value - 1});
    if (plan.round > Round{1} && before == plans_.end()) violated(round_name(plan.round) + " follows no round");
    if (before != plans_.end() && before->second.closed)
        violated(round_name(plan.round) + " follows one that was closed");
    lifecycle_goes_on(plan, members);
    waves_.round_begins(plan, facts, members);
    if (facts.empty()) return;
    const auto losses = registry_.losses();
    registry_.round_begins(plan, members);
    controller_.round_begins(plan.round, registry_.losses());
    if (registry_.losses() != losses) seats_.forgets();
    everybody_has_one_place(plan, facts);
    seats_are_as_the_order_says(plan, facts);
    world_before_ = plan.world;
}

void Witness::lifecycle_goes_on(const core::Plan& plan, const std::vector<Member>& members) {
    forget_what_only_the_dead_know(plan.lifecycle.crossed);
    for (const auto& other : members)
        if (other.alive && !other.cut && crossings_[other.rank.value].number > plan.lifecycle.crossed)
            violated(who(other) + " has crossed more barriers than all have agreed on");
    if (plan.lifecycle.crossed > history_.size()) violated("all agree on a barrier that nobody has crossed");
    if (plan.lifecycle.state != state_after(plan.lifecycle.crossed)) violated("all agree on a state that was not so");
}

/// Slot, standby, client or dismissed: one of them each.
void Witness::everybody_has_one_place(const core::Plan& plan, const std::vector<core::Facts>& facts) {
    std::vector<Rank> placed, present;
    for (const auto* list : {&plan.world, &plan.standbys, &plan.clients, &plan.dismissed})
        placed.insert(placed.end(), list->begin(), list->end());
    for (const auto& one : facts) present.push_back(one.rank);
    std::sort(placed.begin(), placed.end());
    std::sort(present.begin(), present.end());
    auto world = plan.world;
    std::sort(world.begin(), world.end());
    if (std::adjacent_find(world.begin(), world.end()) != world.end())
        violated(round_name(plan.round) + ": a member holds two slots");
    if (placed != present)
        violated(round_name(plan.round) + ": " + listed(present) + " are there, places have " + listed(placed));
    for (const Rank rank : plan.waiting)
        if (!core::contains(plan.standbys, rank)) violated(round_name(plan.round) + ": one that waits is no standby");
    if (plan.closed && !plan.standbys.empty()) violated(round_name(plan.round) + " is closed and has standbys");
}

/// Who is parked has a slot only where the others do not make a single engine, or lockstep group.
void Witness::seats_are_as_the_order_says(const core::Plan& plan, const std::vector<core::Facts>& facts) {
    std::vector<Rank> willing, parked;
    bool close = false;
    for (const auto& one : facts) {
        close = close || one.close;
        if (one.leaving || launch_[one.rank.value].client) continue;
        (one.parked ? parked : willing).push_back(one.rank);
    }
    if (close != plan.closed) violated(round_name(plan.round) + (close ? " is not closed" : " is closed, unasked"));
    std::sort(parked.begin(), parked.end());
    const std::size_t groups = settings_.controller ? core::groups_min(settings_) : 1;
    for (const Rank rank : parked) {
        if (willing.size() >= groups * core::unit_of(settings_.placement)) break;
        willing.push_back(rank);
    }
    if (settings_.controller) return seats_.round_begins(plan, facts, willing, world_before_);
    const auto seats = seats_by_rule(willing);
    if (seats != plan.world)
        violated(round_name(plan.round) + ": slots are " + listed(plan.world) + ", by the order they are " +
                 listed(seats) + " after " + listed(world_before_) + ", willing " + listed(willing));
}

/// The order in words (DESIGN.md, "Slots"), one seat at a time: survivors keep their slot; the lowest holes get the
/// nearest others, as many as are needed; broken units are mended from the highest one; units stay dense.
std::vector<Rank> Witness::seats_by_rule(const std::vector<Rank>& willing) const {
    const auto& placement = settings_.placement;
    const auto unit = core::unit_of(placement);
    const auto size =
        std::min<std::size_t>(std::size_t{placement.engines} * placement.engine_ranks, willing.size()) / unit * unit;
    Seats seats(std::max(world_before_.size(), size), unit);
    std::vector<Rank> others = willing;
    std::size_t seated = 0;
    for (std::size_t slot = 0; slot < world_before_.size(); ++slot)
        if (std::erase(others, world_before_[slot]) > 0) seats[slot] = world_before_[slot], ++seated;
    for (std::size_t slot = 0; slot < seats.size() && seated < size; ++slot) {
        if (seats[slot]) continue;
        const auto home = slot < world_before_.size() ? launch_[world_before_[slot].value].location : "";
        const auto nearest = std::min_element(others.begin(), others.end(), [&](Rank one, Rank other) {
            const bool near_one = launch_[one.value].location == home,
                       near_other = launch_[other.value].location == home;
            return near_one != near_other ? near_one : one < other;
        });
        seats[slot] = *nearest;
        others.erase(nearest);
        ++seated;
    }
    while (seats.mend_one()) {
    }
    seats.dissolve_broken();
    while (seats.close_one_gap()) {
    }
    auto world = seats.world();
    if (placement.order == SlotOrder::sorted) std::sort(world.begin(), world.end());
    return world;
}

}  // namespace muster::sim
