// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What `muster simulate --machine waves` says beyond the other machines: requests, waves, and what they cost.

#include <nlohmann/json.hpp>
#include <vector>

#include "sim/study.hpp"
#include "sim/wave_worlds.hpp"

namespace muster::cli {

/// Adds to the figures of all machines.
void add_waves(nlohmann::json& figures, const sim::Counts& counts, const std::vector<sim::WaveCost>& costs,
               std::uint32_t fan_out);
void print_waves(const sim::Counts& counts, const std::vector<sim::WaveCost>& costs, std::uint32_t fan_out);

}  // namespace muster::cli
