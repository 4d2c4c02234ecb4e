// SPDX-License-Identifier: Apache-2.0
#include "core/router.hpp"

#include <algorithm>
#include <utility>

namespace muster::core {
namespace {

std::string slot_text(Slot slot) { return "slot " + std::to_string(slot.value); }

std::string many(std::uint64_t count) { return std::to_string(count) + " requests"; }

}  // namespace

// Where a request goes.

Router::Place Router::refuse(const Key& key, Fault fault, std::string why, Routings& out) const {
    out.push_back(Answered{key.first, {key.second, false, std::move(why), {}, fault}});
    return Place::refused;
}

std::optional<std::size_t> Router::seat_of(Slot slot, std::string& why_not) const {
    if (slot.value >= seats_.size()) {
        why_not = slot_text(slot) + " is not there: the world has " + std::to_string(seats_.size()) + " slots";
        return std::nullopt;
    }
    const auto found = index_.find(seats_[slot.value]);
    if (found != index_.end()) return found->second;
    why_not = "the engine at " + slot_text(slot) + " takes no requests: it leaves, or has stopped";
    return std::nullopt;
}

/// Gives the request to an engine. `held`: it waits for a rebuild or for room; `refused`: its client was answered.
Router::Place Router::place(const Key& key, Open& open, Routings& out) {
    if (rebuilding_) return Place::held;
    if (closed_ && nobody_takes()) return refuse(key, Fault::refused, *closed_, out);
    if (candidates_.empty() && settings_.waits) return Place::held;
    if (candidates_.empty()) return refuse(key, Fault::refused, kNoEngines, out);
    std::optional<std::size_t> index;
    if (open.submit.pin) {
        std::string why_not;
        index = seat_of(*open.submit.pin, why_not);
        if (!index) return refuse(key, Fault::refused, std::move(why_not), out);
        if (candidates_[*index].full) return Place::held;
    } else if (!all_full()) {
        index = policy_->choose(candidates_, {open.submit.bytes, open.submit.blocks});
    }
    if (!index) return Place::held;
    give(key, open, *index, out);
    return Place::given;
}

void Router::give(const Key& key, Open& open, std::size_t index, Routings& out) {
    const Rank engine = candidates_[index].rank;
    open.engine = engine;
    ++books_[index].in_flight;
    policy_->routed(engine, {open.submit.bytes, open.submit.blocks});
    out.push_back(Routed{engine, {key.first, key.second, open.submit.bytes, ++given_[engine]}});
    update(index);
}

void Router::take_back(Open& open) {
    if (!open.engine) return;
    const auto found = index_.find(*std::exchange(open.engine, std::nullopt));
    if (found == index_.end()) return;
    --books_[found->second].in_flight;
    update(found->second);
}

/// What the policies see of an engine, after its books have changed.
void Router::update(std::size_t index) {
    auto& candidate = candidates_[index];
    const auto& books = books_[index];
    candidate.load = books.in_flight;
    if (books.report) {
        const auto given = given_[candidate.rank];
        std::uint64_t known = books.report->requests;
        if (given > books.report->given) known += given - books.report->given;
        if (books.answered > books.report->answered) known -= std::min(known, books.answered - books.report->answered);
        candidate.load = std::max(candidate.load, known);
        candidate.capacity = books.report->capacity;
    }
    const bool full =
        books.held || (settings_.queue_max_per_engine > 0 && books.in_flight >= settings_.queue_max_per_engine);
    if (full != std::exchange(candidate.full, full)) full_ += full ? 1 : std::size_t(-1);
}

bool Router::nobody_takes() const {
    return std::all_of(books_.begin(), books_.end(), [](const Books& books) { return books.held; });
}

/// An engine has room again: the oldest that may go there goes. `all`: everybody that finds a place.
void Router::try_held(Routings& out, bool all) {
    if (rebuilding_) return;
    for (auto key = held_.begin(); key != held_.end() && (candidates_.empty() || closed_ || !all_full());) {
        const auto entry = open_.find(*key);
        const auto placed = entry == open_.end() ? Place::refused : place(entry->first, entry->second, out);
        if (placed == Place::held) {
            ++key;
            continue;
        }
        if (placed == Place::refused && entry != open_.end()) open_.erase(entry);
        key = held_.erase(key);
        if (placed == Place::given && !all) return;
    }
}

// Requests and their outcomes.

Routings Router::submit(Rank client, message::Submit submit) {
    Routings out;
    const Key key{client, submit.id};
    const bool again = submit.again, pinned = submit.pin.has_value();
    if (open_.contains(key)) return out;
    if (!again && settings_.queue_max > 0 && open_.size() >= settings_.queue_max) {
        (void)refuse(key, Fault::busy, "busy: " + many(open_.size()) + " are open, which is queue_max; ask again later",
                     out);
        return out;
    }
    const auto entry = open_.emplace(key, Open{std::move(submit), std::nullopt}).first;
    auto placed = place(key, entry->second, out);
    const bool waits = rebuilding_ || (settings_.waits && nobody_takes());
    if (placed == Place::held && !again && !waits)
        placed = refuse(key, Fault::busy,
                        "busy: " + std::string(pinned ? "the engine that was named has " : "each engine has ") +
                            many(settings_.queue_max_per_engine) + ", which is queue_max_per_engine; ask again later",
                        out);
    if (placed == Place::held) held_.push_back(key);
    if (placed == Place::refused) open_.erase(entry);
    return out;
}

Routings Router::reply(Rank engine, message::Reply reply) {
    Routings out;
    if (const auto found = index_.find(engine); found != index_.end() && reply.number > 0) {
        books_[found->second].answered = reply.number;
        update(found->second);
    }
    // Whoever answers first counts, also where another engine has the request by now, or an earlier coordinator gave
    // it away: the client drops what it has already.
    out.push_back(Answered{reply.client, {reply.id, true, {}, std::move(reply.bytes)}});
    if (const auto entry = open_.find({reply.client, reply.id}); entry != open_.end()) {
        if (!entry->second.engine) std::erase(held_, entry->first);
        take_back(entry->second);
        open_.erase(entry);
        try_held(out, false);
    }
    return out;
}

Routings Router::abort(Rank client, RequestId id) {
    Routings out;
    const auto entry = open_.find({client, id});
    if (entry == open_.end()) return out;  // Its outcome is on its way to the client.
    if (entry->second.engine) {
        if (!std::exchange(entry->second.aborted, true)) out.push_back(CalledOff{*entry->second.engine, {client, id}});
        return out;
    }
    (void)refuse(entry->first, Fault::aborted, kAborted, out);
    std::erase(held_, entry->first);
    open_.erase(entry);
    return out;
}

Routings Router::dropped(Rank engine, const message::Dropped& dropped) {
    Routings out;
    if (const auto found = index_.find(engine); found != index_.end() && dropped.number > 0) {
        books_[found->second].answered = dropped.number;
        update(found->second);
    }
    const auto entry = open_.find({dropped.client, dropped.id});
    if (entry == open_.end() || entry->second.engine != engine) return out;
    (void)refuse(entry->first, Fault::aborted, kAborted, out);
    take_back(entry->second);
    open_.erase(entry);
    try_held(out, false);
    return out;
}

bool Router::reported(Rank engine, const EngineReport& report) {
    const auto found = index_.find(engine);
    if (found == index_.end()) return false;
    books_[found->second].report = report;
    update(found->second);
    return true;
}

}  // namespace muster::core
