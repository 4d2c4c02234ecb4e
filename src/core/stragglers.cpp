// SPDX-License-Identifier: Apache-2.0
#include "core/stragglers.hpp"

#include <algorithm>

namespace muster::core {
namespace {

constexpr double kSlow = 1.5;
constexpr double kLeastMs = 1;

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const auto middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace

std::vector<Straggler> stragglers(const GroupWord& group) {
    std::vector<Straggler> all;
    for (const auto& engine : group.engines)
        if (const auto turn = engine.load.gauges.find(kTurnGauge); turn != engine.load.gauges.end())
            all.push_back({engine.slot, engine.rank, turn->second});
    std::vector<Straggler> slow;
    for (auto one : all) {
        std::vector<double> others;
        for (const auto& other : all)
            if (other.rank != one.rank) others.push_back(other.turn_ms);
        if (others.empty()) continue;
        one.median_ms = median(std::move(others));
        if (one.turn_ms > kSlow * one.median_ms && one.turn_ms > one.median_ms + kLeastMs) slow.push_back(one);
    }
    std::sort(slow.begin(), slow.end(), [](const auto& a, const auto& b) { return a.slot < b.slot; });
    return slow;
}

}  // namespace muster::core
