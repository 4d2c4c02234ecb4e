// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How much engines have to do: what an engine says of itself, and what the job's coordinator publishes.
/// Intuition: engines need say nothing, their open requests are counted. Whoever knows better (several sequences in a
/// request, a cache that fills) says so with Session::load(); Client::loads() gives what the coordinator knows.
/// Units: requests. Thread safety: plain values. Source: vLLM's DP coordinator; DESIGN.md, "Loads".

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "muster/types.hpp"

namespace muster {

struct Load {
    std::uint64_t waiting = 0;  ///< Not begun.
    std::uint64_t running = 0;
    std::uint64_t capacity = 0;              ///< Requests that the engine can have; 0: not said.
    std::map<std::string, double> gauges{};  ///< Whatever else is to be known, such as the share of a cache in use.
};

struct EngineLoad {
    Slot slot;  ///< Of the rank that receives the engine's requests.
    Rank rank;
    Load load;
};

/// One lockstep group. A wave begins when the resting group gets work and ends when none of it has any.
struct GroupLoads {
    std::uint32_t group = 0;
    std::uint64_t wave = 0;  ///< The present one, or where the group rests the next. Never goes back.
    bool running = false;
    std::vector<EngineLoad> engines;
};

struct JobLoads {
    Round round;
    std::vector<GroupLoads> groups;
};

}  // namespace muster
