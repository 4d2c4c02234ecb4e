// SPDX-License-Identifier: Apache-2.0
/// Replicas: the coordinator's steward and each member's own part, with the network, the engine thread and the routers
/// between them.
#include <utility>

#include "core/overloaded.hpp"
#include "core/ranks.hpp"
#include "core/switchboard.hpp"

namespace muster::core {

SeatedWorld Switchboard::seated_world() const {
    SeatedWorld world{.round = view_->round, .standbys = view_->standbys};
    std::vector<std::vector<Rank>> groups(view_->seats.size());
    for (std::size_t slot = 0; slot < view_->world.size(); ++slot)
        groups[view_->groups[slot]].push_back(view_->world[slot]);
    for (std::size_t group = 0; group < groups.size(); ++group)
        if (view_->seats[group] == SeatId{})
            world.idle.push_back(std::move(groups[group]));
        else
            world.seats[view_->seats[group]] = std::move(groups[group]);
    return world;
}

/// A round is complete: who is in which replica, and on the coordinator what that means for those that come and go.
void Switchboard::enter_replicas(SwitchEffects& out) {
    auto world = seated_world();
    std::optional<SeatId> own;
    for (const auto& [seat, members] : world.seats)
        if (contains(members, self_)) own = seat;
    replica_seat_.entered(view_->round, own);
    carry_out(steward_.completed(std::move(world), coordinates(), now_ms_), out);
}

void Switchboard::tend_replicas(SwitchEffects& out) {
    if (!coordinates()) return;
    std::set<SeatId> drained;
    for (const auto& one : steward_.draining()) {
        std::uint64_t open = 0;
        for (const Rank member : one.members) open += routers_.in_flight(member);
        if (open == 0) drained.insert(one.seat);
    }
    carry_out(steward_.tick(now_ms_, drained), out);
}

void Switchboard::carry_out(StewardEffects effects, SwitchEffects& out) {
    for (auto& effect : effects)
        std::visit(Overloaded{[&](OrderReplica& one) {
                                  std::visit([&](auto& order) { send(one.to, std::move(order), out); }, one.order);
                              },
                              [&](SeatWishes& wishes) { out.emplace_back(SeatRound{std::move(wishes)}); },
                              [&](ReplicasChanged&) { serve_replicas(out); },
                              [&](controller::ReplicaReport& report) { replica_reports_.push_back(std::move(report)); },
                              [&](controller::Warn& warn) { out.emplace_back(Note{std::move(warn.text)}); }},
                   effect);
}

/// Only those that receive are the routers' engines.
void Switchboard::serve_replicas(SwitchEffects& out) {
    std::vector<ReplicaEngines> replicas;
    for (const auto& one : steward_.replicas()) {
        ReplicaEngines engines{one.backend, {}, one.takes};
        for (const Rank member : one.members)
            if (contains(view_->sources, member)) engines.engines.push_back(member);
        replicas.push_back(std::move(engines));
    }
    route(routers_.serve(std::move(replicas)), out);
}

// A member's own part.

void Switchboard::carry_out(ReplicaSeatEffects effects, SwitchEffects& out) {
    for (auto& effect : effects)
        std::visit(Overloaded{[&](AnswerCoordinator& one) {
                                  std::visit([&](auto& answer) { to_coordinator(std::move(answer), out); }, one.answer);
                              },
                              [&](auto& one) { out.emplace_back(std::move(one)); }},
                   effect);
}

void Switchboard::on(Rank from, message::ReplicaPrepare prepare, SwitchEffects& out) {
    if (from != view_->coordinator) return;  // Its successor asks by itself.
    const char* stays_out = leaving_ ? "it leaves" : parks_ ? "it is parked" : "";
    carry_out(replica_seat_.prepare(std::move(prepare.spec), stays_out), out);
}

void Switchboard::on(Rank from, message::ReplicaCancel cancel, SwitchEffects&) {
    if (from == view_->coordinator) replica_seat_.cancel(cancel.seat);
}

void Switchboard::on(Rank from, message::ReplicaCheck check, SwitchEffects& out) {
    if (from == view_->coordinator) carry_out(replica_seat_.check(check.seat, check.number), out);
}

SwitchEffects Switchboard::replica_prepared(SeatId seat, const std::optional<std::string>& error) {
    SwitchEffects out;
    carry_out(replica_seat_.prepared(seat, error), out);
    return out;
}

SwitchEffects Switchboard::round_taken(Round round) {
    SwitchEffects out;
    carry_out(replica_seat_.taken(round), out);
    return out;
}

SwitchEffects Switchboard::replica_checked(SeatId seat, std::uint64_t number, bool well) {
    SwitchEffects out;
    carry_out(replica_seat_.checked(seat, number, well), out);
    return out;
}

// What members say to the coordinator.

void Switchboard::on(Rank from, message::ReplicaPrepared prepared, SwitchEffects& out) {
    carry_out(steward_.heard(from, prepared, now_ms_), out);
}

void Switchboard::on(Rank from, message::ReplicaRefused refused, SwitchEffects& out) {
    carry_out(steward_.heard(from, refused, now_ms_), out);
}

void Switchboard::on(Rank from, message::ReplicaReady ready, SwitchEffects& out) {
    carry_out(steward_.heard(from, ready, now_ms_), out);
}

void Switchboard::on(Rank from, message::ReplicaHealth health, SwitchEffects& out) {
    carry_out(steward_.heard(from, health, now_ms_), out);
}

}  // namespace muster::core
