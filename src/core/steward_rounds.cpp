// SPDX-License-Identifier: Apache-2.0
// Who is chosen for a replica, what a round brings, and when one is due.
#include <algorithm>
#include <iterator>
#include <utility>

#include "core/ranks.hpp"
#include "core/steward.hpp"

namespace muster::core {
namespace {

using Kind = controller::ReplicaReport::Kind;

std::string listed(const std::vector<Rank>& ranks) {
    std::string text;
    for (const Rank rank : ranks) text += (text.empty() ? "rank " : ", rank ") + std::to_string(rank.value);
    return text;
}

}  // namespace

// Who is chosen.

std::set<Rank> Steward::taken() const {
    std::set<Rank> ranks = out_;
    for (const auto& [seat, replica] : replicas_)
        if (!world_.seats.contains(seat)) ranks.insert(replica.members.begin(), replica.members.end());
    return ranks;
}

/// As a round would do it: idle groups first, the lowest before the others, then standbys.
std::vector<Rank> Steward::free_members() const {
    const auto others = taken();
    const auto is_free = [&](Rank rank) { return !others.contains(rank); };
    for (const auto& group : world_.idle)
        if (std::all_of(group.begin(), group.end(), is_free)) return group;
    std::vector<Rank> members;
    for (const Rank standby : world_.standbys)
        if (members.size() < settings_.unit && is_free(standby)) members.push_back(standby);
    return members.size() == settings_.unit ? members : std::vector<Rank>{};
}

void Steward::choose(StewardEffects& out) {
    for (auto& [seat, replica] : replicas_) {
        if (replica.phase != Phase::waiting) continue;
        replica.members = free_members();
        if (replica.members.empty()) return;
        replica.phase = Phase::preparing;
        order_all(replica, out);
    }
}

std::uint32_t Steward::capacity() const {
    const auto able = std::count_if(world_.standbys.begin(), world_.standbys.end(),
                                    [this](Rank rank) { return !out_.contains(rank); });
    return static_cast<std::uint32_t>(world_.seats.size() + world_.idle.size() +
                                      static_cast<std::size_t>(able) / settings_.unit);
}

// What a round brings.

void Steward::trust(const SeatedWorld& world) {
    std::map<SeatId, std::vector<Rank>> next;
    for (const auto& [seat, members] : world.seats) {
        const auto before = trusted_.find(seat);
        auto& list = next[seat];  // Stays there where nobody is left who has been in it all the time.
        for (const Rank member : members)
            if (before == trusted_.end() || contains(before->second, member)) list.push_back(member);
    }
    trusted_ = std::move(next);
}

StewardEffects Steward::completed(SeatedWorld world, bool coordinates, std::uint64_t now_ms) {
    StewardEffects out;
    trust(world);
    world_ = std::move(world);
    asked_ms_.reset();
    out_.clear();
    if (!std::exchange(coordinates_, coordinates) || !coordinates) {
        replicas_.clear();
    }
    if (!coordinates) return out;
    std::vector<SeatId> seats;
    for (const auto& [seat, replica] : replicas_) seats.push_back(seat);
    for (const SeatId seat : seats)
        if (!follow(replicas_.at(seat), now_ms, out)) replicas_.erase(seat);
    choose(out);
    out.emplace_back(ReplicasChanged{});
    return out;
}

/// One replica in the new round. False where it is over.
bool Steward::follow(Replica& replica, std::uint64_t now_ms, StewardEffects& out) {
    const auto there = world_.seats.find(replica.spec.seat);
    if (there != world_.seats.end()) {
        enter(replica, there->second, now_ms, out);
        return true;
    }
    const bool was_there = replica.phase >= Phase::entering;
    const auto is_free = [this](Rank rank) {
        return contains(world_.standbys, rank) ||
               std::any_of(world_.idle.begin(), world_.idle.end(),
                           [rank](const auto& group) { return contains(group, rank); });
    };
    std::vector<Rank> here, gone;
    std::partition_copy(replica.members.begin(), replica.members.end(), std::back_inserter(here),
                        std::back_inserter(gone), is_free);
    if (!was_there && replica.phase != Phase::committing && gone.empty()) return true;
    if (!was_there) cancel(replica, here, out);
    const bool failed = replica.failed || (!was_there && !replica.stops);
    if (!was_there && !replica.stops)
        out.emplace_back(controller::Warn{
            "replica " + replica.spec.backend + "#" + std::to_string(replica.spec.seat.value) + " does not start: " +
            (gone.empty() ? "there is no room for it in the world" : listed(gone) + " is not there any more")});
    report(replica, failed ? Kind::start_failed : Kind::gone, out);
    return false;
}

/// It is in the world. Whoever is new in it is told what it is; all but those were told before.
void Steward::enter(Replica& replica, const std::vector<Rank>& members, std::uint64_t now_ms, StewardEffects& out) {
    const bool is_new = replica.phase < Phase::entering;
    std::set<Rank> stay;
    for (const Rank member : members)
        if (contains(replica.members, member)) stay.insert(member);
    std::vector<Rank> others;
    for (const Rank member : replica.members)
        if (!stay.contains(member) && is_new) others.push_back(member);
    cancel(replica, others, out);
    for (const Rank member : members)
        if (!stay.contains(member)) order(member, replica, out);
    std::erase_if(replica.ready, [&](Rank member) { return is_new || !stay.contains(member); });
    std::erase_if(replica.unheard, [&](Rank member) { return !stay.contains(member); });
    replica.members = members;
    if (replica.check != 0 && replica.unheard.empty()) {
        replica.check = 0;
        report(replica, Kind::well, out);
    }
    const bool all_ready = replica.ready.size() == members.size();
    if (is_new || (replica.phase == Phase::serving && !all_ready)) {
        replica.phase = Phase::entering;
        replica.until_ms = now_ms + settings_.start_limit_ms;
    }
    const bool is_lost = !replica.is_known && replica.phase == Phase::entering && !all_ready;
    if (replica.phase == Phase::leaving) {  // The round did not take it out: not another one at once.
        replica.due_ms = now_ms;
        replica.again = true;
    }
    if (replica.stops) return leave(replica, now_ms, out);
    if (is_lost)
        roll_back(replica.spec.seat, "a member of it is new, and what it is to be is not known any more", now_ms, out);
}

std::vector<SeatId> Steward::strangers() const {
    std::vector<SeatId> list;
    for (const auto& [seat, members] : world_.seats)
        if (coordinates_ && !replicas_.contains(seat)) list.push_back(seat);
    return list;
}

void Steward::give_back(SeatId stranger, std::uint64_t now_ms) {
    const auto there = world_.seats.find(stranger);
    if (!coordinates_ || there == world_.seats.end() || replicas_.contains(stranger)) return;
    auto& replica = adopt({stranger, {}, 0, {}}, there->second, now_ms);
    replica.phase = Phase::leaving;
    replica.due_ms = now_ms;
    replica.is_known = replica.reports = false;
}

// When a round is due.

void Steward::expire(std::uint64_t now_ms, const std::set<SeatId>& drained, StewardEffects& out) {
    std::vector<std::pair<SeatId, std::string>> late;
    for (auto& [seat, replica] : replicas_) {
        const bool is_late = now_ms >= replica.until_ms;
        switch (replica.phase) {
            case Phase::waiting:
                if (is_late) late.emplace_back(seat, "there are no members for it");
                break;
            case Phase::preparing:
            case Phase::entering: {
                std::vector<Rank> silent;
                for (const Rank member : replica.members)
                    if (!replica.ready.contains(member)) silent.push_back(member);
                if (is_late) late.emplace_back(seat, listed(silent) + " has not got ready in time");
                break;
            }
            case Phase::prepared:
            case Phase::committing:
                if (is_late) late.emplace_back(seat, "no round has brought it in");
                break;
            case Phase::draining:
                if (is_late || drained.contains(seat)) leave(replica, now_ms, out);
                break;
            case Phase::serving:
            case Phase::leaving: break;
        }
    }
    for (const auto& [seat, why] : late) roll_back(seat, why, now_ms, out);
}

/// One for all that are due. Those that are about to be are waited for, but not long.
void Steward::ask_for_round(std::uint64_t now_ms, StewardEffects& out) {
    if (asked_ms_ && now_ms - *asked_ms_ < settings_.start_limit_ms) return;
    SeatWishes round;
    bool more_to_come = false, is_long = false;
    for (const auto& [seat, replica] : replicas_) {
        const bool joins = replica.phase == Phase::prepared, leaves = replica.phase == Phase::leaving;
        more_to_come = more_to_come || replica.phase == Phase::preparing || replica.phase == Phase::draining;
        if (!joins && !leaves) continue;
        more_to_come = more_to_come || replica.again;
        is_long = is_long || now_ms - replica.due_ms >= settings_.gather_ms;
        auto& list = joins ? round.seat : round.unseat;
        if (list.size() < kSeatsMax) list.push_back(seat);
    }
    if ((round.seat.empty() && round.unseat.empty()) || (more_to_come && !is_long)) return;
    for (const SeatId seat : round.seat) replicas_.at(seat).phase = Phase::committing;
    asked_ms_ = now_ms;
    out.emplace_back(std::move(round));
}

StewardEffects Steward::tick(std::uint64_t now_ms, const std::set<SeatId>& drained) {
    StewardEffects out;
    if (!coordinates_ || replicas_.empty()) return out;
    expire(now_ms, drained, out);
    choose(out);
    ask_for_round(now_ms, out);
    return out;
}

std::vector<Steward::Serving> Steward::replicas() const {
    std::vector<Serving> list;
    for (const auto& [seat, replica] : replicas_) {
        const bool has_some = replica.phase >= Phase::serving || (replica.phase == Phase::entering && replica.started);
        if (!has_some || !replica.reports || !world_.seats.contains(seat)) continue;
        list.push_back({seat, replica.spec.backend, replica.members, replica.phase == Phase::serving});
    }
    return list;
}

std::vector<Steward::Serving> Steward::draining() const {
    std::vector<Serving> list;
    for (const auto& [seat, replica] : replicas_)
        if (replica.phase == Phase::draining) list.push_back({seat, replica.spec.backend, replica.members, false});
    return list;
}

}  // namespace muster::core
