// SPDX-License-Identifier: Apache-2.0
/// Calls on the controller: each is answered once, what is done stays done, and no goal is given twice.
#include "sim/controller_witness.hpp"

#include <cstdio>

#include "core/overloaded.hpp"
#include "sim/names.hpp"

namespace muster::sim {

using namespace core::controller;

std::string text_of(const BackendConfig& config) {
    return config.user_config + " x" + std::to_string(config.num_replicas);
}

std::string text_of(const std::map<std::string, double>& weights) {
    std::string text;
    for (const auto& [backend, weight] : weights) {
        char number[40];
        std::snprintf(number, sizeof number, "%a", weight);
        text += backend + ":" + static_cast<const char*>(number) + " ";
    }
    return text;
}

void ControllerWitness::violated(const std::string& what) { violations_ += about_ + what + "\n"; }

void ControllerWitness::round_begins(Round round, std::uint64_t losses) {
    if (losses != era_) {  // Ids may be given again.
        backends_.clear();
        has_run_.clear();
    }
    era_ = era_of_round_[round] = losses;
}

/// An answer of a round before the loss does not say that it is there after it.
std::uint64_t ControllerWitness::era_of(const Member& client) const {
    const auto found = client.view ? era_of_round_.find(client.view->round) : era_of_round_.end();
    return found == era_of_round_.end() ? era_ : found->second;
}

// A call begins.

void ControllerWitness::write(Call& call, const std::string& key, Written value) {
    call.writes.emplace_back(key, values_[key].write(std::move(value), call.begun));
}

/// A policy is new as a whole: shadows of the old one end with it.
void ControllerWitness::write_endpoint(Call& call, const std::string& name, const TrafficDict& traffic) {
    Weighted policy{{traffic.begin(), traffic.end()}};
    const auto text = text_of(policy.weights);
    policies_[text] = std::move(policy);
    write(call, "traffic of " + name, text);
    for (const auto& tag : kBackendTags) write(call, "shadow of " + name + " at " + tag, std::nullopt);
}

void ControllerWitness::asks(const Member& client, core::CallId id, const core::controller::Call& what,
                             std::uint64_t now) {
    Call& call = calls_[{client.rank, id.value}];
    call.what = what;
    call.begun = now;
    const auto* command = std::get_if<Command>(&what);
    if (!command) return;
    std::visit(core::Overloaded{
                   [&](const CreateBackend& one) { write(call, "backend " + one.tag, text_of(one.config)); },
                   [&](const UpdateBackendConfig& one) {
                       BackendConfig config;
                       config.user_config = *one.options.user_config;
                       config.num_replicas = *one.options.num_replicas;
                       write(call, "backend " + one.tag, text_of(config));
                   },
                   [&](const DeleteBackend& one) { write(call, "backend " + one.tag, std::nullopt); },
                   [&](const CreateEndpoint& one) {
                       write(call, "endpoint " + one.name, one.methods.front());
                       write_endpoint(call, one.name, one.traffic);
                   },
                   [&](const DeleteEndpoint& one) {
                       write(call, "endpoint " + one.name, std::nullopt);
                       write(call, "traffic of " + one.name, std::nullopt);
                       for (const auto& tag : kBackendTags)
                           write(call, "shadow of " + one.name + " at " + tag, std::nullopt);
                   },
                   [&](const SetTraffic& one) { write_endpoint(call, one.endpoint, one.traffic); },
                   [&](const ShadowTraffic& one) {
                       const Written value =
                           one.proportion > 0 ? Written(text_of({{one.backend, one.proportion}})) : std::nullopt;
                       write(call, "shadow of " + one.endpoint + " at " + one.backend, value);
                   },
                   [](const Shutdown&) {},
               },
               *command);
}

void ControllerWitness::gives_up(const Member& client, core::CallId id) {
    calls_.at({client.rank, id.value}).is_given_up = true;
}

// It ends.

void ControllerWitness::answered(const Member& client, const core::ControllerCallEnded& ended, std::uint64_t now) {
    const Name name{client.rank, ended.told.id.value};
    about_ = "rank " + std::to_string(name.first.value) + "'s controller call " + std::to_string(name.second) + " ";
    const auto found = calls_.find(name);
    if (found == calls_.end()) return violated("was never made, and is answered");
    Call& call = found->second;
    if (call.is_given_up) return violated("is answered after its caller has gone");
    if (std::exchange(call.is_answered, true)) return violated("is answered twice");
    if (ended.over) {
        if (!client.ended) violated("ends with a job that goes on");
        call.is_given_up = true;  // Nobody knows whether it was done.
        return;
    }
    if (client.cut) {  // It may be its own coordinator, and hears of nothing new.
        call.is_given_up = true;
        return;
    }
    if (ended.told.error) return refusal_is_right(call, *ended.told.error);
    const auto answer = decode_answer(ended.told.answer);
    if (!answer) return violated("has an answer that is none");
    const auto* question = std::get_if<Question>(&call.what);
    if (const auto* done = std::get_if<CallDone>(&*answer); done && !question)
        return is_done(client, call, name, done->goal, now);
    if (!question) return violated("has an answer to something else");
    if (const auto* over = std::get_if<WaitEnded>(&*answer))
        wait_is_right(std::get<WaitForGoal>(*question), over->outcome);
    if (const auto* seen = std::get_if<Viewed>(&*answer)) shows(call, *seen);
    if (const auto* seen = std::get_if<Changed>(&*answer)) shows(call, *seen);
}

/// What is refused has changed nothing, and says why; where it says that something is not there that must be possible.
void ControllerWitness::refusal_is_right(Call& call, const std::string& why) {
    call.is_refused = true;
    for (const auto& [key, place] : call.writes) values_[key].refused(place);
    const auto says = [&](const char* text) { return why.find(text) != std::string::npos; };
    if (says("there is room for") || says("is already registered") || says("is used by endpoint") ||
        says("changes under way"))
        return;
    if (!says("not registered")) return violated("is refused: " + why);
    const auto is_missing = [&](const std::string& kind, const std::string& name) {
        return says(name.c_str()) && may_be_absent(kind + name, call.begun);
    };
    for (const auto& tag : kBackendTags)
        if (is_missing("backend ", tag)) return;
    for (const auto& name : kEndpointNames)
        if (is_missing("endpoint ", name)) return;
    violated("is refused, and what it names was there: " + why);
}

std::optional<std::string> ControllerWitness::backend_of(const Call& call) {
    const auto* command = std::get_if<Command>(&call.what);
    if (!command) return std::nullopt;
    if (const auto* one = std::get_if<CreateBackend>(command)) return one->tag;
    if (const auto* one = std::get_if<UpdateBackendConfig>(command)) return one->tag;
    if (const auto* one = std::get_if<DeleteBackend>(command)) return one->tag;
    return std::nullopt;
}

/// One goal for one call. Deleting what is not there has none.
void ControllerWitness::is_done(const Member& client, Call& call, const Name& name, std::optional<GoalId> goal,
                                std::uint64_t now) {
    const auto era = era_of(client);
    for (const auto& [key, place] : call.writes) values_[key].done(place, now, era);
    call.goal = goal;
    const auto backend = backend_of(call);
    const bool deletes = std::holds_alternative<DeleteBackend>(std::get<Command>(call.what));
    if (!goal) {
        if (backend && !deletes) violated("is done and has no goal");
        return;
    }
    if (!backend) return violated("is done and has a goal");
    const auto [entry, is_new] = goals_.try_emplace(*goal, Goal{name, *backend, era});
    if (is_new) return;
    if (entry->second.era == era && entry->second.call != name)
        violated("has goal g" + std::to_string(goal->value) + ", which is another call's");
    if (entry->second.era <= era) entry->second = {name, *backend, era};
}

/// Each wait ends once (as all calls do), and not before its goal; replaced is only what has a successor.
void ControllerWitness::wait_is_right(const WaitForGoal& wait, GoalOutcome outcome) {
    const auto goal = goals_.find(wait.goal);
    if (outcome == GoalOutcome::pending && !wait.limit_ms) violated("waits for ever, and ends with a pending goal");
    if (outcome != GoalOutcome::replaced || goal == goals_.end()) return;
    for (const auto& [name, call] : calls_)
        if (name != goal->second.call && backend_of(call) == goal->second.backend && !call.is_refused &&
            (!call.goal || *call.goal > wait.goal))
            return;
    violated("hears that a goal was replaced, and nothing has replaced it");
}

std::optional<GoalId> ControllerWitness::some_goal(Dice& dice) const {
    if (goals_.empty()) return std::nullopt;
    const auto back = std::min<std::size_t>(goals_.size(), 1 + dice.below(6));
    return std::prev(goals_.end(), static_cast<std::ptrdiff_t>(back))->first;  // Mostly one of the last.
}

}  // namespace muster::sim
