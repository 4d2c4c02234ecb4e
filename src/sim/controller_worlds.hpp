// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Worlds of a controller out of a seed. Thread safety: none; the same seed gives the same world.

#include "sim/world.hpp"

namespace muster::sim {

/// Calls, requests, and what goes wrong with coordinators, those who hold copies, and replicas, by the world's seed.
/// The members stay as many as they are; a first group is in the world, all others are room for replicas.
void draw_deployments(WorldOptions& world);

}  // namespace muster::sim
