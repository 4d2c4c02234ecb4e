// SPDX-License-Identifier: Apache-2.0
#include "core/rendezvous_handler.hpp"

#include "core/assert.hpp"

namespace muster::core::rendezvous {

namespace {

void record(Progress& progress, Event event) { progress.effects.push_back(effect::Record{std::move(event)}); }

std::string words_of(const Failure& failure) { return std::string(name_of(failure.kind)) + ": " + failure.text; }

}  // namespace

Or<std::unique_ptr<Handler>> Handler::create(const Node& node, const Settings& settings, Backend& backend) {
    if (auto complaint = complaint_about(settings)) return *complaint;
    return std::unique_ptr<Handler>(new Handler(node, settings, backend));
}

Event Handler::event(const char* name, std::string message, Outlook outlook) const {
    return {name, settings_.run_id, node_, std::move(message), outlook};
}

void Handler::stop_heartbeats(Progress& progress) {
    if (heartbeats_) progress.effects.push_back(effect::StopHeartbeats{});
    heartbeats_ = false;
}

Progress Handler::begin(Call call, Time now, double chance) {
    Progress progress;
    if (call == Call::next_rendezvous) {
        MUSTER_ASSERT(!joining_ && !delayed_);
        record(progress, event("handler.next_rendezvous", "The node '" + text_of(node_) +
                                                              "' attempts to join the next round of the rendezvous '" +
                                                              settings_.run_id + "'."));
        stop_heartbeats(progress);
        delayed_ = true;
        const auto delay = static_cast<std::int64_t>(static_cast<double>(settings_.join_delay.micros) * chance);
        if (holder_.state().round == Round{0} && delay > 0) progress.effects.push_back(effect::Wait{{delay}});
        return progress;
    }
    MUSTER_ASSERT(!calling_);
    if (call == Call::heartbeat && !heartbeats_) {  // The timer's last tick was on its way when it was stopped.
        progress.finished = true;
        return progress;
    }
    if (call == Call::shutdown) stop_heartbeats(progress);
    const bool beats = call == Call::heartbeat;
    const Time span = beats ? settings_.timeouts.heartbeat : settings_.timeouts.close;
    calling_.emplace(Task{beats ? Operation::keep_alive : Operation::close, now + span});
    call_ = call;
    return progress;
}

Progress Handler::step(Call call, Time now) {
    if (call == Call::next_rendezvous && delayed_) {
        delayed_ = false;
        // Where a death has carried us over into the next round, others may count on us there already.
        const auto leaving = settings_.replace_dead_participants ? round_ : std::nullopt;
        joining_.emplace(Task{Operation::exit, now + settings_.timeouts.join, 0, leaving});
    }
    auto& run = run_of(call);
    MUSTER_ASSERT(run && (call == Call::next_rendezvous || call == call_));
    Progress progress;
    auto step = run->step(holder_, actor(now));
    for (auto& one : step.events) record(progress, std::move(one));
    if (call == Call::next_rendezvous) {
        join_step(step, progress);
    } else if (step.is_over()) {
        calling_.reset();
        call_over(call, step.failure, progress);
    }
    return progress;
}

/// Exit first, then join, both by one deadline.
void Handler::join_step(const Step& step, Progress& progress) {
    if (step.sleep && *step.sleep > Time{0}) progress.effects.push_back(effect::Wait{*step.sleep});
    if (!step.is_over()) return;
    const auto task = joining_->task();
    joining_.reset();
    if (step.failure) {
        record(progress, event("handler.next_rendezvous", words_of(*step.failure), Outlook::failed));
        progress.effects.push_back(effect::Raised{*step.failure});
        progress.finished = true;
    } else if (task.operation == Operation::exit) {
        joining_.emplace(Task{Operation::join, task.deadline, agreed_});
    } else {
        joined(progress);
    }
}

void Handler::joined(Progress& progress) {
    const auto& state = holder_.state();
    round_ = state.round;
    heartbeats_ = true;
    progress.effects.push_back(effect::StartHeartbeats{"RendezvousKeepAliveTimer_" + std::to_string(node_.local_id),
                                                       settings_.keep_alive_interval});
    const Slot rank = state.participants.at(node_);
    auto world = world_of(state);
    auto told = event("handler.next_rendezvous", "The node '" + text_of(node_) + "' has joined round " +
                                                     std::to_string(state.round.value) + " of the rendezvous '" +
                                                     settings_.run_id + "' as rank " + std::to_string(rank.value) +
                                                     " in a world of size " + std::to_string(world.size()) + ".");
    told.rank = rank;
    record(progress, std::move(told));
    progress.effects.push_back(
        effect::Joined{state.round, rank, std::move(world), store_prefix(settings_, state.round)});
    progress.finished = true;
}

void Handler::call_over(Call call, const std::optional<Failure>& failure, Progress& progress) const {
    progress.finished = true;
    if (call != Call::heartbeat) return close_over(call, failure, progress);
    const std::string node = "The node '" + text_of(node_) + "' has ", run = "'" + settings_.run_id + "'";
    if (failure)  // Not raised: the next tick tries again, and until then nobody is harmed.
        record(progress, event("handler.keep_alive",
                               node + "failed to send a keep-alive heartbeat to the rendezvous " + run +
                                   " due to an error of type " + name_of(failure->kind) + ".",
                               Outlook::failed));
    else
        record(progress,
               event("handler.keep_alive", node + "sent a keep-alive heartbeat to the rendezvous " + run + "."));
    progress.effects.push_back(effect::Returned{!failure});
}

void Handler::close_over(Call call, const std::optional<Failure>& failure, Progress& progress) const {
    const std::string node = "The node '" + text_of(node_) + "' has ", run = "'" + settings_.run_id + "'";
    if (!failure) {
        record(progress, event("handler.close", node + "closed the rendezvous " + run + ".", Outlook::succeeded));
        progress.effects.push_back(effect::Returned{true});
    } else if (call == Call::set_closed) {
        record(progress, event("handler.set_closed", words_of(*failure), Outlook::failed));
        progress.effects.push_back(effect::Raised{*failure});
    } else {
        record(progress, event("handler.shutdown",
                               node + "failed to shutdown the rendezvous " + run + " due to an error of type " +
                                   name_of(failure->kind) + ".",
                               Outlook::failed));
        progress.effects.push_back(effect::Returned{false});
    }
}

template <class T, class Look>
Answer<T> Handler::ask(const char* name, Time now, Look look) {
    const auto synced = holder_.sync(now);
    if (const auto* failure = std::get_if<Failure>(&synced))
        return {*failure, {event(name, words_of(*failure), Outlook::failed)}};
    return {look(holder_.state()), {}};
}

Answer<bool> Handler::is_closed(Time now) {
    return ask<bool>("handler.is_closed", now, [](const State& state) { return state.closed; });
}

Answer<std::size_t> Handler::num_nodes_waiting(Time now) {
    return ask<std::size_t>("handler.num_nodes_waiting", now,
                            [](const State& state) { return state.wait_list.size(); });
}

Answer<bool> Handler::is_round_over(Time now) {
    return ask<bool>("handler.is_round_over", now, [this](const State& state) {
        return round_ != state.round || !state.complete || !state.participants.contains(node_);
    });
}

}  // namespace muster::core::rendezvous
