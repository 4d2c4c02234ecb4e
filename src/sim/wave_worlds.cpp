// SPDX-License-Identifier: Apache-2.0
#include "sim/wave_worlds.hpp"

#include <algorithm>
#include <array>

#include "sim/dice.hpp"

namespace muster::sim {
namespace {

constexpr std::uint32_t kSmallest = 10;  ///< Members; less has no tree to speak of.
constexpr std::uint32_t kWakes = 5, kIntervals = 10, kIntervalMs = 100;
constexpr Tick kRestful{30'000}, kLong{5'000'000};

WorldOptions engines_only(std::uint32_t members, std::uint32_t fan_out, std::uint64_t seed) {
    return {.seed = seed, .engines = members, .fan_out = fan_out, .recovery = false};
}

void wakes(WaveCost& cost, const WorldOptions& options) {
    World world(options);
    if (!world.settles(State::running, kLong)) cost.violations += "the group never rests\n";
    world.run(kRestful);
    std::uint64_t sum = 0;
    for (std::uint32_t wake = 0; wake < kWakes; ++wake) {
        const auto before = world.counts();
        const auto begun = world.now();
        world.submit(1);
        world.run(kRestful);
        const auto after = world.counts();
        if (after.wakes != before.wakes + cost.members)
            cost.violations += std::to_string(after.wakes - before.wakes) + " of " + std::to_string(cost.members) +
                               " members were woken by a request\n";
        const auto ticks = after.last_wake.value - begun.value;
        cost.wake_max.value = std::max(cost.wake_max.value, ticks);
        sum += ticks;
    }
    cost.wake_mean.value = sum / kWakes;
    cost.violations += world.violations();
}

void loads(WaveCost& cost, WorldOptions options) {
    options.loads = options.restless_loads = true;
    options.load_interval_ms = kIntervalMs;
    World world(options);
    const std::uint64_t interval = kIntervalMs * kTicksPerMs;
    world.run(Tick{(cost.levels + 1) * interval});  // Until the top hears of the last.
    const auto before = world.counts();
    world.run(Tick{kIntervals * interval});
    const auto after = world.counts();
    cost.intervals = kIntervals;
    cost.loads_most = after.loads_most;
    cost.traffic_most = after.traffic_most;
    cost.loads_mean = static_cast<double>(after.load_packets - before.load_packets) / cost.members / kIntervals;
    cost.violations += world.violations();
    if (cost.loads_most > loads_bound(options.fan_out) || cost.traffic_most > traffic_bound(options.fan_out))
        cost.violations += "a member is sent " + std::to_string(cost.loads_most) + " packets of loads, " +
                           std::to_string(cost.traffic_most) + " in all, in one interval\n";
}

}  // namespace

void draw_requests(WorldOptions& world) {
    Dice dice(world.seed ^ 0x3a7eULL);
    constexpr std::array kRoutings{Routing::round_robin, Routing::least_loaded, Routing::power_of_two,
                                   Routing::prefix_affinity};
    world.loads = true;
    world.routing = kRoutings[dice.below(kRoutings.size())];
    world.load_interval_ms = dice.below(4) == 0 ? 1 : kAgentTickMs * dice.between(1, 3);
    world.queue_max_per_engine = dice.below(3) == 0 ? dice.between(1, 20) : 0;
    world.queue_max = dice.below(4) == 0 ? dice.between(5, 100) : 0;
    world.bursts_per_ms = 0.05 * dice.between(1, 10);
    world.burst_max = dice.between(1, 60);
    world.pins = dice.below(2) == 0 ? 0 : 0.3;
    world.aborts = dice.below(2) == 0 ? 0 : 0.3;
}

std::vector<WaveCost> wave_costs(std::uint32_t members, std::uint32_t fan_out, std::uint64_t seed) {
    std::vector<std::uint32_t> sizes{members};
    while (sizes.back() / 10 >= kSmallest) sizes.push_back(sizes.back() / 10);
    std::vector<WaveCost> costs;
    for (auto size = sizes.rbegin(); size != sizes.rend(); ++size) {
        WaveCost cost;
        cost.members = *size;
        for (auto last = *size - 1; last > 0; last = (last - 1) / fan_out) ++cost.levels;
        const auto options = engines_only(*size, fan_out, seed);
        wakes(cost, options);
        loads(cost, options);
        costs.push_back(std::move(cost));
    }
    return costs;
}

}  // namespace muster::sim
