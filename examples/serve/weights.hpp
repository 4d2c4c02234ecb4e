// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The classifier's weights as one flat piece of memory, so that a muster::Buffer can hold them.
/// Intuition: a server would load a file. This one trains for less than a second, from the same seed on every member:
/// equal bits without a word between them. Every member holds all experts, since a standby may take any place, and
/// computes with those of its own place only.
/// Shape: the dense layers (moe::kDenseSize floats), then moe::kExperts times an expert's (moe::kExpertSize floats).
/// Thread safety: plain values.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "moe/dataset.hpp"
#include "moe/model.hpp"

namespace serve {

inline constexpr std::size_t kWeights = moe::kDenseSize + moe::kExperts * moe::kExpertSize;  ///< Units: floats.
inline constexpr std::uint64_t kTrainingSteps = 240;

[[nodiscard]] std::vector<float> trained_weights(const moe::Dataset& data, std::uint64_t steps = kTrainingSteps);

[[nodiscard]] inline const float* dense_of(std::span<const float> weights) { return weights.data(); }
[[nodiscard]] inline const float* expert_of(std::span<const float> weights, std::uint32_t expert) {
    return weights.data() + moe::kDenseSize + expert * moe::kExpertSize;
}

}  // namespace serve
