// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the core needs to know of a Config.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/mailbox.hpp"
#include "core/placement.hpp"
#include "muster/config.hpp"

namespace muster::agent {

[[nodiscard]] inline core::PlacementSettings placement_settings(const Config& config) {
    return {.engines = config.engines,
            .engine_ranks = config.engine_ranks,
            .group_size = config.group_size,
            .layout = config.layout,
            .order = config.slot_order};
}

/// The controller's orders are carried out here. MUSTER_STEWARD=off: whoever wants seats asks for them by the agent's
/// own entry (tests of rounds with seats).
[[nodiscard]] inline bool has_steward(const Config& config) {
    const char* steward = std::getenv("MUSTER_STEWARD");
    return config.controller && (steward == nullptr || std::string_view(steward) != "off");
}

/// Of the steady clock, for the core.
[[nodiscard]] inline std::uint64_t milliseconds(Clock::time_point time) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

/// Waits of the engine's that are looked into when they are late: who is not there?
inline constexpr char kVoteWait[] = "its lockstep group's vote";
inline constexpr char kBatchWait[] = "its engine's batch";
inline constexpr char kBarrierWait[] = "the world barrier";

}  // namespace muster::agent
