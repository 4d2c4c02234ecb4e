// SPDX-License-Identifier: Apache-2.0
#include "core/mirror.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "core/assert.hpp"

namespace muster::core {

MirrorEffects Mirror::complete(Round round, Rank coordinator, std::vector<Rank> followers, std::optional<Rank> source) {
    MirrorEffects out;
    round_ = round;
    coordinator_ = coordinator;
    source_ = std::nullopt;
    serving_ = false;
    kept_.clear();
    if (coordinator == self_) {
        for (const Rank follower : followers) kept_.emplace(follower, std::nullopt);
        if (source && *source != self_)
            source_ = source;
        else
            take_the_chair(out);
    } else if (source == self_) {
        out.emplace_back(MirrorSend{coordinator, whole()});
    }
    return out;
}

message::Copy Mirror::whole() const { return {round_, position_.index, true, state_.snapshot()}; }

/// This member has all there is: its term begins.
void Mirror::take_the_chair(MirrorEffects& out) {
    position_.term = round_;
    for (const auto& [follower, has] : kept_) out.emplace_back(MirrorSend{follower, whole()});
    count(out);
}

MirrorEffects Mirror::append(Bytes entry) {
    MUSTER_ASSERT(serving_);
    MirrorEffects out;
    const bool folded = state_.apply(entry);
    MUSTER_ASSERT(folded);  // This member has just written it.
    ++position_.index;
    for (const auto& [follower, has] : kept_)
        out.emplace_back(MirrorSend{follower, message::Copy{round_, position_.index, false, entry}});
    count(out);
    return out;
}

/// What all followers have; without followers, what is here.
void Mirror::count(MirrorEffects& out) {
    std::uint64_t least = position_.index;
    for (const auto& [follower, has] : kept_) {
        if (!has) return;
        least = std::min(least, *has);
    }
    if (serving_ && safe_ == least) return;
    serving_ = true;
    safe_ = least;
    out.emplace_back(MirrorSafe{});
}

MirrorEffects Mirror::received(Rank from, message::Copy copy) {
    MirrorEffects out;
    if (copy.term != round_) return out;
    if (coordinator_ == self_) {
        if (from != source_ || !copy.whole || !state_.load(copy.bytes)) return out;
        source_ = std::nullopt;
        position_.index = copy.index;
        take_the_chair(out);
        return out;
    }
    if (from != coordinator_) return out;
    if (copy.whole) {
        if (!state_.load(copy.bytes)) return out;
    } else {
        if (position_.term != copy.term || copy.index != position_.index + 1) return out;
        if (!state_.apply(copy.bytes)) return out;
    }
    position_ = {copy.term, copy.index};
    out.emplace_back(MirrorSend{from, message::Kept{round_, position_.index}});
    return out;
}

MirrorEffects Mirror::received(Rank from, message::Kept kept) {
    MirrorEffects out;
    const auto follower = kept_.find(from);
    if (kept.term != round_ || follower == kept_.end() || kept.index > position_.index) return out;
    follower->second = std::max(follower->second, std::optional(kept.index));
    count(out);
    return out;
}

std::vector<Rank> followers_of(Rank coordinator, const std::vector<Rank>& world, const std::vector<Rank>& outside,
                               const std::vector<Member>& launch, std::size_t count) {
    std::vector<Rank> candidates = world;
    candidates.insert(candidates.end(), outside.begin(), outside.end());
    std::erase(candidates, coordinator);
    std::set<std::string> nodes{launch[coordinator.value].node};
    std::vector<Rank> chosen;
    while (chosen.size() < count && !candidates.empty()) {
        auto next = std::find_if(candidates.begin(), candidates.end(),
                                 [&](Rank rank) { return !nodes.contains(launch[rank.value].node); });
        if (next == candidates.end()) next = candidates.begin();
        nodes.insert(launch[next->value].node);
        chosen.push_back(*next);
        candidates.erase(next);
    }
    return chosen;
}

}  // namespace muster::core
