// SPDX-License-Identifier: Apache-2.0
#include "sim/controller_worlds.hpp"

#include <algorithm>
#include <array>

#include "sim/dice.hpp"

namespace muster::sim {
namespace {

/// Half of the worlds lose coordinators one after the other, and some all but one of those who hold the state.
void draw_faults(Faults& faults, Dice& dice, std::uint32_t members) {
    faults = {};
    if (dice.below(8) == 0) return;
    faults.kill_per_event = dice.below(3) == 0 ? 0 : 0.0001;
    faults.kill_per_recovery_event = dice.below(2) == 0 ? 0 : 0.001;
    faults.kill_coordinator = dice.below(2) == 0 ? 0.001 : 0.005;
    faults.kill_holders = dice.below(2) == 0 ? 0 : 0.001;
    faults.kill_preparing = dice.below(3) == 0 ? 0.05 : 0;
    faults.kill_draining = dice.below(3) == 0 ? 0.05 : 0;
    faults.deaths_max = dice.between(1, members / 2);
    faults.hang_per_event = dice.below(3) == 0 ? 0 : 0.0001;
    faults.hang_coordinator = dice.below(2) == 0 ? 0 : 0.0005;
    faults.hangs_max = dice.between(0, 8);
    faults.stale_packet = dice.below(3) == 0 ? 0 : 0.2;
}

}  // namespace

void draw_deployments(WorldOptions& world) {
    Dice dice(world.seed ^ 0xc0117ULL);
    const auto members = world.engines * world.engine_ranks + world.standbys + world.clients;
    world.controller = true;
    world.slot_order = SlotOrder::stable;
    world.engine_ranks = dice.below(5) == 0 ? 2 : 1;
    world.group_size = world.engine_ranks == 2 || dice.below(2) == 0 ? 1 : 2;
    world.engines = world.group_size;
    world.engines_min = dice.below(4) == 0 ? dice.between(1, 2 * world.group_size) : 1;
    world.clients = dice.between(1, 3);
    world.standbys = members - world.clients - world.engines * world.engine_ranks;
    world.nodes = dice.below(3) == 0 ? dice.between(1, 4) : dice.between(members / 2, members);
    world.fan_out = dice.between(1, 4);
    world.quorum = dice.below(3) == 0 ? Quorum::none : Quorum::majority;
    const auto mode = dice.below(6);
    world.consensus = mode == 0 ? ConsensusMode::off : mode <= 2 ? ConsensusMode::overlapped : ConsensusMode::blocking;
    world.stay = true;
    world.orders_per_ms = 0.01 * dice.between(1, 5);
    world.acts_per_ms = dice.below(3) == 0 ? 0.05 : 0;
    world.calls_per_ms = dice.below(3) == 0 ? 0.01 : 0;
    world.wishes_per_ms = dice.below(3) == 0 ? 0.001 : 0;
    world.closing_worlds = 0;
    world.loads = dice.below(2) == 0;
    constexpr std::array kRoutings{Routing::round_robin, Routing::least_loaded, Routing::power_of_two,
                                   Routing::prefix_affinity};
    world.routing = kRoutings[dice.below(kRoutings.size())];
    world.queue_max_per_engine = dice.below(4) == 0 ? dice.between(2, 20) : 0;
    world.bursts_per_ms = 0.05 * dice.between(1, 10);
    world.burst_max = dice.between(1, 8);
    world.aborts = dice.below(3) == 0 ? 0.1 : 0;
    world.prepares_refused = dice.below(2) == 0 ? 0 : 0.1;
    world.prepares_slow = dice.below(3) == 0 ? 0.03 : 0;
    world.unwell = dice.below(4) == 0 ? 0.3 : 0;
    draw_faults(world.faults, dice, members);
}

}  // namespace muster::sim
