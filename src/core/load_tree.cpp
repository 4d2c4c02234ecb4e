// SPDX-License-Identifier: Apache-2.0
#include "core/load_tree.hpp"

#include <utility>

#include "core/ranks.hpp"

namespace muster::core {

void LoadTree::enter(std::optional<Rank> parent, std::vector<Rank> children) {
    parent_ = parent;
    children_ = std::move(children);
    pending_.clear();
    told_.reset();
}

void LoadTree::own(const EngineWord& word) {
    if (told_ && told_->says_the_same(word))
        pending_.erase(word.engine);  // It is again as it was told.
    else
        pending_.insert_or_assign(word.engine, word);
}

bool LoadTree::heard(Rank from, const EngineWords& words) {
    if (!contains(children_, from)) return false;
    for (const auto& word : words) pending_.insert_or_assign(word.engine, word);
    return true;
}

EngineWords LoadTree::due(std::uint64_t now_ms) {
    EngineWords words;
    if (pending_.empty() || (parent_ && sent_ms_ && now_ms < *sent_ms_ + interval_ms_)) return words;
    sent_ms_ = now_ms;
    words.reserve(pending_.size());
    for (auto& [engine, word] : std::exchange(pending_, {})) {
        if (engine == self_) told_ = word;
        words.push_back(std::move(word));
    }
    return words;
}

}  // namespace muster::core
