// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which prefix blocks an engine has seen of late: what its cache probably still holds.
/// Intuition: a request's blocks are a chain, so what counts is how many of them, from the first on, are known. The
/// longest unused block is forgotten first, and of one request the last block before the first: a chain is forgotten
/// from its end. Shape: block hashes in the order of the prefix. Units: blocks.
/// Thread safety: none. Source: Megatron-LM's coordinator; bounded: ours.

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>
#include <vector>

#include "muster/types.hpp"

namespace muster::core {

constexpr std::size_t kAffinityBlocks = 65'536;  ///< About 6 MiB an engine.

class AffinityMemory {
public:
    struct Match {
        std::size_t blocks = 0;   ///< Known ones, from the first on, without a gap.
        std::uint64_t asked = 0;  ///< When the last of them was asked for; 0: none is known.
    };
    explicit AffinityMemory(std::size_t blocks_max) : blocks_max_(blocks_max) {}

    [[nodiscard]] Match match(const std::vector<BlockHash>& blocks) const;
    void remember(const std::vector<BlockHash>& blocks, std::uint64_t now);  ///< `now` never goes back.
    [[nodiscard]] std::size_t size() const { return places_.size(); }

private:
    using Order = std::list<std::pair<BlockHash, std::uint64_t>>;  ///< With the time; the most recent first.
    std::size_t blocks_max_;
    Order order_;
    std::unordered_map<BlockHash, Order::iterator> places_;
};

}  // namespace muster::core
