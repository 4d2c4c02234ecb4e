// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Worlds of requests, loads and waves out of a seed, and what loads and wakes cost as a job grows.
/// Thread safety: none; the same seed gives the same figures.

#include <string>
#include <vector>

#include "sim/world.hpp"

namespace muster::sim {

/// Bursts, routing, bounds, pins and aborts by the world's seed.
void draw_requests(WorldOptions& world);

/// Of a job of `members` ranks that are engines.
struct WaveCost {
    std::uint32_t members = 0, levels = 0;  ///< Of the tree, below its top.
    // One lockstep group of all of them rests, and one of them gets a request.
    Tick wake_mean, wake_max;  ///< From the request's submission until the last has left its rest.
    // Every engine's load changes all the time.
    std::uint64_t intervals = 0;     ///< Looked at.
    std::uint64_t loads_most = 0;    ///< Packets of loads to one member in one load interval.
    std::uint64_t traffic_most = 0;  ///< The same, acknowledgements included.
    double loads_mean = 0;           ///< Packets of loads a member and interval.
    std::string violations;
};

/// For `members`, and for a tenth, a hundredth ... of them, the smallest job first.
[[nodiscard]] std::vector<WaveCost> wave_costs(std::uint32_t members, std::uint32_t fan_out, std::uint64_t seed);

/// To one member in one load interval: a packet of loads of each child, and of its parent the acknowledgement of its
/// own.
[[nodiscard]] constexpr std::uint64_t loads_bound(std::uint32_t fan_out) { return fan_out; }
[[nodiscard]] constexpr std::uint64_t traffic_bound(std::uint32_t fan_out) { return fan_out + 1; }

}  // namespace muster::sim
