// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Virtual time. Units: one tick stands for a microsecond; a message takes a few, a forward some hundred.

#include <cstdint>

#include "muster/types.hpp"

namespace muster::sim {

using Tick = Id<struct TickTag, std::uint64_t>;

constexpr std::uint64_t kTicksPerMs = 1'000;
constexpr std::uint64_t kAgentTickMs = 10;  ///< How often an agent looks at the clock.

}  // namespace muster::sim
