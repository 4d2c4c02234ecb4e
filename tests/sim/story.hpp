// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One run as all tests of seeds do it: faults and signals for a while, then calm, then to RUNNING, then to the end.

#include <string>

#include "sim/world.hpp"

namespace muster::sim::testing {

/// What went wrong; empty where nothing did. A job that has ended by its own rules (too few left, no quorum) is right.
inline std::string live_through(World& world, Tick restless) {
    world.run(restless);
    if (!world.violations().empty()) return world.violations();
    world.heal();
    for (const State state : {State::running, State::stopped}) {
        const bool there = world.reaches(state, Tick{3'000'000});
        if (!world.violations().empty()) return world.violations();
        if (world.ended()) return "";
        if (!there) return std::string("never ") + name_of(state) + " again\n" + world.story();
    }
    return "";
}

}  // namespace muster::sim::testing
