// SPDX-License-Identifier: Apache-2.0
#include "core/long_poll.hpp"

#include <algorithm>

namespace muster::core {

LongPollAnswers LongPoll::listen(ListenerId listener, Listen listen) {
    forget(listener);
    if (open_)
        if (auto changed = outdated(listen); !changed.empty()) return {{listener, std::move(changed)}};
    keep(listener, std::move(listen));
    return {};
}

LongPollAnswers LongPoll::publish(const std::vector<Change>& changes) {
    std::set<ListenerId> awake;
    for (const auto& change : changes) {
        replace(change);
        const auto found = by_key_.find(change.first);
        if (!open_ || found == by_key_.end()) continue;
        work_ += found->second.size();
        awake.insert(found->second.begin(), found->second.end());
    }
    LongPollAnswers answers;
    for (const auto listener : awake) answer(listener, answers);
    return answers;
}

LongPollAnswers LongPoll::open() {
    open_ = true;
    std::vector<ListenerId> early;
    for (const auto& [listener, listen] : listeners_) early.push_back(listener);
    work_ += early.size();
    LongPollAnswers answers;
    for (const auto listener : early) answer(listener, answers);
    return answers;
}

LongPollAnswers LongPoll::tick(std::uint64_t now_ms) {
    LongPollAnswers answers;
    while (!by_time_.empty() && by_time_.begin()->first <= now_ms) {
        const auto listener = by_time_.begin()->second;
        ++work_;
        forget(listener);
        answers.push_back({listener, {}});
    }
    return answers;
}

void LongPoll::forget(ListenerId listener) {
    const auto found = listeners_.find(listener);
    if (found == listeners_.end()) return;
    for (const auto& [key, id] : found->second.keys) {
        const auto same_key = by_key_.find(key);
        same_key->second.erase(listener);
        if (same_key->second.empty()) by_key_.erase(same_key);
    }
    if (found->second.until_ms) by_time_.erase({*found->second.until_ms, listener});
    listeners_.erase(found);
}

std::optional<SnapshotId> LongPoll::id_of(const std::string& key) const {
    const auto found = board_.find(key);
    if (found == board_.end()) return std::nullopt;
    return found->second.id;
}

std::map<std::string, Snapshot> LongPoll::outdated(const Listen& listen) const {
    std::map<std::string, Snapshot> changed;
    for (const auto& [key, id] : listen.keys) {
        const auto found = board_.find(key);
        if (found != board_.end() && found->second.id != id) changed.emplace(key, found->second);
        if (found == board_.end() && id >= kIdMin) changed.emplace(key, Snapshot{kNeverSeen, nullptr});
    }
    return changed;
}

void LongPoll::keep(ListenerId listener, Listen listen) {
    for (const auto& [key, id] : listen.keys) by_key_[key].insert(listener);
    if (listen.until_ms) by_time_.insert({*listen.until_ms, listener});
    listeners_.emplace(listener, std::move(listen));
}

void LongPoll::replace(const Change& change) {
    const auto& [key, value] = change;
    if (!value) {
        board_.erase(key);
        return;
    }
    const auto [place, is_new] = board_.try_emplace(key);
    place->second.id = is_new ? fresh() : place->second.id + 1;
    place->second.value = value;
}

/// A listener that knows better than the change (its id is current again) goes on waiting.
void LongPoll::answer(ListenerId listener, LongPollAnswers& out) {
    auto changed = outdated(listeners_.at(listener));
    if (changed.empty()) return;
    forget(listener);
    out.push_back({listener, std::move(changed)});
}

/// Random, and leaves room for two billion changes below 2^53.
SnapshotId LongPoll::fresh() {
    return kIdMin + static_cast<SnapshotId>(dice_.next() % ((std::uint64_t{1} << 52U) - (std::uint64_t{1} << 32U)));
}

}  // namespace muster::core
