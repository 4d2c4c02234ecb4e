// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the store says about calls: which keys they name, why they are refused. Pure functions, no allocation that is
/// not in the result. Thread safety: plain values.

#include <optional>
#include <string>
#include <vector>

#include "core/store_message.hpp"

namespace muster::core {

constexpr std::size_t kNamedMax = 16;  ///< Keys that an error text names; of more it gives the number.

/// The keys that an operation names, each once, ascending.
[[nodiscard]] std::vector<std::string> keys_of(const StoreOperation& operation);

/// "'a', 'b' and 3 more".
[[nodiscard]] std::string listed(const std::vector<std::string>& keys);

/// Why this can be done in no round: a key or value too large, no key, too many keys. Nothing where it can.
[[nodiscard]] std::optional<std::string> objection_to(const StoreOperation& operation);

/// "key 'x' is of round 3, the job is in round 4".
[[nodiscard]] std::string outdated(const StoreCall& call, Round now);

/// What the call takes while it is open, in bytes.
[[nodiscard]] std::size_t open_cost_of(const StoreCall& call);

}  // namespace muster::core
