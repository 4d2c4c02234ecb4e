// SPDX-License-Identifier: Apache-2.0
// The fold: what each event makes of the state.
#include <algorithm>
#include <utility>

#include "core/controller_event.hpp"

namespace muster::core::controller {

namespace {

void begin_goal(State& state, const std::string& tag, GoalId goal) {
    // R9: a new goal ends the one that it replaces.
    const auto [place, is_first] = state.pending.try_emplace(tag, goal);
    if (!is_first) state.goals[std::exchange(place->second, goal)].outcome = GoalOutcome::replaced;
    state.goals[goal] = {tag, GoalOutcome::pending};
    state.last_goal = std::max(state.last_goal, goal);
}

void start(State& state, const std::string& tag, const std::vector<ReplicaId>& ids, std::uint64_t version) {
    for (const auto id : ids) {
        state.replicas[tag][id] = {ReplicaPhase::to_start, version, 0};
        state.last_replica = std::max(state.last_replica, id);
    }
}

/// One that does not serve yet need not wait for those who route to forget it.
void stop(Replica& replica, std::uint64_t grace_ms) {
    if (!stays(replica)) return;
    replica.phase = replica.phase == ReplicaPhase::running ? ReplicaPhase::to_stop : ReplicaPhase::stopping;
    replica.grace_ms = grace_ms;
}

void stop(State& state, const std::string& tag, const std::vector<ReplicaId>& ids, std::uint64_t grace_ms) {
    for (const auto id : ids)
        if (const auto& known = replicas_of(state, tag); known.contains(id)) stop(state.replicas[tag][id], grace_ms);
}

void fold(State& state, const event::BackendSet& event) {
    state.backends[event.tag] = event.backend;
    begin_goal(state, event.tag, event.goal);
    stop(state, event.tag, event.stop, grace_ms_of(event.backend.config));
    start(state, event.tag, event.start, event.backend.version);
}

void fold(State& state, const event::BackendDeleted& event) {
    state.backends.erase(event.tag);
    begin_goal(state, event.tag, event.goal);
    const auto found = state.replicas.find(event.tag);
    if (found == state.replicas.end()) return;
    for (auto& [id, replica] : found->second) {
        stop(replica, event.grace_ms);
        replica.grace_ms = std::min(replica.grace_ms, event.grace_ms);  // A forced one does not wait for a gentle one.
    }
}

void fold(State& state, const event::EndpointSet& event) { state.endpoints[event.name] = event.endpoint; }
void fold(State& state, const event::EndpointDeleted& event) { state.endpoints.erase(event.name); }

void fold(State& state, const event::ReplicasMoved& event) {
    const auto backend = state.backends.find(event.tag);
    if (backend != state.backends.end() && event.wanted) backend->second.wanted = *event.wanted;
    const auto change = [&state, &event](const std::vector<ReplicaId>& ids, ReplicaPhase phase) {
        for (const auto id : ids)
            if (replicas_of(state, event.tag).contains(id)) state.replicas[event.tag][id].phase = phase;
    };
    change(event.running, ReplicaPhase::running);
    stop(state, event.tag, event.stop, event.grace_ms);
    change(event.stopping, ReplicaPhase::stopping);
    if (const auto found = state.replicas.find(event.tag); found != state.replicas.end()) {
        for (const auto id : event.gone) found->second.erase(id);
        if (found->second.empty()) state.replicas.erase(found);
    }
    if (backend != state.backends.end()) start(state, event.tag, event.start, backend->second.version);
}

void fold(State& state, const event::GoalsEnded& event) {
    for (const auto id : event.goals) {
        const auto found = state.goals.find(id);
        if (found == state.goals.end() || found->second.outcome != GoalOutcome::pending) continue;
        found->second.outcome = event.outcome;
        state.pending.erase(found->second.backend);
    }
}

void fold(State& state, const event::GoalsForgotten& event) {
    for (const auto id : event.goals)
        if (const auto found = state.goals.find(id); found != state.goals.end()) {
            if (found->second.outcome != GoalOutcome::pending) state.goals.erase(found);
        }
}

void fold(State& state, const event::ShuttingDown&) { state.shutting_down = true; }
void fold(State& state, const event::Cleared&) { state = State{}; }

}  // namespace

void apply(State& state, const Event& event) {
    std::visit([&state](const auto& one) { fold(state, one); }, event);
}

}  // namespace muster::core::controller
