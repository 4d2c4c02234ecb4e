// SPDX-License-Identifier: Apache-2.0
// Calls about endpoints, and the end. Order of the checks as in the source: backends, weights, then the endpoint.
#include <charconv>
#include <cmath>

#include "core/controller_decide.hpp"

namespace muster::core::controller {

namespace {

constexpr double kWeightTolerance = 1e-8;

std::optional<std::string> complaint_about(const State& state, const TrafficDict& traffic) {
    for (const auto& [backend, weight] : traffic)
        if (!state.backends.contains(backend))
            return "Attempted to assign traffic to a backend '" + backend + "' that is not registered.";
    double sum = 0;
    for (const auto& [backend, weight] : traffic) {
        if (weight < 0)
            return "Attempted to assign a weight of " + shown(weight) + " to backend '" + backend +
                   "'. Weights cannot be negative.";
        sum += weight;
    }
    if (!(std::abs(sum - 1) <= kWeightTolerance))
        return "Traffic dictionary weights must sum to 1, currently they sum to " + shown(sum);
    return std::nullopt;
}

Weights weights_of(const TrafficDict& traffic) { return {traffic.begin(), traffic.end()}; }

/// The source keys headless endpoints by their name, beside the routes of the others.
const std::string& place_of(const std::string& name, const Endpoint& endpoint) {
    return endpoint.route ? *endpoint.route : name;
}

Decision set(const std::string& name, Endpoint endpoint, bool is_new) {
    Decision decision;
    decision.event = event::EndpointSet{name, std::move(endpoint)};
    if (is_new) decision.effects.emplace_back(Push{Topic::route_table, {name}});
    decision.effects.emplace_back(Push{Topic::traffic_policies, {name}});
    return decision;
}

}  // namespace

Decision decide_one(const State& state, const CreateEndpoint& call, const Surroundings&) {
    if (call.name.empty()) return refused("An endpoint needs a name.");
    if (auto complaint = complaint_about(state, call.traffic)) return refused(std::move(*complaint));
    Endpoint wanted{call.route, call.methods, weights_of(call.traffic), {}};
    const auto& place = place_of(call.name, wanted);
    for (const auto& [name, endpoint] : state.endpoints) {
        if (place_of(name, endpoint) != place) continue;
        if (name == call.name && endpoint.methods == call.methods) return {};  // Idempotent.
        return refused("Cannot create endpoint. Route '" + place + "' is already registered.");
    }
    if (state.endpoints.contains(call.name))
        return refused("Cannot create endpoint. Endpoint '" + call.name + "' is already registered.");
    return set(call.name, std::move(wanted), true);
}

Decision decide_one(const State& state, const DeleteEndpoint& call, const Surroundings&) {
    if (!state.endpoints.contains(call.name)) return {};
    Decision decision;
    decision.event = event::EndpointDeleted{call.name};
    decision.effects.emplace_back(Push{Topic::route_table, {call.name}});
    decision.effects.emplace_back(Push{Topic::traffic_policies, {call.name}});
    return decision;
}

/// A new policy, so shadows of the old one end with it, as in the source.
Decision decide_one(const State& state, const SetTraffic& call, const Surroundings&) {
    if (auto complaint = complaint_about(state, call.traffic)) return refused(std::move(*complaint));
    const auto found = state.endpoints.find(call.endpoint);
    if (found == state.endpoints.end())
        return refused("Attempted to assign traffic for an endpoint '" + call.endpoint + "' that is not registered.");
    auto endpoint = found->second;
    endpoint.traffic = weights_of(call.traffic);
    endpoint.shadows.clear();
    return set(call.endpoint, std::move(endpoint), false);
}

Decision decide_one(const State& state, const ShadowTraffic& call, const Surroundings&) {
    if (!state.backends.contains(call.backend))
        return refused("Attempted to shadow traffic to a backend '" + call.backend + "' that is not registered.");
    const auto found = state.endpoints.find(call.endpoint);
    if (found == state.endpoints.end())
        return refused("Attempted to shadow traffic from an endpoint '" + call.endpoint + "' that is not registered.");
    if (!(call.proportion >= 0 && call.proportion <= 1))
        return refused("A shadow's proportion must be from 0 to 1, not " + shown(call.proportion) + ".");
    auto endpoint = found->second;
    if (call.proportion == 0)
        endpoint.shadows.erase(call.backend);
    else
        endpoint.shadows[call.backend] = call.proportion;
    return set(call.endpoint, std::move(endpoint), false);
}

Decision decide_one(const State&, const Shutdown&, const Surroundings&) {
    Decision decision;
    decision.event = event::ShuttingDown{};
    return decision;
}

Decision decide(const State& state, const Command& command, const Surroundings& around) {
    if (state.shutting_down && !std::holds_alternative<Shutdown>(command))
        return refused("The controller is shutting down.");
    return std::visit([&](const auto& call) { return decide_one(state, call, around); }, command);
}

std::string shown(double value) {
    char text[32];
    const auto end = std::to_chars(std::begin(text), std::end(text), value).ptr;
    std::string number(static_cast<const char*>(text), static_cast<const char*>(end));
    const bool is_whole = number.find_first_not_of("-0123456789") == std::string::npos;
    return is_whole ? number + ".0" : number;
}

}  // namespace muster::core::controller
