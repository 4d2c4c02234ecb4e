// SPDX-License-Identifier: Apache-2.0
// Calls about backends. Order of the checks as in the source, of its two versions the first where they differ (R11).
#include <algorithm>

#include "core/controller_command.hpp"
#include "core/controller_decide.hpp"

namespace muster::core::controller {

namespace {

std::string no_room(const std::string& tag, std::int64_t wanted, std::size_t missing, std::uint32_t room) {
    return "Cannot scale backend " + tag + " to " + std::to_string(wanted) + " replicas: " + std::to_string(missing) +
           " would have to be started and there is room for " + std::to_string(room) +
           ". Ask for fewer replicas or add standbys.";
}

/// The scaling step, which may raise, and the entry with its new goal.
Decision set(const State& state, const std::string& tag, Backend backend, const Surroundings& around) {
    Decision decision;
    decision.scaled = true;
    backend.wanted = wanted_by(backend.config);
    auto scaling = scaling_of(state, tag, backend.wanted);
    if (around.scaling_fails) decision.error = *around.scaling_fails;
    if (!decision.error && around.room && scaling.start.size() > *around.room)
        decision.error = no_room(tag, backend.wanted, scaling.start.size(), *around.room);
    if (decision.error) return decision;
    decision.goal = GoalId{state.last_goal.value + 1};
    decision.event =
        event::BackendSet{tag, std::move(backend), *decision.goal, std::move(scaling.start), std::move(scaling.stop)};
    decision.effects.emplace_back(Push{Topic::backend_configs, {tag}});
    return decision;
}

std::optional<std::string> user_of(const State& state, const std::string& tag) {
    for (const auto& [name, endpoint] : state.endpoints)
        if (endpoint.traffic.contains(tag) || endpoint.shadows.contains(tag)) return name;
    return std::nullopt;
}

}  // namespace

Decision decide_one(const State& state, const CreateBackend& call, const Surroundings& around) {
    if (call.tag.empty()) return refused("A backend needs a name.");
    if (auto complaint = complaint_about(call.config)) return refused(std::move(*complaint));
    const auto found = state.backends.find(call.tag);
    if (found == state.backends.end()) return set(state, call.tag, {call.config, call.replica_config, 1, 1}, around);
    const auto& known = found->second;
    const bool same_program = known.replica_config == call.replica_config;
    if (known.config == call.config && same_program) return {};
    const auto version = known.version + (same_program ? 0 : 1);
    return set(state, call.tag, {call.config, call.replica_config, version, 1}, around);
}

Decision decide_one(const State& state, const UpdateBackendConfig& call, const Surroundings& around) {
    const auto found = state.backends.find(call.tag);
    if (found == state.backends.end()) return refused(not_registered(call.tag));
    auto backend = found->second;
    backend.config = merged(backend.config, call.options);
    if (auto complaint = complaint_about(backend.config)) return refused(std::move(*complaint));
    return set(state, call.tag, std::move(backend), around);
}

Decision decide_one(const State& state, const DeleteBackend& call, const Surroundings& around) {
    const auto found = state.backends.find(call.tag);
    if (found == state.backends.end()) return {};
    if (const auto user = user_of(state, call.tag))
        return refused("Backend '" + call.tag + "' is used by endpoint '" + *user +
                       "' and cannot be deleted. Please remove the backend from all endpoints and try again.");
    Decision decision;
    decision.scaled = true;
    decision.error = around.scaling_fails;
    if (decision.error) return decision;
    decision.goal = GoalId{state.last_goal.value + 1};
    const auto grace_ms = call.force_kill ? 0 : grace_ms_of(found->second.config);
    decision.event = event::BackendDeleted{call.tag, *decision.goal, grace_ms};
    decision.effects.emplace_back(Retire{Topic::backend_configs, call.tag});
    // Where some serve, a turn takes them away and says so.
    if (handles_of(state, call.tag).empty()) decision.effects.emplace_back(Retire{Topic::replica_handles, call.tag});
    return decision;
}

Scaling scaling_of(const State& state, const std::string& tag, std::uint32_t wanted) {
    std::vector<ReplicaId> running, starting;
    for (const auto& [id, replica] : replicas_of(state, tag)) {
        if (replica.phase == ReplicaPhase::running) running.push_back(id);
        if (replica.phase == ReplicaPhase::to_start) starting.push_back(id);
    }
    Scaling scaling;
    auto live = running.size() + starting.size();
    for (auto id = state.last_replica.value; live + scaling.start.size() < wanted;)
        scaling.start.push_back(ReplicaId{++id});
    for (; live > wanted; --live) {
        auto& from = starting.empty() ? running : starting;
        scaling.stop.push_back(from.back());
        from.pop_back();
    }
    return scaling;
}

}  // namespace muster::core::controller
