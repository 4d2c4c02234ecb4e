// SPDX-License-Identifier: Apache-2.0
// Engines that come and go, and what becomes of their requests.
#include <algorithm>
#include <utility>

#include "core/ranks.hpp"
#include "core/router.hpp"

namespace muster::core {

void Router::seat(Rank engine) {
    index_[engine] = candidates_.size();
    candidates_.push_back({.rank = engine});
    books_.emplace_back();
    update(candidates_.size() - 1);
}

void Router::interrupted() { rebuilding_ = true; }

Routings Router::complete(const std::vector<Rank>& engines, const std::vector<Rank>& members, std::vector<Rank> seats,
                          const std::vector<Rank>& held) {
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
        }
        books_.back().held = contains(held, engine);
        update(books_.size() - 1);
    }
    for (auto entry = open_.begin(); entry != open_.end();) {
        const bool here = std::binary_search(members.begin(), members.end(), entry->first.first);
        if (!here) take_back(entry->second);
        entry = here ? std::next(entry) : open_.erase(entry);
    }
    return reroute([this](const Open& open) { return open.engine && !index_.contains(*open.engine); });
}

Routings Router::close(std::string why) {
    Routings out;
    closed_ = std::move(why);
    try_held(out, true);
    return out;
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
