// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What steward_model_test's stories are about.

#include <deque>
#include <functional>

#include "core/replica_seat.hpp"
#include "core/steward.hpp"

namespace muster::core::testing {

constexpr std::uint32_t kMembers = 13, kUnit = 2, kGroupsMin = 1;
constexpr std::uint64_t kLimit = 400, kGrace = 200;

struct StoryMember {
    Steward steward{{.unit = kUnit, .start_limit_ms = kLimit, .gather_ms = 20}};
    ReplicaSeat seat;
    bool alive = true;
    std::deque<std::function<ReplicaSeatEffects()>> engine;  ///< What its engine thread has to do.
};

/// What the controller wants of a replica, and what it has heard. It outlives coordinators.
struct Wanted {
    enum { starting, running, stopping, over } phase = starting;
    bool told = false;  ///< This coordinator.
    std::uint64_t since = 0;
};

}  // namespace muster::core::testing
