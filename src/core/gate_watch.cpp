// SPDX-License-Identifier: Apache-2.0
#include "core/gate_watch.hpp"

namespace muster::core::controller {

void GateWatch::act(Effects& out) {
    const auto nodes = wanted();
    for (const auto& node : nodes)
        if (gates_.try_emplace(node, Gate::starting).second) out.emplace_back(StartGate{node});
    for (auto& [node, gate] : gates_) {
        if (nodes.contains(node) || gate == Gate::stopping) continue;
        gate = Gate::stopping;
        out.emplace_back(StopGate{node});
    }
}

void GateWatch::kill(Effects& out) const {
    std::set<std::string> nodes(nodes_.begin(), nodes_.end());  // Of an earlier incarnation's too.
    for (const auto& [node, gate] : gates_) nodes.insert(node);
    if (config_.location == GateLocation::no_server) nodes.clear();
    for (const auto& node : nodes) out.emplace_back(KillGate{node});
}

std::map<std::string, std::string> GateWatch::handles() const {
    std::map<std::string, std::string> names;
    for (const auto& [node, gate] : gates_)
        if (gate == Gate::up) names[node] = "gate:" + node;
    return names;
}

std::set<std::string> GateWatch::wanted() const {
    if (nodes_.empty() || config_.location == GateLocation::no_server) return {};
    if (config_.location == GateLocation::head_only) return {nodes_.front()};
    return {nodes_.begin(), nodes_.end()};
}

}  // namespace muster::core::controller
