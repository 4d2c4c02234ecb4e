// SPDX-License-Identifier: Apache-2.0
/// The agent thread of a member outside a recovery: effects of core::Switchboard, carried out.
#include <algorithm>

#include "core/assert.hpp"
#include "core/overloaded.hpp"
#include "core/ranks.hpp"
#include "sim/stage.hpp"

namespace muster::sim {
namespace {

using core::Overloaded;

/// As Config::followers.
constexpr std::size_t kFollowers = 2;
/// How long a packet that was lost with its round may lie about before it comes all the same.
constexpr std::uint32_t kStaleMax = 20'000;

}  // namespace

/// The round's communicators, made by the first to complete it: all others must have the same plan.
std::shared_ptr<Comms> World::Stage::comms_of(Member& member, const core::Plan& plan, Rank coordinator,
                                              const std::vector<Rank>& pool) {
    auto& comms = comms_[member.pool];
    if (comms) return comms;
    auto view = std::make_shared<core::RoundView>();
    view->round = plan.round;
    view->coordinator = coordinator;
    view->members = pool;
    std::sort(view->members.begin(), view->members.end());
    view->world = plan.world;
    view->sources = core::sources_of(plan_settings_.placement, plan.world);
    if (options_.recovery)
        view->followers = core::followers_of(view->coordinator, plan.world, plan.standbys, launch_, kFollowers);
    view->keeper = plan.keeper;
    view->keeper_term = plan.keeper_term;
    const auto size = static_cast<std::uint32_t>(plan.world.size());
    auto group_of = core::groups_of(plan_settings_.placement, size);
    view->groups = group_of;
    view->seats = plan.seats;
    std::vector<std::vector<Rank>> groups;
    for (std::uint32_t slot = 0; slot < size; ++slot) {
        groups.resize(std::max<std::size_t>(groups.size(), group_of[slot] + 1));
        groups[group_of[slot]].push_back(plan.world[slot]);
    }
    comms = std::make_shared<Comms>(Comms{.view = std::move(view),
                                          .slots = {},
                                          .group_of = std::move(group_of),
                                          .groups = {},
                                          .engines = {},
                                          .barriers = Collective(size)});
    for (auto& members : groups)
        comms->groups.push_back({.members = std::move(members), .votes = Collective(0), .forwards = Collective(0)});
    for (auto& group : comms->groups) group.votes = group.forwards = Collective(group.members.size());
    comms->engines.resize(size / options_.engine_ranks);
    for (std::uint32_t slot = 0; slot < size; ++slot) {
        comms->slots[plan.world[slot]] = slot;
        comms->engines[slot / options_.engine_ranks].members.push_back(plan.world[slot]);
    }
    return comms;
}

/// As Agent::enter_round of src/agent: the switchboard works in the round from here on, the engine takes it when it
/// can.
void World::Stage::enter_round(Member& member, const core::Plan& plan, Rank coordinator,
                               const std::vector<Rank>& pool) {
    const auto comms = comms_of(member, plan, coordinator, pool);
    member.view = comms->view;
    if (followed())
        tell(member, "enters round " + std::to_string(plan.round.value) + ", crossed " +
                         std::to_string(plan.lifecycle.crossed) + ", " + name_of(plan.lifecycle.state));
    member.steady = true;
    member.disturbed = now();
    member.desk->clear();
    if (deploys()) learn_seat(member, *comms);
    give_role(member, plan, comms);
    std::vector<Rank> group, engine;
    if (const auto slot = comms->slots.find(member.rank); slot != comms->slots.end()) {
        group = comms->groups[comms->group_of[slot->second]].members;
        engine = comms->engines[slot->second / options_.engine_ranks].members;
    }
    hear_the_time(member);
    apply(member, member.switchboard->complete(comms->view, std::move(group), std::move(engine), plan.lifecycle));
    for (const auto packet : std::exchange(member.early, {}))
        if (member.alive) deliver(member, network_.take(packet));
    if (!member.alive) return;
    member.mail_due = !member.mail.empty();
    if (member.mail_due) arrange(1, member, Happening::mail);
    if (member.broken) arrange(dice_.between(1, 50), member, Happening::notice, member.pool);
    if (has_to_tick(member)) tick_later(member);
}

void World::Stage::give_role(Member& member, const core::Plan& plan, const std::shared_ptr<Comms>& comms) {
    const auto slot = comms->slots.find(member.rank);
    member.engine_role = slot != comms->slots.end();
    if (!member.engine_role) {
        if (!member.engine) return;
        member.engine->handover.reset();
        member.engine->open.clear();
        member.engine->inbox.clear();
        member.engine->signals.clear();
        member.engine->now.round = Round{};
        return;
    }
    if (!member.engine)
        member.engine = std::make_unique<Engine>(
            core::LoopSettings{.mode = options_.consensus, .every = options_.consensus_every, .stay = options_.stay});
    Engine& engine = *member.engine;
    engine.signals.clear();
    engine.woken_group = engine.woken_engine = 0;
    engine.handover = Handover{.round = plan.round,
                               .crossed = plan.lifecycle.crossed,
                               .state = plan.lifecycle.state,
                               .wave = plan.lifecycle.wave,
                               .comms = comms,
                               .slot = slot->second,
                               .group = comms->group_of[slot->second],
                               .engine = slot->second / options_.engine_ranks};
    arrange(dice_.between(1, 20), member, Happening::engine_begins);
}

/// From engine and client to the agent: it finds it a moment later, or after the recovery.
void World::Stage::post(Member& member, Mail mail) {
    member.mail.push_back(std::move(mail));
    if (member.mail_due || !member.steady) return;
    member.mail_due = true;
    arrange(dice_.below(3), member, Happening::mail);
}

void World::Stage::read_mail(Member& member) {
    member.mail_due = false;
    if (member.steady) take_mail(member);  // In a recovery the agent listens to nobody.
}

void World::Stage::take_mail(Member& member) {
    hear_the_time(member);
    core::Switchboard& board = *member.switchboard;
    bool regroups = false;
    for (auto& one : std::exchange(member.mail, {})) {
        if (!member.alive) return;
        apply(
            member,
            std::visit(Overloaded{
                           [&](const mail::Crossed& it) { return board.crossed(it.barrier); },
                           [&](const mail::Reply& it) {
                               return board.reply(it.request.first, it.request.second, core::Bytes(8));
                           },
                           [&](const mail::Wake& it) { return board.wake(it.scope, it.number); },
                           [&](const mail::Leaving&) { return board.leaving(); },
                           [&](const mail::Connect&) { return board.connect(); },
                           [&](const mail::Ask& it) { return board.ask(it.operation, it.wanted); },
                           [&](mail::Submit& it) { return board.submit(it.id, core::Bytes(8), std::move(it.hints)); },
                           [&](const mail::Abort& it) { return board.abort(it.id); },
                           [&](const mail::Watch&) { return board.watch_loads(); },
                           [&](const mail::Regroup&) {
                               regroups = true;
                               return core::SwitchEffects{};
                           },
                           [&](core::SeatWishes& it) { return core::SwitchEffects{core::SeatRound{std::move(it)}}; },
                           [&](core::StoreCall& it) { return board.store_call(std::move(it)); },
                           [&](core::message::RegistryAsk& it) { return board.registry_call(std::move(it)); },
                           [&](core::message::ControllerAsk& it) { return board.controller_call(std::move(it)); },
                           [&](const mail::Prepared& it) { return board.replica_prepared(it.seat, it.error); },
                           [&](const mail::Checked& it) { return board.replica_checked(it.seat, it.number, it.well); },
                           [&](const mail::Taken& it) { return board.round_taken(it.round); },
                           [&](const mail::GiveUp& it) {
                               board.forget_registry_call(it.call);
                               board.forget_controller_call(it.call);
                               return core::SwitchEffects{};
                           },
                       },
                       one));
    }
    if (regroups && member.alive) ask_for_round(member);
}

/// A packet belongs to the communicator that it was sent on: to an older one nobody listens any more, and one that came
/// before its receiver had completed the round waits there.
void World::Stage::receive(Member& member, std::uint32_t packet) {
    const auto pool = network_.pool_of(packet);
    const bool next = pools_[member.pool].successor == pool && pool != member.pool;
    if (pool == member.pool && member.steady && !member.broken) return deliver(member, network_.take(packet));
    if (next || (pool == member.pool && !member.steady && !member.broken)) return member.early.push_back(packet);
    if (pool != kStray && dice_.chance(options_.faults.stale_packet)) {
        network_.lose(packet);
        return arrange(dice_.between(1, kStaleMax), member, Happening::packet, packet);
    }
    const Packet lost = network_.take(packet);
    if (pool == kStray && member.steady) deliver(member, lost);
}

void World::Stage::deliver(Member& member, const Packet& packet) {
    hear_the_time(member);
    apply(member, member.switchboard->received(packet.from, packet.bytes));
    tick_later(member);
}

void World::Stage::tick_later(Member& member) {
    if (!member.alive || std::exchange(member.tick_due, true)) return;
    arrange(kAgentTickMs * kTicksPerMs, member, Happening::tick);
}

/// Calls on the store have deadlines, which the one that serves them keeps; loads are looked at with each tick.
bool World::Stage::has_to_tick(const Member& member) const {
    const bool serves = options_.calls_per_ms > 0 || deploys();
    return member.steady && (options_.loads || (serves && member.switchboard->coordinates()));
}

/// An agent ticks all the time. What a quiet one has left out, since it would do nothing, is made up for here.
void World::Stage::hear_the_time(Member& member) {
    if (member.ticked_ms + kAgentTickMs > now_ms()) return;
    member.switchboard->parks(member.wishes.parked);
    member.ticked_ms = now_ms();
    say_load(member);
    apply(member, member.switchboard->tick(now_ms()));
}

/// Only where something has come since the last one, or there is something to tell: a tick of a quiet member does
/// nothing.
void World::Stage::agent_tick(Member& member) {
    member.tick_due = false;
    if (!member.steady) return;
    member.ticked_ms = now_ms();
    member.switchboard->parks(member.wishes.parked);
    say_load(member);
    apply(member, member.switchboard->tick(now_ms()));
    if (deploys() && member.alive && member.switchboard->coordinates()) witness_.controller().looks_at(member, now());
    if (has_to_tick(member)) tick_later(member);
    if (member.alive && member.recovery && member.desk->due(member.recovery->world(), now_ms())) recover(member);
}

void World::Stage::apply(Member& member, core::SwitchEffects effects) {
    for (auto& effect : effects) {
        if (!member.alive || dies_now(member)) return;
        std::visit([&](auto& one) { perform(member, one); }, effect);
    }
}

void World::Stage::perform(Member& member, core::Transmit& effect) {
    if (!member.steady || !this->member(effect.to)) return;  // The channel keeps it for the next round.
    if (deploys() && std::string_view(effect.kind) == "deliver") witness_gives(member, effect.to);
    if (followed()) tell(member, std::string("sends ") + effect.kind + " to rank " + std::to_string(effect.to.value));
    ++member.packets;
    ++counts_.packets;
    counts_.bytes += effect.packet.size();
    if (options_.loads) traffic_.sent(member.rank, effect.to, effect.kind, now_ms());
    const auto there = network_.arrival(member.rank, effect.to, now(), dice_);
    const auto packet = network_.put({.from = member.rank, .pool = member.pool, .bytes = std::move(effect.packet)});
    arrange(there - now(), members_[effect.to.value], Happening::packet, packet);
}

void World::Stage::perform(Member& member, core::SignalArrived& effect) {
    if (!member.engine || !member.engine_role) return;
    Engine& engine = *member.engine;
    engine.signals.push_back(effect.entry);
    if (engine.doing == Doing::rest) arrange(dice_.below(3), member, Happening::engine_looks, 0, engine.epoch);
    if (engine.doing == Doing::batch) arrange(dice_.below(3), member, Happening::batch_there, 0, engine.epoch);
}

void World::Stage::perform(Member& member, core::WakeEngine& effect) {
    if (!member.engine) return;
    Engine& engine = *member.engine;
    auto& highest = effect.scope == core::WakeScope::group ? engine.woken_group : engine.woken_engine;
    highest = std::max(highest, effect.number);
    if (engine.doing == Doing::rest) arrange(dice_.below(3), member, Happening::engine_looks, 0, engine.epoch);
}

void World::Stage::perform(Member& member, core::ClientConnected& /*effect*/) {
    if (!member.book) return;
    member.book->connected = true;
    if (member.book->connecting) arrange(1, member, Happening::client_acts);  // It waits for that.
}

void World::Stage::perform(Member& member, core::OperationEnded& effect) {
    if (effect.error) ++counts_.refused;
    if (followed()) tell(member, "operation " + std::to_string(effect.operation.value) + " ends");
    witness_.operation_ends(member, effect.operation, effect.error);
    member.book->open_operations.erase(effect.operation.value);
}

void World::Stage::perform(Member& member, core::LeavingHeard& effect) {
    member.desk->leaving(effect.rank, now_ms());
    for (const auto in : {1, kLeaveWindowMs + 1}) arrange(in * kTicksPerMs, member, Happening::tick);  // Is it due?
}

void World::Stage::perform(Member& /*member*/, core::StateHeard& /*effect*/) {}

/// Nobody asks: a simulated barrier has no deadline. What is asked is answered all the same.
void World::Stage::perform(Member& member, core::TellPosition& effect) {
    apply(member, member.switchboard->position(effect.to, effect.query, {}));
}

void World::Stage::perform(Member& /*member*/, core::Whereabouts& /*effect*/) {}

void World::Stage::perform(Member& member, core::Note& effect) {
    witness_.notes(member, effect.text);
    if (followed()) tell(member, effect.text);
}

}  // namespace muster::sim
