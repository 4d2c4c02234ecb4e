// SPDX-License-Identifier: Apache-2.0
#include "core/steward.hpp"

#include <algorithm>
#include <utility>

#include "core/ranks.hpp"

namespace muster::core {
namespace {

using controller::ReplicaName;
using controller::ReplicaReport;
using Kind = ReplicaReport::Kind;

SeatId seat_of(const ReplicaName& name) { return SeatId{name.id.value}; }
ReplicaName name_of(const ReplicaSpec& spec) { return {spec.backend, controller::ReplicaId{spec.seat.value}}; }
std::string named(Rank rank) { return "rank " + std::to_string(rank.value); }

}  // namespace

Steward::Replica* Steward::find(SeatId seat) {
    const auto found = replicas_.find(seat);
    return found == replicas_.end() ? nullptr : &found->second;
}

void Steward::order(Rank to, const Replica& replica, StewardEffects& out) const {
    if (replica.is_known) out.emplace_back(OrderMember{to, message::ReplicaPrepare{replica.spec}});
}

void Steward::order_all(const Replica& replica, StewardEffects& out) const {
    for (const Rank member : replica.members) order(member, replica, out);
}

void Steward::cancel(const Replica& replica, const std::vector<Rank>& members, StewardEffects& out) const {
    for (const Rank member : members) out.emplace_back(OrderMember{member, message::ReplicaCancel{replica.spec.seat}});
}

void Steward::report(const Replica& replica, Kind kind, StewardEffects& out) const {
    if (replica.reports) out.emplace_back(ReplicaReport{name_of(replica.spec), kind});
}

/// A start comes to nothing. Where it is in the world already a round has to take it out again first.
void Steward::roll_back(SeatId seat, const std::string& why, std::uint64_t now_ms, StewardEffects& out) {
    auto& replica = replicas_.at(seat);
    const bool was_there = replica.started;
    out.emplace_back(controller::Warn{"replica " + controller::text_of(name_of(replica.spec)) +
                                      (was_there ? " cannot go on: " : " does not start: ") + why});
    replica.failed = !was_there;
    if (world_.seats.contains(seat)) return leave(replica, now_ms, out);
    cancel(replica, replica.members, out);
    report(replica, Kind::start_failed, out);
    replicas_.erase(seat);
}

void Steward::leave(Replica& replica, std::uint64_t now_ms, StewardEffects& out) const {
    if (replica.phase == Phase::leaving) return;
    replica.phase = Phase::leaving;
    replica.due_ms = now_ms;
    out.emplace_back(ReplicasChanged{});
}

// What the controller wants.

/// One that is in the world: only its members have to say that they work.
Steward::Replica& Steward::adopt(ReplicaSpec spec, std::vector<Rank> members, std::uint64_t now_ms) {
    const SeatId seat = spec.seat;
    auto& replica = replicas_[seat];
    replica.spec = std::move(spec);
    replica.phase = Phase::entering;
    replica.members = std::move(members);
    replica.until_ms = now_ms + settings_.start_limit_ms;
    return replica;
}

StewardEffects Steward::start(ReplicaSpec spec, std::uint64_t now_ms) {
    StewardEffects out;
    if (!coordinates_) return out;
    if (auto* known = find(spec.seat)) {
        if (!known->reports) {  // It is being given back already.
            known->spec = std::move(spec);
            known->reports = known->failed = true;
        }
        if (known->started) report(*known, Kind::started, out);
        return out;
    }
    const auto there = world_.seats.find(spec.seat);
    if (there != world_.seats.end()) {  // An earlier coordinator has brought it in, and nobody has said so yet.
        order_all(adopt(std::move(spec), there->second, now_ms), out);
        return out;
    }
    const SeatId seat = spec.seat;
    auto& replica = replicas_[seat];
    replica.spec = std::move(spec);
    replica.until_ms = now_ms + settings_.start_limit_ms;
    choose(out);
    return out;
}

/// Who has been there all the time has worked in it before: it goes on at once. All are told what it is nevertheless,
/// since whoever has come late may not have heard it from the coordinator that is gone.
StewardEffects Steward::attach(ReplicaSpec spec, bool is_known, std::uint64_t now_ms) {
    StewardEffects out;
    if (!coordinates_ || find(spec.seat) != nullptr) return out;
    const auto there = world_.seats.find(spec.seat);
    if (there == world_.seats.end()) {
        out.emplace_back(ReplicaReport{name_of(spec), Kind::gone});
        return out;
    }
    auto& replica = adopt(std::move(spec), there->second, now_ms);
    replica.started = true;
    replica.is_known = is_known;
    for (const Rank member : trusted_[replica.spec.seat]) replica.ready.insert(member);
    order_all(replica, out);
    serve_if_ready(replica, out);
    if (replica.phase == Phase::entering && !is_known)
        roll_back(replica.spec.seat, "a member of it is new, and what it is to be is not known any more", now_ms, out);
    out.emplace_back(ReplicasChanged{});
    return out;
}

StewardEffects Steward::stop(const ReplicaName& name, std::uint64_t grace_ms, std::uint64_t now_ms) {
    StewardEffects out;
    if (!coordinates_) return out;
    auto* replica = find(seat_of(name));
    if (replica == nullptr) {
        const auto there = world_.seats.find(seat_of(name));
        if (there == world_.seats.end()) {
            out.emplace_back(ReplicaReport{name, Kind::gone});
            return out;
        }
        replica = &adopt({seat_of(name), name.backend, 0, {}}, there->second, now_ms);
        replica->is_known = false;
        replica->started = true;
    }
    const bool is_there = world_.seats.contains(replica->spec.seat);
    if (replica->phase == Phase::committing) {
        replica->stops = true;
    } else if (!is_there) {
        cancel(*replica, replica->members, out);
        report(*replica, Kind::gone, out);
        replicas_.erase(replica->spec.seat);
    } else if (replica->phase == Phase::leaving) {
        replica->failed = false;
    } else if (grace_ms == 0 || !replica->started) {
        leave(*replica, now_ms, out);
    } else {
        const auto until_ms = now_ms + grace_ms;
        replica->until_ms = replica->phase == Phase::draining ? std::min(replica->until_ms, until_ms) : until_ms;
        replica->phase = Phase::draining;
        out.emplace_back(ReplicasChanged{});
    }
    return out;
}

StewardEffects Steward::check(const ReplicaName& name) {
    StewardEffects out;
    if (!coordinates_) return out;
    auto* replica = find(seat_of(name));
    if (replica == nullptr) {
        if (!world_.seats.contains(seat_of(name))) out.emplace_back(ReplicaReport{name, Kind::gone});
        return out;
    }
    if (!world_.seats.contains(replica->spec.seat)) return out;
    replica->check = ++checks_;
    replica->unheard = {replica->members.begin(), replica->members.end()};
    for (const Rank member : replica->members)
        out.emplace_back(OrderMember{member, message::ReplicaCheck{replica->spec.seat, replica->check}});
    return out;
}

// What members say.

StewardEffects Steward::heard(Rank from, const message::ReplicaPrepared& prepared, std::uint64_t now_ms) {
    auto* replica = find(prepared.seat);
    if (replica == nullptr || replica->phase != Phase::preparing || !contains(replica->members, from)) return {};
    replica->ready.insert(from);
    if (replica->ready.size() < replica->members.size()) return {};
    replica->phase = Phase::prepared;
    replica->due_ms = now_ms;
    return {};
}

StewardEffects Steward::heard(Rank from, const message::ReplicaRefused& refused, std::uint64_t now_ms) {
    StewardEffects out;
    if (coordinates_ && refused.stays_out) out_.insert(from);
    auto* replica = find(refused.seat);
    if (replica == nullptr || !contains(replica->members, from)) return out;
    if (replica->phase == Phase::leaving || replica->phase == Phase::draining) return out;
    std::erase(replica->members, from);  // It need not be told.
    if (replica->phase == Phase::committing)
        replica->stops = replica->failed = true;  // The round is on its way and cannot be called back.
    else
        roll_back(refused.seat, named(from) + " refused: " + refused.why, now_ms, out);
    return out;
}

StewardEffects Steward::heard(Rank from, const message::ReplicaReady& ready, std::uint64_t) {
    StewardEffects out;
    auto* replica = find(ready.seat);
    if (replica == nullptr || !contains(replica->members, from) || !world_.seats.contains(ready.seat)) return out;
    replica->ready.insert(from);
    serve_if_ready(*replica, out);
    return out;
}

void Steward::serve_if_ready(Replica& replica, StewardEffects& out) const {
    const bool all = std::all_of(replica.members.begin(), replica.members.end(),
                                 [&](Rank member) { return replica.ready.contains(member); });
    if (replica.phase != Phase::entering || !all) return;
    replica.phase = Phase::serving;
    if (!std::exchange(replica.started, true)) report(replica, Kind::started, out);
    out.emplace_back(ReplicasChanged{});
}

StewardEffects Steward::heard(Rank from, const message::ReplicaHealth& health, std::uint64_t) {
    StewardEffects out;
    auto* replica = find(health.seat);
    if (replica == nullptr || replica->check == 0 || replica->check != health.number) return out;
    if (replica->unheard.erase(from) == 0) return out;
    if (health.well && !replica->unheard.empty()) return out;
    replica->check = 0;
    report(*replica, health.well ? Kind::well : Kind::unwell, out);
    return out;
}

}  // namespace muster::core
