// SPDX-License-Identifier: Apache-2.0
#include "cli/simulate_waves.hpp"

#include <cstdio>

namespace muster::cli {
namespace {

unsigned long long number(std::uint64_t value) { return value; }

}  // namespace

void add_waves(nlohmann::json& figures, const sim::Counts& counts, const std::vector<sim::WaveCost>& costs,
               std::uint32_t fan_out) {
    figures["waves"] = counts.waves;
    figures["wakes"] = counts.wakes;
    figures["taken_back"] = counts.taken_back;
    figures["aborted"] = counts.aborted;
    figures["busy"] = counts.busy;
    figures["told_of_loads"] = counts.told;
    figures["loads_bound"] = sim::loads_bound(fan_out);
    figures["traffic_bound"] = sim::traffic_bound(fan_out);
    auto& list = figures["costs"] = nlohmann::json::array();
    for (const auto& cost : costs)
        list.push_back({{"members", cost.members},
                        {"levels", cost.levels},
                        {"wake_us_mean", cost.wake_mean.value},
                        {"wake_us_max", cost.wake_max.value},
                        {"intervals", cost.intervals},
                        {"loads_most", cost.loads_most},
                        {"loads_mean", cost.loads_mean},
                        {"traffic_most", cost.traffic_most}});
}

void print_waves(const sim::Counts& counts, const std::vector<sim::WaveCost>& costs, std::uint32_t fan_out) {
    std::printf("  waves       %llu, wakes %llu; taken back %llu, aborted %llu, busy %llu; told of loads %llu times\n",
                number(counts.waves), number(counts.wakes), number(counts.taken_back), number(counts.aborted),
                number(counts.busy), number(counts.told));
    std::printf(
        "  to one member in one load interval: at most %llu packets of loads (the fan-out), %llu with the "
        "acknowledgement of its own\n",
        number(sim::loads_bound(fan_out)), number(sim::traffic_bound(fan_out)));
    std::printf("  %9s %7s %13s %13s %11s %11s %9s\n", "members", "levels", "wake us mean", "wake us most",
                "loads mean", "loads most", "all most");
    for (const auto& cost : costs)
        std::printf("  %9u %7u %13llu %13llu %11.3f %11llu %9llu\n", cost.members, cost.levels,
                    number(cost.wake_mean.value), number(cost.wake_max.value), cost.loads_mean, number(cost.loads_most),
                    number(cost.traffic_most));
}

}  // namespace muster::cli
