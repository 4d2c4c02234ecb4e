// SPDX-License-Identifier: Apache-2.0
#include "core/traffic.hpp"

#include "core/dice.hpp"

namespace muster::core {
namespace {

/// Weights sum to 1 but for a rounding: what is left over is the last one's that has any.
std::string drawn(const std::map<std::string, double>& weights, Dice& dice) {
    double left = static_cast<double>(dice.next() >> 11) * 0x1.0p-53;
    std::string last;
    for (const auto& [backend, weight] : weights) {
        if (weight <= 0) continue;
        last = backend;
        if (left < weight) break;
        left -= weight;
    }
    return last;
}

}  // namespace

std::optional<Traffic::Choice> Traffic::choose(const std::string& endpoint, Rank client, RequestId id) const {
    const auto found = endpoints_.find(endpoint);
    if (found == endpoints_.end()) return std::nullopt;
    Dice dice(Dice(client.value).next() ^ id.value);
    Choice choice{drawn(found->second.weights, dice)};
    for (const auto& [backend, proportion] : found->second.shadows)
        if (dice.chance(proportion)) choice.shadows.push_back(backend);
    return choice;
}

}  // namespace muster::core
