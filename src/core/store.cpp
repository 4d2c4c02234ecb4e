// SPDX-License-Identifier: Apache-2.0
#include "core/store.hpp"

#include <algorithm>
#include <limits>

#include "core/assert.hpp"
#include "core/store_words.hpp"

namespace muster::core {
namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

StoreChange change_of(StoreOperation&& operation) {
    return std::visit(
        [](auto&& what) -> StoreChange {
            if constexpr (requires { StoreChange(std::move(what)); }) return std::move(what);
            MUSTER_ASSERT(false && "only what may change something is entered");
            return store::Begin{};
        },
        std::move(operation));
}

}  // namespace

StoreEffects StoreServer::call(Rank client, StoreCall call, std::uint64_t now_ms) {
    StoreEffects out;
    advance(now_ms, out);
    if (by_call_.contains({client, call.id})) return out;  // It is open, and will be answered once.
    const std::uint64_t deadline = now_ms_ + std::min(call.patience_ms, kNever - now_ms_);
    if (call.round < state_.round()) {
        refuse(client, call.id, outdated(call, state_.round()), out);
    } else if (auto objection = objection_to(call.operation)) {
        refuse(client, call.id, std::move(*objection), out);
    } else if (!serving_ || call.round > state_.round()) {
        keep_open({.client = client, .call = std::move(call), .deadline_ms = deadline, .held = true}, out);
    } else {
        serve(client, std::move(call), deadline, out);
    }
    advance(now_ms, out);
    return out;
}

StoreEffects StoreServer::tick(std::uint64_t now_ms) {
    StoreEffects out;
    advance(now_ms, out);
    return out;
}

/// Ends what is due.
void StoreServer::advance(std::uint64_t now_ms, StoreEffects& out) {
    now_ms_ = std::max(now_ms_, now_ms);
    while (!by_deadline_.empty() && by_deadline_.begin()->first <= now_ms_) {
        ++examined_;
        const Open open = close(by_deadline_.begin()->second);
        reply(open.client, open.call.id, {.error = Error{Fault::timed_out, late(open)}}, out);
    }
}

/// A call of the present round, which is complete.
void StoreServer::serve(Rank client, StoreCall call, std::uint64_t deadline_ms, StoreEffects& out) {
    if (!is_member(client)) {
        refuse(
            client, call.id,
            "rank " + std::to_string(client.value) + " is no member of round " + std::to_string(state_.round().value),
            out);
    } else if (may_change(call.operation)) {
        execute(client, call, out);
    } else {
        look_up(client, std::move(call), deadline_ms, out);
    }
}

void StoreServer::execute(Rank client, StoreCall& call, StoreEffects& out) {
    if (const auto* again = state_.remembered(client, call.id)) return reply(client, call.id, *again, out);
    if (call.id < state_.settled(client)) return;  // The client has its answer.
    if (state_.unsettled(client, call.settled) >= settings_.remembered_max) {
        return refuse(client, call.id,
                      "rank " + std::to_string(client.value) + " has " + std::to_string(settings_.remembered_max) +
                          " calls under way; " + listed(keys_of(call.operation)) + " must wait",
                      out);
    }
    const std::string key = keys_of(call.operation).front();
    const bool was_there = state_.find(key) != nullptr;
    enter({.client = client, .id = call.id, .settled = call.settled, .change = change_of(std::move(call.operation))},
          out);
    reply(client, call.id, *state_.remembered(client, call.id), out);
    const bool is_there = state_.find(key) != nullptr;
    if (is_there && !was_there) appeared(key, out);
    if (!is_there && was_there) vanished(key);
}

void StoreServer::look_up(Rank client, StoreCall call, std::uint64_t deadline_ms, StoreEffects& out) {
    Open open{.client = client, .call = std::move(call), .deadline_ms = deadline_ms};
    if (!std::holds_alternative<store::NumKeys>(open.call.operation)) open.missing = missing_of(open).size();
    if (open.missing > 0) return keep_open(std::move(open), out);
    reply(client, open.call.id, found(open.call.operation), out);
}

void StoreServer::enter(StoreEntry entry, StoreEffects& out) {
    if (!std::holds_alternative<store::Begin>(entry.change)) {
        entry.round = state_.round();
        entry.number = state_.entries() + 1;
    }
    const bool applied = state_.apply(entry);
    MUSTER_ASSERT(applied);
    out.emplace_back(StoreMirror{std::move(entry)});
}

void StoreServer::appeared(const std::string& key, StoreEffects& out) {
    const auto waits = waiting_.find(key);
    if (waits == waiting_.end()) return;
    std::vector<Number> complete;
    for (const Number number : waits->second) {
        ++examined_;
        if (--open_.at(number).missing == 0) complete.push_back(number);
    }
    for (const Number number : complete) {
        const Open open = close(number);
        reply(open.client, open.call.id, found(open.call.operation), out);
    }
}

void StoreServer::vanished(const std::string& key) {
    const auto waits = waiting_.find(key);
    if (waits == waiting_.end()) return;
    for (const Number number : waits->second) {
        ++examined_;
        ++open_.at(number).missing;
    }
}

void StoreServer::keep_open(Open open, StoreEffects& out) {
    open.bytes = open_cost_of(open.call);
    if (open.bytes > settings_.open_bytes_max - std::min(open_bytes_, settings_.open_bytes_max)) {
        return refuse(open.client, open.call.id,
                      "too many open calls: " + std::to_string(open_.size()) + " hold " + std::to_string(open_bytes_) +
                          " of " + std::to_string(settings_.open_bytes_max) + " bytes; no room to wait for " +
                          listed(keys_of(open.call.operation)),
                      out);
    }
    const Number number = ++numbers_;
    by_call_.emplace(std::pair(open.client, open.call.id), number);
    by_deadline_.emplace(open.deadline_ms, number);
    if (!open.held)
        for (const auto& key : keys_of(open.call.operation)) waiting_[key].insert(number);
    open_bytes_ += open.bytes;
    open_.emplace(number, std::move(open));
}

StoreServer::Open StoreServer::close(Number number) {
    const auto place = open_.find(number);
    MUSTER_ASSERT(place != open_.end());
    Open open = std::move(place->second);
    open_.erase(place);
    by_call_.erase({open.client, open.call.id});
    by_deadline_.erase({open.deadline_ms, number});
    open_bytes_ -= open.bytes;
    if (open.held) return open;
    for (const auto& key : keys_of(open.call.operation)) {
        const auto waits = waiting_.find(key);
        waits->second.erase(number);
        if (waits->second.empty()) waiting_.erase(waits);
    }
    return open;
}

StoreEffects StoreServer::complete(Round round, std::vector<Rank> members) {
    MUSTER_ASSERT(round >= state_.round() && round > Round{0});
    StoreEffects out;
    serving_ = true;
    members_ = std::move(members);
    if (round > state_.round()) enter({.round = round, .number = 1, .change = store::Begin{}}, out);
    std::vector<Number> concerned;
    for (const auto& [number, open] : open_) {
        ++examined_;
        const bool due = open.held || !is_member(open.client);
        if (open.call.round < round || (open.call.round == round && due)) concerned.push_back(number);
    }
    for (const Number number : concerned) {
        if (!open_.contains(number)) continue;  // Another one's change has answered it.
        Open open = close(number);
        if (!is_member(open.client)) continue;  // Gone: there is nobody to answer.
        if (open.call.round < round) {
            refuse(open.client, open.call.id, outdated(open.call, round), out);
        } else {
            serve(open.client, std::move(open.call), open.deadline_ms, out);
        }
    }
    return out;
}

StoreEffects StoreServer::gone(Rank client) {
    StoreEffects out;
    std::erase(members_, client);
    for (auto call = by_call_.lower_bound({client, CallId{}}); call != by_call_.end() && call->first.first == client;
         call = by_call_.lower_bound({client, CallId{}})) {
        ++examined_;
        (void)close(call->second);
    }
    if (serving_ && state_.unsettled(client, CallId{}) > 0) enter({.client = client, .change = store::Gone{}}, out);
    return out;
}

void StoreServer::reply(Rank client, CallId id, StoreAnswer answer, StoreEffects& out) const {
    out.emplace_back(StoreReply{client, id, std::move(answer), state_.entries()});
}

void StoreServer::refuse(Rank client, CallId id, std::string text, StoreEffects& out) const {
    reply(client, id, {.error = Error{Fault::refused, std::move(text)}}, out);
}

bool StoreServer::is_member(Rank client) const { return std::binary_search(members_.begin(), members_.end(), client); }

/// The answer to a look-up whose keys are all there.
StoreAnswer StoreServer::found(const StoreOperation& operation) const {
    if (const auto* get = std::get_if<store::Get>(&operation)) return {.value = state_.find(get->key)};
    if (std::holds_alternative<store::Wait>(operation)) return {};
    return {.number = static_cast<std::int64_t>(state_.size())};
}

std::vector<std::string> StoreServer::missing_of(const Open& open) const {
    auto keys = keys_of(open.call.operation);
    if (!open.held) std::erase_if(keys, [this](const auto& key) { return state_.find(key) != nullptr; });
    return keys;
}

/// Why an open call has come to nothing by its deadline.
std::string StoreServer::late(const Open& open) const {
    const auto missing = missing_of(open);
    const std::string within = "no answer within " + std::to_string(open.call.patience_ms) + " ms: ";
    const std::string round = "round " + std::to_string(open.call.round.value);
    if (!open.held) return within + "missing in " + round + ": " + listed(missing);
    const std::string incomplete = within + round + " is not complete";
    if (missing.empty()) return incomplete;
    if (may_change(open.call.operation)) return incomplete + "; nothing was done to " + listed(missing);
    return incomplete + "; missing: " + listed(missing);
}

std::optional<std::uint64_t> StoreServer::next_deadline_ms() const {
    if (by_deadline_.empty()) return std::nullopt;
    return by_deadline_.begin()->first;
}

}  // namespace muster::core
