// SPDX-License-Identifier: Apache-2.0
/// Clients and their requests: submitted to the coordinator, delivered to an engine, replied to, answered once.
#include <algorithm>
#include <utility>

#include "core/ranks.hpp"
#include "core/switchboard.hpp"

namespace muster::core {
namespace {

std::string named(Rank rank, RequestId id) {
    return "request " + std::to_string(id.value) + " of rank " + std::to_string(rank.value);
}

std::string too_large(std::size_t size) {
    return std::to_string(size) + " bytes are more than " + std::to_string(kRequestMax);
}

}  // namespace

// The client's side.

SwitchEffects Switchboard::connect() {
    SwitchEffects out;
    client_ = true;
    if (connected_) out.emplace_back(ClientConnected{});
    connect_to_coordinator(out);
    return out;
}

void Switchboard::connect_to_coordinator(SwitchEffects& out) {
    if (client_ && reachable() && !std::exchange(connect_sent_, true))
        send(view_->coordinator, message::Connect{}, out);
}

void Switchboard::on(Rank, message::Connected, SwitchEffects& out) {
    if (client_ && !std::exchange(connected_, true)) out.emplace_back(ClientConnected{});
}

SwitchEffects Switchboard::submit(RequestId id, Bytes bytes, RequestHints hints) {
    SwitchEffects out;
    if (over_) {
        out.emplace_back(RequestEnded{id, Error{Fault::ended, over_->text}, {}});
        return out;
    }
    if (bytes.size() > kRequestMax) {
        out.emplace_back(RequestEnded{id, Error{Fault::refused, too_large(bytes.size())}, {}});
        return out;
    }
    client_ = true;
    connect_to_coordinator(out);
    const auto [entry, is_new] = requests_.try_emplace(id);
    if (!is_new) {
        out.emplace_back(Note{"dropped: " + named(self_, id) + " is under way"});
        return out;
    }
    entry->second.bytes = std::move(bytes);
    entry->second.hints = std::move(hints);
    hand_in_request(id, out);
    return out;
}

/// What the present coordinator has not been sent.
void Switchboard::hand_in_requests(SwitchEffects& out) {
    std::vector<RequestId> unsent;
    for (const auto& [id, request] : requests_)
        if (!request.sent) unsent.push_back(id);
    for (const auto id : unsent) hand_in_request(id, out);
}

/// What was taken back the coordinator hears of right after the request.
void Switchboard::hand_in_request(RequestId id, SwitchEffects& out) {
    const auto found = requests_.find(id);
    if (!reachable() || found == requests_.end())
        return;  // Where this member coordinates, a message may have ended it.
    auto& request = found->second;
    request.sent = true;
    const bool again = std::exchange(request.again, true), aborted = request.aborted;
    send(view_->coordinator,
         message::Submit{id, request.bytes, request.hints.pin, request.hints.blocks, again, request.hints.target}, out);
    if (aborted) send(view_->coordinator, message::Abort{id}, out);
}

SwitchEffects Switchboard::abort(RequestId id) {
    SwitchEffects out;
    const auto found = requests_.find(id);
    if (found == requests_.end()) return out;  // It has ended meanwhile.
    auto& request = found->second;
    if (!request.again) {  // Nobody else knows of it.
        requests_.erase(found);
        out.emplace_back(RequestEnded{id, Error{Fault::aborted, kAborted}, {}});
    } else if (!std::exchange(request.aborted, true) && reachable()) {
        send(view_->coordinator, message::Abort{id}, out);
    } else if (!reachable()) {
        request.sent = false;  // A repeat of the request does no harm, and the word that it is taken back goes with it.
    }
    return out;
}

void Switchboard::on(Rank from, message::Answer answer, SwitchEffects& out) {
    const auto request = requests_.find(answer.id);
    // An error of another than the coordinator says nothing: the request was submitted anew.
    if (request == requests_.end() || (!answer.ok && from != view_->coordinator)) {
        out.emplace_back(Note{"dropped: an answer to " + named(self_, answer.id) + ", which is not open"});
        return;
    }
    requests_.erase(request);
    std::optional<Error> error;
    if (!answer.ok) error = Error{answer.fault, std::move(answer.reason)};
    out.emplace_back(RequestEnded{answer.id, std::move(error), std::move(answer.bytes)});
}

// The coordinator's side.

/// Whoever coordinates next, be it this member again, begins with an empty table.
void Switchboard::cease_to_coordinate() {
    clients_.clear();
    watchers_.clear();
    groups_.clear();
    leavers_.clear();
    awaited_.clear();
    routers_ = BackendRouters(settings_.router, settings_.replicas);
    planned_.reset();
    next_plan_.reset();
    replica_reports_.clear();
    store_ = StoreServer(settings_.store);
}

/// A round is complete: what was for members that are gone is forgotten or given to others, what waited goes on.
void Switchboard::coordinate(SwitchEffects& out) {
    std::erase_if(awaited_, [this](const auto& entry) { return !is_member(entry.first.first); });
    std::vector<Rank> engines;
    if (stop_crossed_ || facts().state == State::stopped) route(routers_.stopped(), out);
    if (facts().state != State::stopped)
        std::copy_if(view_->sources.begin(), view_->sources.end(), std::back_inserter(engines),
                     [this](Rank rank) { return !leavers_.contains(rank); });
    std::vector<Rank> seats;
    const auto ranks = view_->sources.empty() ? 1 : view_->world.size() / view_->sources.size();
    for (std::size_t slot = 0; slot < view_->world.size(); ++slot) seats.push_back(view_->sources[slot / ranks]);
    route(routers_.complete(engines, view_->members, seats), out);
    tell_crossed(out);
}

void Switchboard::route(Routings routings, SwitchEffects& out) {
    for (auto& routing : routings) {
        if (auto* routed = std::get_if<Routed>(&routing)) send(routed->engine, std::move(routed->deliver), out);
        if (auto* answered = std::get_if<Answered>(&routing)) send(answered->client, std::move(answered->answer), out);
        if (auto* called = std::get_if<CalledOff>(&routing)) send(called->engine, called->call_off, out);
    }
}

void Switchboard::on(Rank from, message::Connect, SwitchEffects& out) {
    if (!coordinates() || !clients_.insert(from).second) {
        out.emplace_back(Note{"ignored: rank " + std::to_string(from.value) + " connects " +
                              (coordinates() ? "again" : "to one that does not coordinate")});
        return;
    }
    send(from, message::Connected{}, out);
}

void Switchboard::on(Rank from, message::Submit submit, SwitchEffects& out) {
    if (!clients_.contains(from)) {
        out.emplace_back(Note{"ignored: " + named(from, submit.id) + ", which is not connected here"});
        return;
    }
    route(routers_.submit(from, std::move(submit)), out);
}

void Switchboard::on(Rank from, message::Abort abort, SwitchEffects& out) {
    if (clients_.contains(from)) route(routers_.abort(from, abort.id), out);
}

void Switchboard::on(Rank from, message::Dropped dropped, SwitchEffects& out) {
    if (coordinates()) route(routers_.dropped(from, dropped), out);
}

void Switchboard::on(Rank from, message::Reply reply, SwitchEffects& out) {
    if (!coordinates()) {  // It was so when this was sent. The number is another's count there.
        reply.number = 0;
        return send(view_->coordinator, std::move(reply), out);
    }
    route(routers_.reply(from, std::move(reply)), out);
}

// The engine's side.

void Switchboard::on(Rank from, message::Deliver deliver, SwitchEffects& out) {
    // What is not for this engine any more was given to another when the round was completed.
    if (from != view_->coordinator || !contains(view_->sources, self_)) {
        out.emplace_back(Note{"dropped: " + named(deliver.client, deliver.id) + ", from rank " +
                              std::to_string(from.value) + ": it was for an earlier round"});
        return;
    }
    given_ = deliver.number;
    if (!in_progress_.emplace(deliver.client, deliver.id).second) return;  // It runs here already.
    out.emplace_back(RequestArrived{deliver.client, deliver.id, std::move(deliver.bytes)});
}

SwitchEffects Switchboard::reply(Rank client, RequestId id, Bytes bytes) {
    SwitchEffects out;
    if (bytes.size() > kRequestMax) {
        out.emplace_back(Note{"dropped: the reply to " + named(client, id) + ": " + too_large(bytes.size())});
        return out;
    }
    in_progress_.erase({client, id});
    to_coordinator(message::Reply{client, id, std::move(bytes), ++answered_}, out);
    return out;
}

SwitchEffects Switchboard::dropped(Rank client, RequestId id) {
    SwitchEffects out;
    in_progress_.erase({client, id});
    to_coordinator(message::Dropped{client, id, ++answered_}, out);
    return out;
}

void Switchboard::to_coordinator(Message message, SwitchEffects& out) {
    if (reachable()) {
        send(view_->coordinator, std::move(message), out);
    } else {
        replies_.push_back(std::move(message));
    }
}

void Switchboard::on(Rank from, message::CallOff call_off, SwitchEffects& out) {
    const bool mine = from == view_->coordinator && in_progress_.contains({call_off.client, call_off.id});
    if (mine) out.emplace_back(RequestCalledOff{call_off.client, call_off.id});  // Else its outcome is on its way.
}

}  // namespace muster::core
