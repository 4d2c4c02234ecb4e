// SPDX-License-Identifier: Apache-2.0
#include "core/switchboard.hpp"

#include <algorithm>
#include <utility>

#include "core/ranks.hpp"

namespace muster::core {
namespace {

void append(std::vector<Transmit> transmits, SwitchEffects& out) {
    for (auto& transmit : transmits) out.emplace_back(std::move(transmit));
}

std::string named(Rank rank) { return "rank " + std::to_string(rank.value); }

}  // namespace

Switchboard::Switchboard(Rank self, SwitchboardSettings settings)
    : self_(self),
      settings_(settings),
      channel_(self),
      keeper_(std::make_unique<JobKeeper>(self)),
      registry_(*keeper_, settings.registry_bytes_max),
      controller_(*keeper_, settings.controller),
      store_(settings.store),
      routers_(settings.router, settings.replicas),
      loads_up_(self, settings.load_interval_ms),
      steward_(settings.steward) {}

bool Switchboard::is_member(Rank rank) const {
    return view_ != nullptr && std::binary_search(view_->members.begin(), view_->members.end(), rank);
}

std::uint32_t Switchboard::place_of(Rank rank) const {
    const auto& members = view_->members;
    return static_cast<std::uint32_t>(std::lower_bound(members.begin(), members.end(), rank) - members.begin());
}

void Switchboard::send(Rank to, Message message, SwitchEffects& out) {
    if (to == self_) return dispatch(self_, std::move(message), out);
    if (!is_member(to)) {
        out.emplace_back(
            Note{std::string("dropped: ") + name_of(message) + " for " + named(to) + ", who is not there"});
        return;
    }
    std::vector<Transmit> transmits;
    channel_.send(to, std::move(message), transmits);
    append(std::move(transmits), out);
}

void Switchboard::dispatch(Rank from, Message message, SwitchEffects& out) {
    std::visit([&](auto& one) { on(from, std::move(one), out); }, message);
}

SwitchEffects Switchboard::received(Rank from, std::span<const std::byte> packet) {
    SwitchEffects out;
    if (from == self_ || !is_member(from)) {
        out.emplace_back(Note{"dropped: a packet from a stranger, " + named(from)});
        return out;
    }
    std::vector<Transmit> transmits;
    std::string note;
    auto message = channel_.received(from, packet, transmits, note);
    append(std::move(transmits), out);
    if (!note.empty()) out.emplace_back(Note{std::move(note)});
    if (message) dispatch(from, std::move(*message), out);
    return out;
}

SwitchEffects Switchboard::tick(std::uint64_t now_ms) {
    SwitchEffects out;
    now_ms_ = now_ms;
    if (coordinates() && !interrupted_) route(store_.tick(now_ms), out);
    turn_controller(out);
    count_on(out);
    collect_loads(out);
    if (settings_.replicas && reachable()) tend_replicas(out);
    std::vector<Transmit> transmits;
    channel_.tick(transmits);
    append(std::move(transmits), out);
    if (query_ && now_ms >= query_->asked_ms + settings_.where_patience_ms) finish_query(out);
    return out;
}

// Rounds.

SwitchEffects Switchboard::interrupted() {
    SwitchEffects out;
    interrupted_ = true;
    channel_.interrupted();
    routers_.interrupted();
    controller_.interrupted();
    if (query_) finish_query(out);  // Nobody answers any more.
    return out;
}

SwitchEffects Switchboard::complete(std::shared_ptr<const RoundView> view, std::vector<Rank> group,
                                    std::vector<Rank> engine, const LifecycleFacts& agreed) {
    SwitchEffects out;
    const bool is_new = view_ == nullptr || view_->coordinator != view->coordinator;
    const bool ceases = is_new && coordinates();
    view_ = std::move(view);
    group_ = std::move(group);
    engine_ = std::move(engine);
    interrupted_ = false;
    woken_ = {};
    std::vector<Transmit> transmits;
    auto undelivered = channel_.complete(view_->round, view_->members, transmits);
    append(std::move(transmits), out);
    adopt(agreed, out);
    if (!contains(view_->sources, self_) || stop_crossed_) in_progress_.clear();
    if (ceases) cease_to_coordinate();
    if (settings_.replicas) enter_replicas(out);  // Before requests are routed: who serves which?
    if (is_new) office_ = view_->round;
    if (is_new) leaving_sent_ = connect_sent_ = watch_sent_ = false;
    if (is_new || !contains(view_->sources, self_)) given_ = 0;
    if (coordinates()) coordinate(out);
    if (coordinates()) serve_store(out);
    enter_registry(out);
    enter_loads(out);
    stop_crossed_ = false;

    for (auto& message : undelivered)  // A coordinator is gone: its successor knows who waits for the reply.
        if (std::holds_alternative<message::Reply>(message)) send(view_->coordinator, std::move(message), out);
    for (auto& answered : std::exchange(replies_, {})) send(view_->coordinator, std::move(answered), out);
    if (leaving_ && !std::exchange(leaving_sent_, true)) send(view_->coordinator, message::Leaving{}, out);

    if (is_new) settle_operations(out);
    if (is_new)
        for (auto& [id, request] : requests_) request.sent = false;
    if (is_new)
        for (auto& [id, called] : store_calls_) called.sent = false;
    if (is_new)
        for (auto& [id, looked] : registry_calls_) looked.sent = false;
    if (is_new)
        for (auto& [id, ordered] : controller_calls_) ordered.sent = false;
    connect_to_coordinator(out);
    hand_in(
        operations_,
        [](auto& one) {
            return message::Ask{one.first, one.second.wanted};
        },
        out);
    hand_in_requests(out);
    watch_at_coordinator(out);
    hand_in_store_calls(out);
    hand_in_registry_calls(out);
    hand_in_controller_calls(out);
    return out;
}

SwitchEffects Switchboard::ended(const LifecycleFacts& agreed, const Error& why) {
    SwitchEffects out;
    log_.adopt(agreed);
    interrupted_ = true;
    channel_.interrupted();
    query_.reset();
    over_ = why;
    for (const auto& [operation, asked] : std::exchange(operations_, {})) {
        const auto number = log_.number_of(self_, operation);
        const bool stops = asked.wanted == Wanted::stop || asked.wanted == Wanted::stopped;
        const bool done = stops && (agreed.state == State::stopped || (number && *number <= agreed.crossed));
        out.emplace_back(OperationEnded{operation, done ? std::nullopt : std::optional(why)});
    }
    for (const auto& [id, request] : std::exchange(requests_, {}))
        out.emplace_back(RequestEnded{id, Error{Fault::ended, why.text}, {}});
    for (const auto& [id, called] : std::exchange(store_calls_, {}))
        out.emplace_back(StoreCallEnded{id, {.error = Error{Fault::ended, why.text}}});
    for (const auto& [id, looked] : std::exchange(registry_calls_, {})) {
        message::RegistryTold told;
        told.id = id;
        told.error = why.text;
        out.emplace_back(RegistryCallEnded{std::move(told)});
    }
    end_controller_calls(why, out);
    return out;
}

// Leaving, and a state that exists.

SwitchEffects Switchboard::leaving() {
    SwitchEffects out;
    leaving_ = true;
    if (reachable() && !std::exchange(leaving_sent_, true)) send(view_->coordinator, message::Leaving{}, out);
    return out;
}

void Switchboard::on(Rank from, message::Leaving, SwitchEffects& out) {
    if (!coordinates()) return;  // It tells the new coordinator by itself.
    out.emplace_back(LeavingHeard{from});
    leavers_.insert(from);
    route(routers_.engine_gone(from), out);
}

SwitchEffects Switchboard::state_exists(Rank standby) {
    SwitchEffects out;
    send(standby, message::StateExists{}, out);
    return out;
}

void Switchboard::on(Rank, message::StateExists, SwitchEffects& out) { out.emplace_back(StateHeard{}); }

// Waking.

const std::vector<Rank>& Switchboard::list_of(WakeScope scope) const {
    return scope == WakeScope::group ? group_ : engine_;
}

SwitchEffects Switchboard::wake(WakeScope scope, std::uint64_t number) {
    SwitchEffects out;
    const auto& list = list_of(scope);
    if (!reachable() || list.empty()) return out;
    if (list.front() == self_) {
        lead(scope, number, out);
    } else {
        send(list.front(), message::Wake{view_->round, scope, number}, out);
    }
    return out;
}

void Switchboard::on(Rank from, message::Wake wake, SwitchEffects& out) {
    const auto& list = list_of(wake.scope);
    if (wake.round != view_->round) return;  // Everybody has begun anew since.
    if (!contains(list, from)) {
        out.emplace_back(Note{"dropped: a wake from " + named(from) + ", who is not in this group"});
    } else if (list.front() == self_) {
        lead(wake.scope, wake.number, out);
    } else {
        spread(wake.scope, wake.number, out);
    }
}

/// All of a group may wake it at once; it is woken once.
void Switchboard::lead(WakeScope scope, std::uint64_t number, SwitchEffects& out) {
    auto& last = woken_[static_cast<std::size_t>(scope)];
    if (last && number <= *last) return;
    last = number;
    spread(scope, number, out);
}

void Switchboard::spread(WakeScope scope, std::uint64_t number, SwitchEffects& out) {
    const auto& list = list_of(scope);
    const auto own = slot_of(list, self_);
    if (!own) return;
    for (const auto child : tree_children(own->value, 0, static_cast<std::uint32_t>(list.size()), settings_.fan_out))
        send(list[child], message::Wake{view_->round, scope, number}, out);
    out.emplace_back(WakeEngine{scope, number});
}

// Who is where.

SwitchEffects Switchboard::where(std::uint64_t now_ms) {
    SwitchEffects out;
    query_ = Query{++queries_, now_ms, {}};
    if (reachable()) query_->heard.silent = view_->world;
    if (query_->heard.silent.empty()) finish_query(out);
    for (const Rank rank : query_ ? query_->heard.silent : std::vector<Rank>{})
        send(rank, message::Where{queries_}, out);
    return out;
}

void Switchboard::on(Rank from, message::Where where, SwitchEffects& out) {
    out.emplace_back(TellPosition{from, where.query});
}

SwitchEffects Switchboard::position(Rank to, std::uint64_t query, const Position& position) {
    SwitchEffects out;
    send(to, message::Here{query, position}, out);
    return out;
}

void Switchboard::on(Rank from, message::Here here, SwitchEffects& out) {
    if (!query_ || query_->number != here.query) return;  // Too late.
    if (std::erase(query_->heard.silent, from) == 0) {
        out.emplace_back(Note{"dropped: " + named(from) + " says where it is and was not asked"});
        return;
    }
    query_->heard.known.emplace_back(from, here.position);
    if (query_->heard.silent.empty()) finish_query(out);
}

void Switchboard::finish_query(SwitchEffects& out) {
    out.emplace_back(std::move(query_->heard));
    query_.reset();
}

}  // namespace muster::core
