// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The sizes of the example's model and batch. All results depend on these and the seed, never on the number of ranks.

#include <cstddef>
#include <cstdint>

namespace moe {

inline constexpr std::uint32_t kShards = 24;       ///< Virtual shards of a batch: deals evenly to 1, 2, 3, 4, 6 slots.
inline constexpr std::uint32_t kShardImages = 16;  ///< Images of one virtual shard in one step.
inline constexpr std::uint32_t kExperts = 24;      ///< Dealt to slots in contiguous blocks, like the virtual shards.
inline constexpr std::uint32_t kCapacity = 4;      ///< Tokens that one expert takes of one virtual shard in one step.
inline constexpr std::uint32_t kNoLimit = ~0U;     ///< As a capacity: the expert takes all.
inline constexpr std::size_t kPixels = 64;
inline constexpr std::size_t kHidden = 32;
inline constexpr std::size_t kClasses = 10;
static_assert(kShards == kExperts);  // all_gather() in the programs deals both alike.
inline constexpr std::uint64_t kSeed = 2026;

/// A slot of the world that computes: which one, and of how many.
struct Place {
    std::uint32_t slot = 0, size = 1;
};

}  // namespace moe
