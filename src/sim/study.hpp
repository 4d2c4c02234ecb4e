// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Many worlds, one seed each, that all live through the same: what `muster simulate` does.
/// Intuition: a cycle is RUNNING -> PAUSED -> SUSPENDED -> PAUSED -> RUNNING with requests on the way, while members
/// die; in the end nobody dies any more, the job must come to RUNNING, answer everything, and stop.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/world.hpp"

namespace muster::sim {

struct Study {
    WorldOptions world;  ///< world.seed is the first.
    std::uint64_t seeds = 1;
    std::uint32_t cycles = 1;
    std::function<void(WorldOptions&)> draw{};  ///< What differs from world to world beside the seed.
};

struct Violation {
    std::uint64_t seed = 0;
    std::string text;  ///< A line for each rule that was broken.
};

struct Findings {
    std::uint64_t seeds = 0;        ///< Worlds that were run.
    std::uint64_t ended_early = 0;  ///< Jobs that ended by their own rules: too few left, or no quorum.
    Counts counts;                  ///< Sums over all worlds; packets_most and last_crossing: the highest.
    std::vector<Violation> violations;
};

/// At most this many are looked for: a rule that is broken everywhere need not be shown a thousand times.
constexpr std::size_t kViolationsMax = 20;

/// `progress` is called after each world and within large ones.
[[nodiscard]] Findings run(const Study& study, const std::function<void(const Findings&)>& progress);

}  // namespace muster::sim
