// SPDX-License-Identifier: Apache-2.0
#include "fake_members.hpp"

#include <algorithm>

#include "core/overloaded.hpp"
#include "core/ranks.hpp"
#include "core/seat_placement.hpp"

namespace muster::core::testing {
namespace {

SwitchboardSettings settings_of(const FakeMembers::Shape& shape, std::uint32_t rank) {
    SwitchboardSettings settings;
    settings.fan_out = shape.fan_out;
    settings.router = shape.router;
    settings.controller = shape.controller;
    settings.replicas = shape.replicas;
    settings.steward = {.unit = shape.group_size};
    settings.controller.seed = shape.seed * 1'000 + rank;
    return settings;
}

}  // namespace

FakeMembers::FakeMembers(Shape shape) : shape_(shape), dice_(shape.seed) {
    const std::uint32_t count = shape.engines + shape.standbys + shape.clients;
    for (std::uint32_t rank = 0; rank < count; ++rank) {
        members_.emplace_back();
        launch_.push_back({Rank{rank}, "node", "node", rank >= shape.engines + shape.standbys});
        members_.back().board = std::make_unique<Switchboard>(Rank{rank}, settings_of(shape, rank));
    }
    world_ = ranks_up_to(shape.replicas ? shape.group_size : shape.engines);
    rebuild();
}

bool FakeMembers::is_engine(Rank rank) const { return contains(view_->world, rank); }

void FakeMembers::carry_out(std::uint32_t rank, SwitchEffects effects) {
    Member& member = members_[rank];
    const auto carry = Overloaded{
        [&](Transmit& transmit) {
            sent.push_back({Rank{rank}, transmit.to, transmit.kind});
            in_flight_[{Rank{rank}, transmit.to}].push_back({member.round, std::move(transmit.packet)});
        },
        [&](SignalArrived& arrived) { member.signals.push_back(arrived.entry); },
        [&](RequestArrived& arrived) { member.in_hand.push_back(std::move(arrived)); },
        [&](WakeEngine& wake) { member.wakes.push_back(wake); },
        [&](ClientConnected&) { ++member.connected; },
        [&](OperationEnded& ended) { member.operations[ended.operation].push_back(std::move(ended)); },
        [&](RequestEnded& ended) { member.requests[ended.id].push_back(std::move(ended)); },
        [&](StoreCallEnded& ended) { member.stored[ended.id].push_back(std::move(ended.answer)); },
        [&](RegistryCallEnded& ended) { member.looked[ended.told.id].push_back(std::move(ended.told)); },
        [&](ControllerCallEnded& ended) { member.told[ended.told.id].push_back(std::move(ended.told)); },
        [&](ReplicaOrder& order) {
            if (on_order) on_order(rank, order.effect);
        },
        [&](CrashOrder&) {
            if (on_crash) on_crash(rank);
        },
        [&](RequestCalledOff& off) { call_off(rank, off); },
        [&](PrepareEngine& prepare) { member.to_prepare.push_back(std::move(prepare)); },
        [&](CheckEngine& check) { member.to_check.push_back(check); },
        [&](LoadsHeard& heard) { member.loads_heard.push_back(std::move(heard)); },
        [&](LeavingHeard& heard) { member.leavers_heard.push_back(heard.rank); },
        [&](StateHeard&) {},
        [&](TellPosition& tell) { member.asked_position.push_back(tell); },
        [&](Whereabouts& whereabouts) { member.whereabouts.push_back(std::move(whereabouts)); },
        [&](SeatRound& wanted) { member.seat_rounds.push_back(std::move(wanted.wishes)); },
        [&](Note& note) { member.notes.push_back(std::move(note.text)); },
    };
    for (auto& effect : effects) {
        if (!member.alive) return;  // It died in the middle of them.
        std::visit(carry, effect);
    }
}

/// A request that waits in the engine's hand has not begun, unless it is the oldest there.
void FakeMembers::call_off(std::uint32_t rank, const RequestCalledOff& off) {
    auto& in_hand = members_[rank].in_hand;
    for (std::size_t i = 1; i < in_hand.size(); ++i) {
        if (in_hand[i].client != off.client || in_hand[i].id != off.id) continue;
        in_hand.erase(in_hand.begin() + static_cast<std::ptrdiff_t>(i));
        return carry_out(rank, board(rank).dropped(off.client, off.id));
    }
}

void FakeMembers::deliver(Rank from, Rank to) {
    auto& queue = in_flight_[{from, to}];
    const InFlight one = std::move(queue.front());
    queue.pop_front();
    if (before_delivery) before_delivery(from, to, one.packet);
    carry_out(to.value, board(to.value).received(from, one.packet));
}

/// This engine leaves the barrier that all have entered.
void FakeMembers::cross(std::uint32_t rank) {
    Member& member = members_[rank];
    const auto next = std::find_if(member.signals.begin(), member.signals.end(),
                                   [&](const SignalEntry& entry) { return entry.number == member.crossed + 1; });
    member.history[++member.crossed] = {next->signal, next->origin, next->operation};
    carry_out(rank, board(rank).crossed(member.crossed));
}

void FakeMembers::reply(std::uint32_t rank) {
    Member& member = members_[rank];
    RequestArrived request = std::move(member.in_hand.front());
    member.in_hand.pop_front();
    for (auto& byte : request.bytes) byte = static_cast<std::byte>(std::to_integer<int>(byte) + 1);
    carry_out(rank, board(rank).reply(request.client, request.id, std::move(request.bytes)));
}

std::vector<std::function<void()>> FakeMembers::possible() {
    std::vector<std::function<void()>> can;
    for (const auto& [pair, queue] : in_flight_)
        if (!queue.empty() && members_[pair.second.value].round == queue.front().round)
            can.emplace_back([this, pair = pair] { deliver(pair.first, pair.second); });
    // Barrier n is open once everybody has signal n and is through barrier n - 1.
    std::uint64_t open = ~std::uint64_t{0};
    for (const Rank rank : view_->world) {
        const Member& member = members_[rank.value];
        const std::uint64_t last = member.signals.empty() ? 0 : member.signals.back().number;
        const bool is_here = member.alive && member.round == view_->round;
        open = std::min(open, is_here ? std::min(last, member.crossed + 1) : member.crossed);
    }
    for (const Rank rank : view_->world) {
        const Member& member = members_[rank.value];
        const bool is_here = member.alive && member.round == view_->round;
        if (is_here && engines_cross && member.crossed < open) can.emplace_back([this, rank] { cross(rank.value); });
        if (is_here && engines_reply && !member.in_hand.empty()) can.emplace_back([this, rank] { reply(rank.value); });
    }
    for (std::uint32_t rank = 0; shape_.replicas && rank < client(); ++rank) engine_can(rank, can);
    return can;
}

/// What an engine thread does for replicas, on standbys too.
void FakeMembers::engine_can(std::uint32_t rank, std::vector<std::function<void()>>& can) {
    Member& member = members_[rank];
    if (!member.alive) return;
    if (engines_prepare && !member.to_prepare.empty()) can.emplace_back([this, rank] { prepare(rank); });
    if (!member.to_check.empty())
        can.emplace_back([this, rank, &member] {
            const auto check = member.to_check.front();
            member.to_check.pop_front();
            carry_out(rank, board(rank).replica_checked(check.seat, check.number, member.is_well));
        });
    if (member.taken != member.round)
        can.emplace_back([this, rank, &member] {
            member.taken = member.round;
            carry_out(rank, board(rank).round_taken(member.round));
        });
}

void FakeMembers::prepare(std::uint32_t rank) {
    Member& member = members_[rank];
    const auto spec = std::move(member.to_prepare.front().spec);
    member.to_prepare.pop_front();
    const bool no = member.cannot_prepare.contains(spec.backend);
    carry_out(rank, board(rank).replica_prepared(spec.seat, no ? std::optional<std::string>("no") : std::nullopt));
}

bool FakeMembers::step() {
    const auto can = possible();
    if (can.empty()) return false;
    can[dice_.below(can.size())]();
    return true;
}

void FakeMembers::run(std::uint32_t steps) {
    while (steps-- > 0 && step()) {
    }
}

void FakeMembers::tick(std::uint64_t now_ms) {
    for (std::uint32_t rank = 0; rank < members_.size(); ++rank)
        if (members_[rank].alive) carry_out(rank, board(rank).tick(now_ms));
}

void FakeMembers::settle() {
    for (std::size_t before = sent.size() + 1; before != sent.size();) {
        before = sent.size();
        while (step()) {
        }
        tick();
    }
}

void FakeMembers::kill(std::uint32_t rank) {
    members_[rank].alive = false;
    std::erase_if(in_flight_, [rank](const auto& queue) { return queue.first.second.value == rank; });
}

void FakeMembers::next_view() {
    auto next = std::make_shared<RoundView>();
    next->round = Round{view_ ? view_->round.value + 1 : 1};
    std::vector<Rank> standbys;
    for (std::uint32_t rank = 0; rank < members_.size(); ++rank) {
        if (!members_[rank].alive) continue;
        next->members.push_back(Rank{rank});
        if (rank < client() && !contains(world_, Rank{rank})) standbys.push_back(Rank{rank});
    }
    for (auto& rank : world_) {
        if (members_[rank.value].alive || standbys.empty()) continue;
        rank = standbys.front();
        standbys.erase(standbys.begin());
    }
    if (shape_.replicas) standbys = next_seats(*next);
    if (next_world) world_ = *std::exchange(next_world, std::nullopt);
    std::erase_if(world_, [this](Rank rank) { return !members_[rank.value].alive; });
    next->world = next->sources = world_;
    for (std::uint32_t slot = 0; slot < world_.size(); ++slot) next->groups.push_back(slot / shape_.group_size);
    next->coordinator = world_.empty() ? next->members.front() : *std::min_element(world_.begin(), world_.end());
    if (next_coordinator && members_[next_coordinator->value].alive) next->coordinator = *next_coordinator;
    next->followers = followers_of(next->coordinator, world_, standbys, launch_, shape_.followers);
    next->standbys = standbys;
    next->keeper = furthest();
    if (next->keeper) next->keeper_term = board(next->keeper->value).mirror().term;
    view_ = std::move(next);
}

/// As a round's coordinator decides it. The standbys are returned.
std::vector<Rank> FakeMembers::next_seats(RoundView& next) {
    std::vector<Rank> available;
    for (const Rank rank : next.members)
        if (rank.value < client()) available.push_back(rank);
    SeatWishes wishes;
    if (view_ && members_[coordinator()].alive)
        for (const auto& one : std::exchange(members_[coordinator()].seat_rounds, {})) {
            wishes.seat.insert(wishes.seat.end(), one.seat.begin(), one.seat.end());
            wishes.unseat.insert(wishes.unseat.end(), one.unseat.begin(), one.unseat.end());
        }
    for (auto& member : members_) member.seat_rounds.clear();
    auto placed = place_seats({.group_size = shape_.group_size}, 1, view_ ? view_->seats : std::vector<SeatId>{},
                              wishes, view_ ? view_->world : world_, launch_, available);
    world_ = placed.placement.world;
    next.seats = placed.seats;
    return placed.placement.standbys;
}

std::optional<Rank> FakeMembers::furthest() const {
    std::pair<MirrorPosition, std::optional<Rank>> best;
    for (std::uint32_t rank = 0; rank < members_.size(); ++rank)
        if (members_[rank].alive && members_[rank].board->mirror() > best.first)
            best = {members_[rank].board->mirror(), Rank{rank}};
    return best.second;
}

void FakeMembers::complete(std::uint32_t rank, const LifecycleFacts& agreed) {
    Member& member = members_[rank];
    member.round = view_->round;
    member.signals.clear();
    member.history.erase(member.history.upper_bound(agreed.crossed), member.history.end());
    member.crossed = agreed.crossed;
    if (!is_engine(Rank{rank})) member.in_hand.clear();
    const auto slot = slot_of(view_->world, Rank{rank});
    std::vector<Rank> group, engine;
    for (std::uint32_t s = 0; slot && s < view_->world.size(); ++s)
        if (s / shape_.group_size == slot->value / shape_.group_size) group.push_back(view_->world[s]);
    if (slot) engine = {Rank{rank}};
    carry_out(rank, board(rank).complete(view_, group, engine, agreed));
}

void FakeMembers::rebuild() {
    std::vector<LifecycleFacts> facts;
    std::vector<std::uint32_t> order;
    for (std::uint32_t rank = 0; rank < members_.size(); ++rank) {
        if (!members_[rank].alive) continue;
        carry_out(rank, board(rank).interrupted());
        facts.push_back(board(rank).facts());
        order.push_back(rank);
    }
    in_flight_.clear();
    next_view();
    const LifecycleFacts agreed = agree_on_lifecycle(facts);
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[dice_.below(i)]);
    for (const auto rank : order) {
        complete(rank, agreed);
        run(dice_.below(4));  // The first are at work in the round while the last have not heard of it.
    }
}

std::size_t FakeMembers::count(const std::string& kind) const {
    return static_cast<std::size_t>(
        std::count_if(sent.begin(), sent.end(), [&](const Sent& one) { return one.kind == kind; }));
}

std::uint64_t FakeMembers::crossed_by_all() const {
    std::uint64_t all = ~std::uint64_t{0};
    for (const Rank rank : view_->world) all = std::min(all, members_[rank.value].crossed);
    return all;
}

OperationId FakeMembers::ask(std::uint32_t rank, Wanted wanted) {
    const OperationId operation{++operations_[rank]};
    carry_out(rank, board(rank).ask(operation, wanted));
    return operation;
}

RequestId FakeMembers::submit(std::uint32_t rank, std::uint8_t byte, Target target) {
    const RequestId request{++requests_[rank]};
    carry_out(rank, board(rank).submit(request, {std::byte{byte}}, {.target = std::move(target)}));
    return request;
}

std::string FakeMembers::outcome(std::uint32_t rank, OperationId operation) {
    const auto& ended = at(rank).operations[operation];
    if (ended.size() > 1) return "twice";
    if (ended.empty()) return "";
    return ended.front().error ? ended.front().error->text : "done";
}

std::string FakeMembers::outcome(std::uint32_t rank, RequestId request) {
    const auto& ended = at(rank).requests[request];
    if (ended.size() > 1) return "twice";
    if (ended.empty()) return "";
    if (ended.front().error) return ended.front().error->text;
    return "reply " + std::to_string(std::to_integer<int>(ended.front().bytes.at(0)));
}

}  // namespace muster::core::testing
