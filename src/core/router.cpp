// SPDX-License-Identifier: Apache-2.0
#include "core/router.hpp"

#include <algorithm>
#include <utility>

#include "core/ranks.hpp"

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
    const bool full = settings_.queue_max_per_engine > 0 && books.in_flight >= settings_.queue_max_per_engine;
    if (full != std::exchange(candidate.full, full)) full_ += full ? 1 : std::size_t(-1);
}

/// An engine has room again: the oldest that may go there goes. `all`: everybody that finds a place.
void Router::try_held(Routings& out, bool all) {
    if (rebuilding_) return;
    for (auto key = held_.begin(); key != held_.end() && (candidates_.empty() || !all_full());) {
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
    if (placed == Place::held && !again && !rebuilding_)
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

// Engines that come and go.

void Router::seat(Rank engine) {
    index_[engine] = candidates_.size();
    candidates_.push_back({.rank = engine});
    books_.emplace_back();
    update(candidates_.size() - 1);
}

void Router::interrupted() { rebuilding_ = true; }

Routings Router::complete(const std::vector<Rank>& engines, const std::vector<Rank>& members, std::vector<Rank> seats) {
    rebuilding_ = false;
    seats_ = seats.empty() ? engines : std::move(seats);
    for (const auto& candidate : candidates_)
        if (!contains(engines, candidate.rank)) policy_->engine_gone(candidate.rank);
    const auto before = std::exchange(index_, {});
    auto books = std::exchange(books_, {});
    candidates_.clear();
    full_ = 0;
    for (const Rank engine : engines) {
        seat(engine);
        if (const auto known = before.find(engine); known != before.end()) {
            books_.back() = books[known->second];
            update(books_.size() - 1);
        }
    }
    for (auto entry = open_.begin(); entry != open_.end();) {
        const bool here = std::binary_search(members.begin(), members.end(), entry->first.first);
        if (!here) take_back(entry->second);
        entry = here ? std::next(entry) : open_.erase(entry);
    }
    return reroute([this](const Open& open) { return open.engine && !index_.contains(*open.engine); });
}

Routings Router::engine_registers(Rank engine) {
    Routings out;
    if (index_.contains(engine)) return out;
    seat(engine);
    if (!contains(seats_, engine)) seats_.push_back(engine);
    try_held(out, true);
    return out;
}

Routings Router::engine_gone(Rank engine) {
    const auto found = index_.find(engine);
    if (found == index_.end()) return {};
    full_ -= candidates_[found->second].full ? 1 : 0;
    candidates_.erase(candidates_.begin() + static_cast<std::ptrdiff_t>(found->second));
    books_.erase(books_.begin() + static_cast<std::ptrdiff_t>(found->second));
    index_.clear();
    for (std::size_t index = 0; index < candidates_.size(); ++index) index_[candidates_[index].rank] = index;
    policy_->engine_gone(engine);
    return reroute([engine](const Open& open) { return open.engine == engine; });
}

/// What was accepted goes on waiting where nobody has room; who took it back need not.
template <class Which>
Routings Router::reroute(Which which) {
    Routings out;
    std::vector<Key> orphans;
    for (auto& [key, open] : open_) {
        if (!which(open)) continue;
        take_back(open);
        orphans.push_back(key);
    }
    held_.insert(held_.begin(), orphans.begin(), orphans.end());  // They had a place already.
    std::erase_if(held_, [&](const Key& key) {
        const auto entry = open_.find(key);
        if (entry == open_.end()) return true;
        if (!entry->second.aborted) return false;
        (void)refuse(key, Fault::aborted, kAborted, out);
        open_.erase(entry);
        return true;
    });
    try_held(out, true);
    return out;
}

Routings Router::stopped() {
    Routings out;
    for (const auto& candidate : candidates_) policy_->engine_gone(candidate.rank);
    candidates_.clear();
    books_.clear();
    index_.clear();
    full_ = 0;
    held_.clear();
    for (const auto& [key, open] : std::exchange(open_, {})) (void)refuse(key, Fault::ended, kEnginesStopped, out);
    return out;
}

std::vector<Rank> Router::engines() const {
    std::vector<Rank> list;
    for (const auto& candidate : candidates_) list.push_back(candidate.rank);
    return list;
}

std::uint64_t Router::in_flight(Rank engine) const {
    const auto found = index_.find(engine);
    return found == index_.end() ? 0 : books_[found->second].in_flight;
}

}  // namespace muster::core
