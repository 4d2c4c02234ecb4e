// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One number for all weights, to compare runs by. Optimiser state is part of it: equal now and equal later.

#include <cstdint>
#include <string>
#include <vector>

#include "moe/model.hpp"

namespace moe {

/// 64-bit FNV-1a of a state's bytes, going on from `hash`.
[[nodiscard]] std::uint64_t fingerprint(const State& state, std::uint64_t hash = 0xcbf29ce484222325ULL);

/// One per own expert, to be gathered in slot order, which is the experts' order.
[[nodiscard]] std::vector<std::uint64_t> expert_fingerprints(const Model& model);

/// Of the whole model, in 16 hexadecimal digits.
[[nodiscard]] std::string fingerprint_text(const State& dense, const std::vector<std::uint64_t>& experts);

}  // namespace moe
