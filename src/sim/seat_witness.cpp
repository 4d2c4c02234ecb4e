// SPDX-License-Identifier: Apache-2.0
#include "sim/seat_witness.hpp"

#include <algorithm>

#include "core/ranks.hpp"

namespace muster::sim {
namespace {

using core::SeatId;

bool holds(const std::vector<SeatId>& seats, SeatId id) {
    return std::find(seats.begin(), seats.end(), id) != seats.end();
}

std::size_t place_of(const std::vector<SeatId>& seats, SeatId id) {
    return static_cast<std::size_t>(std::find(seats.begin(), seats.end(), id) - seats.begin());
}

std::string listed(const std::vector<SeatId>& seats) {
    std::string text = "(";
    for (const SeatId id : seats) text += (text.size() > 1 ? "," : "") + std::to_string(id.value);
    return text + ")";
}

std::vector<Rank> slice(const std::vector<Rank>& world, std::size_t group, std::size_t unit) {
    const auto first = std::min(world.size(), group * unit), last = std::min(world.size(), first + unit);
    return {world.begin() + static_cast<std::ptrdiff_t>(first), world.begin() + static_cast<std::ptrdiff_t>(last)};
}

}  // namespace

std::vector<Rank> SeatWitness::Scene::group_before(std::size_t group) const { return slice(before, group, unit); }

std::vector<Rank> SeatWitness::Scene::group_now(std::size_t group) const { return slice(plan.world, group, unit); }

bool SeatWitness::Scene::is_willing(Rank rank) const { return core::contains(willing, rank); }

/// Whoever of the old group could stay has the same place in the new one.
bool SeatWitness::Scene::survivors_are_in(std::size_t old, std::size_t now) const {
    const auto were = group_before(old), are = group_now(now);
    for (std::size_t place = 0; place < were.size(); ++place)
        if (is_willing(were[place]) && (place >= are.size() || are[place] != were[place])) return false;
    return true;
}

SeatWitness::Scene SeatWitness::scene_of(const core::Plan& plan, const std::vector<core::Facts>& facts,
                                         const std::vector<Rank>& willing, const std::vector<Rank>& before) const {
    Scene scene{.plan = plan, .willing = willing, .before = before, .kept = {}, .added = {}, .unseated = {}};
    scene.unit = core::unit_of(settings_.placement);
    scene.room = willing.size() / scene.unit;
    Ids removed;
    for (const auto& one : facts) removed.insert(removed.end(), one.seats.unseat.begin(), one.seats.unseat.end());
    for (const SeatId id : last_)
        if (id != SeatId{}) (holds(removed, id) ? scene.unseated : scene.kept).push_back(id);
    for (const auto& one : facts)
        for (const SeatId id : one.seats.seat)
            if (!holds(removed, id) && !holds(last_, id) && !holds(scene.added, id)) scene.added.push_back(id);
    return scene;
}

void SeatWitness::round_begins(const core::Plan& plan, const std::vector<core::Facts>& facts,
                               const std::vector<Rank>& willing, const std::vector<Rank>& before) {
    const auto scene = scene_of(plan, facts, willing, before);
    const auto talkers = std::count_if(facts.begin(), facts.end(), [](const auto& one) { return !one.seats.empty(); });
    if (talkers > 1) violated(scene, "more than one member has wanted seats");
    if (plan.seats.size() * scene.unit != plan.world.size()) violated(scene, "not every group has a seat of its own");
    names_are_unique(scene);
    seats_stay_or_were_given_up(scene);
    new_names_have_what_room_there_is(scene);
    idle_only_where_the_minimum_demands(scene);
    survivors_keep_their_places(scene);
    new_names_take_idle_groups_first(scene);
    who_was_unseated_is_a_standby(scene);
    last_ = plan.seats;
}

void SeatWitness::names_are_unique(const Scene& scene) {
    for (const SeatId id : scene.plan.seats) {
        if (id == SeatId{}) continue;
        if (std::count(scene.plan.seats.begin(), scene.plan.seats.end(), id) > 1)
            violated(scene, "a replica has two seats");
        if (!holds(scene.kept, id) && !holds(scene.added, id)) violated(scene, "a seat that nobody has wanted");
        const bool is_back = !holds(last_, id) && !ever_.insert(id).second;
        if (is_back && !(may_return_ && may_return_(id))) violated(scene, "a replica has come back");
    }
}

/// Only where there are too few members, and then only one that has lost somebody.
void SeatWitness::seats_stay_or_were_given_up(const Scene& scene) {
    std::size_t stay = 0;
    for (const SeatId id : scene.kept) {
        if (holds(scene.plan.seats, id)) {
            ++stay;
            continue;
        }
        ++counts_.dissolved;
        const auto were = scene.group_before(place_of(last_, id));
        if (std::all_of(were.begin(), were.end(), [&](Rank rank) { return scene.is_willing(rank); }))
            violated(scene, "replica " + std::to_string(id.value) + " has lost its seat and no member");
    }
    if (stay != std::min(scene.room, scene.kept.size()))
        violated(scene, std::to_string(stay) + " of " + std::to_string(scene.kept.size()) + " replicas have stayed");
    counts_.unseated += scene.unseated.size();
}

void SeatWitness::new_names_have_what_room_there_is(const Scene& scene) {
    const auto room = scene.room - std::min(scene.room, scene.kept.size());
    for (std::size_t i = 0; i < scene.added.size(); ++i) {
        if (holds(scene.plan.seats, scene.added[i]) != (i < room))
            violated(scene, "replica " + std::to_string(scene.added[i].value) +
                                (i < room ? " has no seat, and there was room" : " has a seat before others"));
        ++(i < room ? counts_.seated : counts_.no_room);
    }
}

void SeatWitness::idle_only_where_the_minimum_demands(const Scene& scene) {
    const auto& seats = scene.plan.seats;
    const auto idle = static_cast<std::size_t>(std::count(seats.begin(), seats.end(), SeatId{}));
    const auto named = seats.size() - idle;
    const auto least = std::min<std::size_t>(core::groups_min(settings_), scene.room);
    if (idle != least - std::min(least, named)) violated(scene, std::to_string(idle) + " groups are idle");
}

/// A group moves only where its old number is none any more. Where replicas had to be dissolved members of broken ones
/// mend others; whole ones stay whole.
void SeatWitness::survivors_keep_their_places(const Scene& scene) {
    for (std::size_t now = 0; now < scene.plan.seats.size(); ++now) {
        const SeatId id = scene.plan.seats[now];
        if (!holds(scene.kept, id)) continue;
        const auto old = place_of(last_, id);
        if (now != old && old < scene.plan.seats.size())
            violated(scene, "replica " + std::to_string(id.value) + " has moved to another group without need");
        const auto were = scene.group_before(old);
        const bool whole = std::all_of(were.begin(), were.end(), [&](Rank rank) { return scene.is_willing(rank); });
        if ((whole || scene.kept.size() <= scene.room) && !scene.survivors_are_in(old, now))
            violated(scene, "a member of replica " + std::to_string(id.value) + " has moved without need");
    }
}

void SeatWitness::new_names_take_idle_groups_first(const Scene& scene) {
    auto next = scene.added.begin();
    for (std::size_t old = 0; old < last_.size(); ++old) {
        if (last_[old] != SeatId{} || next == scene.added.end() || !holds(scene.plan.seats, *next)) continue;
        if (!scene.survivors_are_in(old, place_of(scene.plan.seats, *next)))
            violated(scene, "replica " + std::to_string(next->value) + " has not taken the idle group");
        ++next;
    }
}

/// Or its group idles, or there was nobody else.
void SeatWitness::who_was_unseated_is_a_standby(const Scene& scene) {
    std::vector<Rank> vacated;
    for (const SeatId id : scene.unseated)
        for (const Rank rank : scene.group_before(place_of(last_, id))) vacated.push_back(rank);
    const bool others = std::any_of(scene.plan.standbys.begin(), scene.plan.standbys.end(), [&](Rank rank) {
        return scene.is_willing(rank) && !core::contains(vacated, rank);
    });
    for (std::size_t slot = 0; slot < scene.plan.world.size() && others; ++slot)
        if (core::contains(vacated, scene.plan.world[slot]) && scene.plan.seats[slot / scene.unit] != SeatId{})
            violated(scene, "rank " + std::to_string(scene.plan.world[slot].value) +
                                " was unseated and has a seat again, before standbys");
}

void SeatWitness::violated(const Scene& scene, const std::string& what) {
    violations_ += "round " + std::to_string(scene.plan.round.value) + ": " + what + "; seats were " + listed(last_) +
                   ", are " + listed(scene.plan.seats) + ", stay " + listed(scene.kept) + ", come " +
                   listed(scene.added) + ", go " + listed(scene.unseated) + "\n";
}

}  // namespace muster::sim
