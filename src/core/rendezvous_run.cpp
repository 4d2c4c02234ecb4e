// SPDX-License-Identifier: Apache-2.0
#include "core/rendezvous_run.hpp"

#include "core/assert.hpp"

namespace muster::core::rendezvous {

namespace {

Event event_of(const Actor& actor, const char* name, std::string message) {
    return {name, actor.settings.run_id, actor.node, std::move(message)};
}

std::string in_quotes(const Node& node) { return "'" + text_of(node) + "'"; }

/// "As part of the sync operation ...": the holder's word, of nobody in particular.
Event removal(const Actor& actor, const std::vector<Node>& removed) {
    std::string list;
    for (const auto& node : removed) list += (list.empty() ? "" : ", ") + in_quotes(node);
    return {"state_holder.sync", actor.settings.run_id, std::nullopt,
            "As part of the sync operation the node(s) " + list + " have been removed from the rendezvous '" +
                actor.settings.run_id + "' since they had no heartbeat."};
}

void tell_of_sync(const Actor& actor, const Synced& synced, Events& events) {
    if (!synced.removed.empty()) events.push_back(removal(actor, synced.removed));
    if (!synced.written) return;
    const char* how =
        *synced.written
            ? " has successfully synced its local changes with other nodes in the rendezvous '"
            : " has a stale state and failed to sync its local changes with other nodes in the rendezvous '";
    events.push_back(
        event_of(actor, "executor.run", "The node " + in_quotes(actor.node) + how + actor.settings.run_id + "'."));
}

std::optional<Failure> failure_of(Action action) {
    if (action == Action::error_closed) return Failure{Failure::closed, ""};
    if (action == Action::error_timeout) return Failure{Failure::timed_out, ""};
    return std::nullopt;
}

}  // namespace

Step iterate(StateHolder& holder, const Actor& actor, const Task& task) {
    Step step;
    const auto synced = holder.sync(actor.now);
    if (const auto* failure = std::get_if<Failure>(&synced)) {
        step.failure = *failure;
        return step;
    }
    step.synced = std::get<Synced>(synced).written;
    tell_of_sync(actor, std::get<Synced>(synced), step.events);
    const auto decision = decide(task.operation, {actor.node, holder.state(), actor.settings, actor.now, task.deadline,
                                                  task.agreed, task.leaving});
    if (const auto* failure = std::get_if<Failure>(&decision)) {
        step.failure = *failure;
        return step;
    }
    const Action action = std::get<Action>(decision);
    step.action = action;
    step.failure = failure_of(action);
    if (step.is_over()) return step;
    if (action == Action::sync) {
        step.sleep = actor.settings.poll_sleep;
        return step;
    }
    apply(action, actor, holder.change(), &step.events);
    // It may get into a round from here, so it has the whole time again.
    if (action == Action::remove_from_redundancy_list) step.new_deadline = actor.now + actor.settings.timeouts.join;
    return step;
}

Step Run::step(StateHolder& holder, const Actor& actor) {
    auto step = iterate(holder, actor, task_);
    if (step.new_deadline) task_.deadline = step.new_deadline;
    return step;
}

}  // namespace muster::core::rendezvous
