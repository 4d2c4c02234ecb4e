// SPDX-License-Identifier: Apache-2.0
/// Replicas: the coordinator's steward and each member's own part, with the network, the engine thread and the routers
/// between them.
#include <algorithm>
#include <set>
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
    measure_room();
}

void Switchboard::tend_replicas(SwitchEffects& out) {
    if (!coordinates()) return;
    std::set<SeatId> drained;
    for (const auto& one : steward_.draining()) {
        std::uint64_t open = 0;
        for (const Rank member : one.members) open += routers_.in_flight(member);
        if (open == 0) drained.insert(one.seat);
    }
    give_back_strangers();
    carry_out(steward_.tick(now_ms_, drained), out);
    measure_room();
    for (const auto& [tag, backend] : controller_.state().backends) {
        const auto ongoing = routers_.ongoing().find(tag);
        controller_.observe(tag, ongoing == routers_.ongoing().end() ? 0 : static_cast<double>(ongoing->second));
    }
    carry_out_controller(out);
}

/// Seats that the controller's state does not know: their call was never safe, or the state is gone.
void Switchboard::give_back_strangers() {
    const auto strangers = steward_.strangers();
    if (strangers.empty() || !controller_.serves()) return;
    std::set<SeatId> known;
    for (const auto& [tag, replicas] : controller_.state().replicas)
        for (const auto& [id, replica] : replicas) known.insert(SeatId{id.value});
    for (const SeatId seat : strangers)
        if (!known.contains(seat)) steward_.give_back(seat, now_ms_);
}

/// Replicas that can be started beside those there are, those that are to start or still have to go included.
void Switchboard::measure_room() {
    if (!coordinates()) return;
    std::size_t there = 0;
    for (const auto& [tag, replicas] : controller_.state().replicas) there += replicas.size();
    const std::size_t capacity = steward_.capacity();
    controller_.set_room(static_cast<std::uint32_t>(capacity - std::min(capacity, there)));
}

/// What it is to be, and whether that is known: of an older version than its backend's the config is not.
std::pair<ReplicaSpec, bool> Switchboard::spec_of(const controller::ReplicaName& name) const {
    ReplicaSpec spec{SeatId{name.id.value}, name.backend, 0, {}};
    const auto& replicas = controller::replicas_of(controller_.state(), name.backend);
    const auto replica = replicas.find(name.id);
    const auto backend = controller_.state().backends.find(name.backend);
    if (replica != replicas.end()) spec.version = replica->second.version;
    const bool is_known = backend != controller_.state().backends.end() && backend->second.version == spec.version;
    if (is_known) spec.config = backend->second.replica_config;
    return {std::move(spec), is_known};
}

void Switchboard::order_replica(ReplicaOrder order, SwitchEffects& out) {
    using namespace controller;
    if (!settings_.replicas) {
        out.emplace_back(std::move(order));
        return;
    }
    auto effects =
        std::visit(Overloaded{[this](const StartReplica& one) {
                                  auto [spec, is_known] = spec_of(one.name);
                                  if (is_known) return steward_.start(std::move(spec), now_ms_);
                                  return StewardEffects{ReplicaReport{one.name, ReplicaReport::Kind::start_failed}};
                              },
                              [this](const AttachReplica& one) {
                                  auto [spec, is_known] = spec_of(one.name);
                                  return steward_.attach(std::move(spec), is_known, now_ms_);
                              },
                              [this](const StopReplica& one) { return steward_.stop(one.name, one.grace_ms, now_ms_); },
                              [this](const KillReplica& one) { return steward_.stop(one.name, 0, now_ms_); },
                              [this](const CheckReplica& one) { return steward_.check(one.name); },
                              [](const auto&) { return StewardEffects{}; }},
                   order.effect);
    carry_out(std::move(effects), out);
}

/// Requests go by what is safe, and wait until there is something.
void Switchboard::plan_requests(SwitchEffects& out) {
    if (!settings_.replicas || !coordinates() || !controller_.serves()) return;
    if (!next_plan_ && planned_ != keeper_->position()) {
        planned_ = keeper_->position();
        next_plan_ = request_plan();
    }
    if (next_plan_ && keeper_->safe() >= planned_->index)
        route(routers_.plan(*std::exchange(next_plan_, std::nullopt)), out);
}

RequestPlan Switchboard::request_plan() const {
    RequestPlan plan;
    for (const auto& [tag, backend] : controller_.state().backends) plan.backends.insert(tag);
    for (const auto& [name, endpoint] : controller_.state().endpoints)
        plan.endpoints[name] = {endpoint.traffic, endpoint.shadows};
    return plan;
}

void Switchboard::carry_out(StewardEffects effects, SwitchEffects& out) {
    for (auto& effect : effects)
        std::visit(Overloaded{[&](OrderMember& one) {
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
    carry_out_controller(out);
}

void Switchboard::on(Rank from, message::ReplicaRefused refused, SwitchEffects& out) {
    carry_out(steward_.heard(from, refused, now_ms_), out);
    carry_out_controller(out);
}

void Switchboard::on(Rank from, message::ReplicaReady ready, SwitchEffects& out) {
    carry_out(steward_.heard(from, ready, now_ms_), out);
    carry_out_controller(out);
}

void Switchboard::on(Rank from, message::ReplicaHealth health, SwitchEffects& out) {
    carry_out(steward_.heard(from, health, now_ms_), out);
    carry_out_controller(out);
}

}  // namespace muster::core
