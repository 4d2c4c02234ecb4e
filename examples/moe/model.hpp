// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What is learnt: dense layers, the same on every slot, and experts, each on one slot.
/// A State is flat so that it travels in one message: the weights, then the two running means of Adam.
/// Thread safety: plain values.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "moe/linear.hpp"
#include "moe/shape.hpp"
#include "muster/vault.hpp"

namespace moe {

using Stem = Linear<kPixels, kHidden>;
using Router = Linear<kHidden, kExperts>;
using Head = Linear<kHidden, kClasses>;
using Layer = Linear<kHidden, kHidden>;

/// Where the layers lie in the dense weights, and in an expert's.
inline constexpr std::size_t kRouterAt = Stem::kSize;
inline constexpr std::size_t kHeadAt = kRouterAt + Router::kSize;
inline constexpr std::size_t kDenseSize = kHeadAt + Head::kSize;
inline constexpr std::size_t kSecondAt = Layer::kSize;
inline constexpr std::size_t kExpertSize = 2 * Layer::kSize;

/// One virtual shard's dense gradient and, as its last number, the shard's part of the loss.
inline constexpr std::size_t kGradientSize = kDenseSize + 1;

using State = std::vector<float>;     ///< Shape: 3 * number of weights.
using Gradient = std::vector<float>;  ///< Shape: number of weights.

/// What one slot holds after a step.
struct Model {
    State dense;
    muster::ItemRange mine;      ///< The experts of this slot.
    std::vector<State> experts;  ///< Shape: mine.count().
};

[[nodiscard]] Model initial_model(Place place);

/// The model after one more step. `gathered` holds all virtual shards' gradients, one after the other; they are summed
/// in that order on every slot, because an all-reduce would sum in an order that depends on the number of ranks.
void update(const Model& from, std::span<const float> gathered, const std::vector<Gradient>& experts,
            std::uint64_t step, Model& to);

/// The loss of the whole batch, from the same gathered gradients.
[[nodiscard]] float loss_of(std::span<const float> gathered);

}  // namespace moe
