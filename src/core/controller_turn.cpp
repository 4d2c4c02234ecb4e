// SPDX-License-Identifier: Apache-2.0
// One turn of the control loop. Its parts work on a draft, one after the other; no part can stop those behind it.
#include <algorithm>
#include <set>
#include <utility>

#include "core/assert.hpp"
#include "core/controller.hpp"

namespace muster::core::controller {

namespace {

using Moves = std::map<std::string, event::ReplicasMoved>;

event::ReplicasMoved& moves_of(Moves& moves, const std::string& tag) {
    auto& one = moves[tag];
    one.tag = tag;
    return one;
}

const Replica* find(const State& state, const ReplicaName& name) {
    const auto& replicas = replicas_of(state, name.backend);
    const auto found = replicas.find(name.id);
    return found == replicas.end() ? nullptr : &found->second;
}

void add_all(Draft& draft, Moves moves) {
    for (auto& [tag, one] : moves) draft.add(std::move(one));
}

/// Before anything is stopped it is written down who will no longer be named: a successor knows it from the start.
void begin_stops(Draft& draft) {
    Moves moves;
    for (const auto& [tag, replicas] : draft.state().replicas)
        for (const auto& [id, replica] : replicas)
            if (replica.phase == ReplicaPhase::to_stop) moves_of(moves, tag).stopping.push_back(id);
    add_all(draft, std::move(moves));
}

/// R18: handles are pushed when the set has changed, and only then.
void push_handles(const State& before, const State& after, const std::vector<Event>& events, Effects& out) {
    std::set<std::string> touched;
    for (const auto& event : events)
        if (const auto* moved = std::get_if<event::ReplicasMoved>(&event)) touched.insert(moved->tag);
    std::vector<std::string> changed;
    for (const auto& tag : touched)
        if (handles_of(before, tag) != handles_of(after, tag)) changed.push_back(tag);
    if (!changed.empty()) out.emplace_back(Push{Topic::replica_handles, std::move(changed)});
}

}  // namespace

bool is_reached(const State& state, const std::string& backend) {
    const auto found = state.backends.find(backend);
    const auto& replicas = replicas_of(state, backend);
    if (found == state.backends.end() || found->second.wanted == 0) return replicas.empty();
    std::uint32_t running = 0;
    for (const auto& [id, replica] : replicas) {
        if (!serves(replica)) continue;
        if (replica.version != found->second.version) return false;
        ++running;
    }
    return running == found->second.wanted;
}

Step Controller::turn(std::uint64_t now_ms) {
    MUSTER_ASSERT(!locked_);
    Step step;
    step.now_ms = now_ms;
    if (state().shutting_down || over_) return step;
    locked_ = true;
    step.is_turn = true;
    Draft draft(state());
    gates_.act(step.effects);
    waits_.expire(now_ms, step.effects);
    fold_reports(draft, step);
    stop_lost(draft, now_ms);
    end_goals(draft, now_ms);
    reconcile(draft, now_ms);
    begin_stops(draft);
    finish(draft, step);
    return step;
}

Step Controller::settle(std::uint64_t now_ms) {
    MUSTER_ASSERT(!locked_);
    Step step;
    step.now_ms = now_ms;
    const bool news = std::any_of(reports_.begin(), reports_.end(),
                                  [](const ReplicaReport& one) { return one.kind == ReplicaReport::Kind::started; });
    if (!news || state().shutting_down) return step;  // What is gone can wait for the next turn.
    locked_ = true;
    Draft draft(state());
    fold_reports(draft, step);
    finish(draft, step);
    return step;
}

void Controller::finish(Draft& draft, Step& step) {
    step.events = draft.take();
    for (const auto& event : step.events) {
        step.records.push_back(encode(event));
        if (const auto* ended = std::get_if<event::GoalsEnded>(&event))
            step.ended.insert(step.ended.end(), ended->goals.begin(), ended->goals.end());
    }
    push_handles(draft.base(), draft.state(), step.events, step.effects);
}

void Controller::fold_reports(Draft& draft, Step& step) {
    Moves moves;
    std::set<ReplicaName> seen_running, seen_gone;
    for (const auto& report : reports_) {
        const auto* replica = find(draft.base(), report.name);
        auto& move = moves_of(moves, report.name.backend);
        if (report.kind == ReplicaReport::Kind::started && !replica) {
            // Nobody wants it: left over from a call that has never become safe.
            step.effects.emplace_back(Warn{"replica " + text_of(report.name) + " runs and is not known: stopped."});
            step.effects.emplace_back(StopReplica{report.name, 0});
        }
        if (!replica) continue;
        if (report.kind == ReplicaReport::Kind::started) {
            if (replica->phase == ReplicaPhase::to_start && seen_running.insert(report.name).second)
                move.running.push_back(report.name.id);
            continue;
        }
        if (seen_gone.insert(report.name).second) move.gone.push_back(report.name.id);
    }
    step.reports = reports_.size();
    std::erase_if(moves, [](const auto& one) { return one.second.is_empty(); });
    add_all(draft, std::move(moves));
}

/// Who does not answer as it should, or does not start in time; others come in their place.
void Controller::stop_lost(Draft& draft, std::uint64_t now_ms) {
    Moves moves;
    for (auto& [name, asked_ms] : asked_to_start_) {
        const auto* replica = find(draft.state(), name);
        const bool is_late = now_ms - asked_ms >= settings_.start_limit_ms;
        if (!is_late || !replica || replica->phase != ReplicaPhase::to_start) continue;
        moves_of(moves, name.backend).stop.push_back(name.id);
        count_failure(name.backend, now_ms);
        asked_ms = now_ms;  // Where this turn cannot be written it is late again, and not at once.
    }
    for (const auto& name : health_.unhealthy(now_ms)) {
        const auto* replica = find(draft.state(), name);
        if (replica && replica->phase == ReplicaPhase::running) moves_of(moves, name.backend).stop.push_back(name.id);
    }
    add_all(draft, std::move(moves));
}

void Controller::end_goals(Draft& draft, std::uint64_t now_ms) const {
    std::vector<GoalId> reached, failed;
    for (const auto& [tag, goal] : draft.state().pending) {
        const auto backend = draft.state().backends.find(tag);
        if (is_reached(draft.state(), tag))
            reached.push_back(goal);
        else if (backend != draft.state().backends.end() && gave_up(tag, backend->second))
            failed.push_back(goal);
    }
    if (!reached.empty()) draft.add(event::GoalsEnded{GoalOutcome::reached, std::move(reached)});
    if (!failed.empty()) draft.add(event::GoalsEnded{GoalOutcome::failed, std::move(failed)});
    auto old = waits_.old(now_ms);
    if (!old.empty()) draft.add(event::GoalsForgotten{std::move(old)});
}

/// What is not asked for yet in this incarnation; the driver knows what is there already.
void Controller::act(std::uint64_t now_ms, Effects& out) {
    for (const auto& [tag, replicas] : state().replicas)
        for (const auto& [id, replica] : replicas) {
            const ReplicaName name{tag, id};
            if (replica.phase == ReplicaPhase::to_start && asked_to_start_.try_emplace(name, now_ms).second)
                out.emplace_back(StartReplica{name});
            if (replica.phase == ReplicaPhase::stopping) stop_or_kill(name, replica, now_ms, out);
        }
    for (const auto& name : health_.due(now_ms)) out.emplace_back(CheckReplica{name});
}

/// Drains first; whoever is still there when the grace time is over is killed, every turn until it is gone.
void Controller::stop_or_kill(const ReplicaName& name, const Replica& replica, std::uint64_t now_ms, Effects& out) {
    const auto [asked, is_first] = asked_to_stop_.try_emplace(name, now_ms);
    if (is_first)
        out.emplace_back(StopReplica{name, replica.grace_ms});
    else if (now_ms - asked->second > replica.grace_ms)
        out.emplace_back(KillReplica{name});
}

}  // namespace muster::core::controller
