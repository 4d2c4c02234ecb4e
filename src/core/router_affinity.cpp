// SPDX-License-Identifier: Apache-2.0
#include "core/router_affinity.hpp"

#include <algorithm>

namespace muster::core {

AffinityMemory::Match AffinityMemory::match(const std::vector<BlockHash>& blocks) const {
    Match match;
    for (const auto block : blocks) {
        const auto place = places_.find(block);
        if (place == places_.end()) break;
        ++match.blocks;
        match.asked = place->second->second;
    }
    return match;
}

void AffinityMemory::remember(const std::vector<BlockHash>& blocks, std::uint64_t now) {
    // From the last on, so that the first one stands in front; what would fall out at once does not come in.
    const auto kept = std::min(blocks.size(), blocks_max_);
    for (auto block = blocks.rend() - static_cast<std::ptrdiff_t>(kept); block != blocks.rend(); ++block) {
        if (const auto known = places_.find(*block); known != places_.end()) order_.erase(known->second);
        order_.emplace_front(*block, now);
        places_[*block] = order_.begin();
    }
    for (; places_.size() > blocks_max_; order_.pop_back()) places_.erase(order_.back().first);
}

}  // namespace muster::core
