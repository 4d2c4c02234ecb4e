// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Worlds out of a seed: their shape, their settings and their faults differ, so that few seeds try much.

#include <algorithm>

#include "sim/dice.hpp"
#include "sim/wave_worlds.hpp"
#include "sim/world.hpp"

namespace muster::sim::testing {

inline WorldOptions quiet_world(std::uint64_t seed) {
    Dice dice(seed ^ 0x5eedULL);
    WorldOptions options{.seed = seed};
    options.engine_ranks = dice.below(3) == 0 ? 2 : 1;
    options.group_size = dice.below(3);  // 0: one group.
    options.engines = std::max<std::uint32_t>(1, options.group_size) * dice.between(1, 4);
    options.standbys = dice.below(4);
    options.clients = dice.below(3);
    options.fan_out = dice.between(1, 4);
    options.nodes = dice.below(2) == 0 ? 1 : dice.between(2, 3);
    options.work = dice.below(5) == 0 ? Work::always : Work::requests;
    const auto mode = dice.below(6);
    options.consensus = mode == 0   ? ConsensusMode::off
                        : mode <= 2 ? ConsensusMode::overlapped
                                    : ConsensusMode::blocking;
    options.consensus_every = dice.below(3) == 0 ? dice.between(2, 5) : 1;
    options.stay = dice.below(4) != 0;
    options.acts_per_ms = 0.2 * dice.between(1, 15);
    return options;
}

/// Somebody is always left; whether that is enough to go on is the job's own rule.
inline WorldOptions deadly_world(std::uint64_t seed) {
    auto options = quiet_world(seed);
    Dice dice(seed ^ 0xdeadULL);
    options.standbys = dice.below(6);
    options.faults.kill_per_event = dice.below(3) == 0 ? 0.0001 : 0.001;
    options.faults.kill_per_recovery_event = dice.below(2) == 0 ? 0.003 : 0.02;
    options.faults.kill_coordinator = dice.below(2) == 0 ? 0 : 0.005;
    const auto members = options.engines * options.engine_ranks + options.standbys + options.clients;
    options.faults.deaths_max = std::min(dice.between(1, 8), members - 1);
    options.faults.stale_packet = dice.below(2) == 0 ? 0 : 0.2;
    options.slot_order = dice.below(4) == 0 ? SlotOrder::sorted : SlotOrder::stable;
    options.quorum = dice.below(3) == 0 ? Quorum::majority : Quorum::none;
    return options;
}

/// 20 members of whom some die, some hang and wake too late or in time, and all ask for rounds and use the store.
inline WorldOptions rendezvous_world(std::uint64_t seed) {
    constexpr std::uint32_t kMembers = 20;
    Dice dice(seed ^ 0x4e2dULL);
    WorldOptions options{.seed = seed};
    options.engine_ranks = dice.below(4) == 0 ? 2 : 1;
    options.group_size = dice.below(4) == 0 ? 2 : 0;
    options.clients = dice.below(3);
    const auto unit = options.engine_ranks * std::max<std::uint32_t>(1, options.group_size);
    const auto world = (kMembers - options.clients - dice.between(0, 8)) / unit * unit;
    options.engines = world / options.engine_ranks;
    options.standbys = kMembers - options.clients - world;
    options.nodes = dice.below(3) == 0 ? dice.between(1, 4) : dice.between(10, 20);  // Many are alone on theirs.
    options.fan_out = dice.between(1, 4);
    options.acts_per_ms = 0.1 * dice.between(1, 5);
    options.calls_per_ms = 0.1 * dice.between(1, 5);
    options.wishes_per_ms = 0.001 * dice.between(1, 8);
    options.closing_worlds = 0.1;
    options.slot_order = dice.below(4) == 0 ? SlotOrder::sorted : SlotOrder::stable;
    options.quorum = dice.below(5) == 0 ? Quorum::none : Quorum::majority;
    auto& faults = options.faults;
    faults.kill_per_event = dice.below(3) == 0 ? 0 : 0.0002;
    faults.kill_per_recovery_event = dice.below(2) == 0 ? 0 : 0.002;
    faults.kill_coordinator = dice.below(2) == 0 ? 0 : 0.001;
    faults.deaths_max = dice.between(0, 8);
    faults.hang_per_event = dice.below(4) == 0 ? 0 : 0.001;
    faults.hang_coordinator = dice.below(2) == 0 ? 0 : 0.002;
    faults.hangs_max = dice.between(2, 12);
    faults.stale_packet = dice.below(3) == 0 ? 0 : 0.3;
    return options;
}

/// 20 members with bursts of requests, loads and waves on top of all that a rendezvous world does.
inline WorldOptions waves_world(std::uint64_t seed) {
    auto options = rendezvous_world(seed);
    Dice dice(seed ^ 0x3a5eULL);
    if (options.clients == 0 && dice.below(2) == 0) {
        options.clients = 1;
        options.standbys -= std::min(options.standbys, 1U);
    }
    const auto mode = dice.below(6);
    options.consensus = mode == 0   ? ConsensusMode::off
                        : mode <= 2 ? ConsensusMode::overlapped
                                    : ConsensusMode::blocking;
    options.consensus_every = dice.below(3) == 0 ? dice.between(2, 5) : 1;
    options.work = dice.below(8) == 0 ? Work::always : Work::requests;
    options.acts_per_ms = dice.below(2) == 0 ? 0 : 0.1;
    options.calls_per_ms = 0.02 * dice.below(3);
    options.wishes_per_ms = dice.below(2) == 0 ? 0 : 0.002;
    draw_requests(options);
    return options;
}

/// 20 members whose controller wants replicas to come and go, while all that happens to a rendezvous world happens.
inline WorldOptions seats_world(std::uint64_t seed) {
    Dice dice(seed ^ 0x5ea7ULL);
    auto options = dice.below(2) == 0 ? rendezvous_world(seed) : waves_world(seed);
    options.controller = true;
    options.slot_order = SlotOrder::stable;
    options.group_size = dice.between(1, 3);
    const auto members = options.engines * options.engine_ranks + options.standbys;
    options.engines = options.group_size;
    options.standbys = members - options.engines * options.engine_ranks;
    options.engines_min = dice.below(3) == 0 ? dice.between(2, 5) : 1;
    options.seats_per_ms = 0.04 * dice.between(1, 6);  // Of these only the coordinator's.
    options.wishes_per_ms = dice.below(2) == 0 ? 0 : options.wishes_per_ms;
    return options;
}

}  // namespace muster::sim::testing
