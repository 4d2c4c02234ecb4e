// SPDX-License-Identifier: Apache-2.0
/// The driver of core::Switchboard: what comes from the engine and the clients of this process goes in, its effects go
/// out over MPI, to the engine and to the clients.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/agent.hpp"
#include "agent/inject.hpp"
#include "agent/log.hpp"
#include "agent/posix_signals.hpp"
#include "agent/settings.hpp"
#include "core/overloaded.hpp"
#include "core/ranks.hpp"

namespace muster::agent {
namespace {

using core::Overloaded;

constexpr std::size_t kNamesMax = 8;

std::string where_of(const core::Position& position) {
    const bool begins = position.doing == core::Position::voting;  // The turn that this vote is for.
    return " (turn " + std::to_string(position.vote + (begins ? 1 : 0)) + " after barrier " +
           std::to_string(position.crossed) + ")";
}

std::string word_of(core::Wanted wanted) {
    if (wanted == core::Wanted::suspended) return "SUSPEND";
    if (wanted == core::Wanted::stopped) return "STOP";
    return name_of(static_cast<Signal>(wanted));
}

}  // namespace

void Agent::carry_from_engine() {
    for (auto& out : inbox_.take_out())
        apply(std::visit(
            Overloaded{
                [this](const Inbox::Crossed& crossed) {
                    tell_launcher_state(crossed.barrier);
                    return switchboard_.crossed(crossed.barrier);
                },
                [this](Inbox::Answer& answer) {
                    return switchboard_.reply(answer.client, answer.id, std::move(answer.bytes));
                },
                [this](const Inbox::Wake& wake) { return switchboard_.wake(wake.scope, wake.number); },
                [this](const Inbox::Prepared& it) { return switchboard_.replica_prepared(it.seat, it.error); },
                [this](const Inbox::Checked& it) { return switchboard_.replica_checked(it.seat, it.number, it.well); },
                [this](const Inbox::Taken& taken) { return switchboard_.round_taken(taken.round); },
            },
            out));
}

void Agent::carry_from_clients() {
    using detail::Desk;
    for (const auto& signal : take_posix_signals()) {
        say("signal " + std::to_string(signal.number) + " has come: asking for " + word_of(signal.wanted));
        (void)desk_of_clients_.ask(signal.wanted);
    }
    for (auto& out : desk_of_clients_.take_out())
        apply(std::visit(
            Overloaded{
                [this](const Desk::Connect&) { return switchboard_.connect(); },
                [this](const Desk::Ask& ask) { return switchboard_.ask(ask.operation, ask.wanted); },
                [this](core::StoreCall& call) { return switchboard_.store_call(std::move(call)); },
                [this](core::message::RegistryAsk& ask) { return switchboard_.registry_call(std::move(ask)); },
                [this](core::message::ControllerAsk& ask) { return switchboard_.controller_call(std::move(ask)); },
                [this](const Desk::GiveUp& gone) {
                    switchboard_.forget_registry_call(gone.id);
                    switchboard_.forget_controller_call(gone.id);
                    return core::SwitchEffects{};
                },
                [this](Desk::Submit& submit) {
                    return switchboard_.submit(submit.id, std::move(submit.bytes), std::move(submit.hints));
                },
                [this](const Desk::Abort& abort) { return switchboard_.abort(abort.id); },
                [this](const Desk::WatchLoads&) { return switchboard_.watch_loads(); },
            },
            out));
}

/// The engine of this process waits too long for others: ask them all where they are.
void Agent::look_for_the_missing() {
    if (auto missing = mailbox_.take_missing(); missing && !ended_) {
        missing_ = std::move(missing);
        apply(switchboard_.where(milliseconds(Clock::now())));
    }
}

void Agent::tell_launcher_state(std::uint64_t barrier) {
    const auto& facts = switchboard_.facts();
    if (!switchboard_.coordinates() || barrier != facts.crossed + 1 || facts.pending.empty()) return;
    const auto& entry = facts.pending.front();
    link_.send({{"event", "state"},
                {"signal", name_of(entry.signal)},
                {"number", barrier},
                {"by", entry.origin.value},
                {"state", name_of(core::after(facts.state, entry.signal))}});
}

/// Effects that lead to inputs of their own come back here through the queues: nothing is lost on the way.
void Agent::apply(core::SwitchEffects effects) {
    for (auto& effect : effects) std::visit([this](auto& one) { perform(one); }, effect);
}

void Agent::perform(core::Transmit& effect) {
    if (!in_round_) return;  // The channel keeps it for the next round.
    const auto place = std::find(places_.begin(), places_.end(), effect.to);
    if (place == places_.end()) return;
    reach_point("send", effect.kind);
    if (!post_.send(pool_, static_cast<int>(place - places_.begin()), std::move(effect.packet)))
        return mailbox_.complain();
    ++packets_;
    if (!core::contains(to_ring_, effect.to)) to_ring_.push_back(effect.to);
    reach_point("sent", effect.kind);
}

/// One ring for all that a member, or a thread of this process, was sent since: a ring is a system call, and often a
/// change of threads, and wakes whoever waits only once anyhow.
void Agent::ring_due() {
    inbox_.tell();
    desk_of_clients_.tell();
    for (const Rank other : to_ring_) ring(other);
    to_ring_.clear();
}

void Agent::perform(core::SignalArrived& effect) {
    if (core::contains(recovery_.world(), self_)) inbox_.signal(effect.entry);
}

void Agent::perform(core::RequestArrived& effect) {
    inbox_.request({effect.client, effect.id, std::move(effect.bytes)});
}

void Agent::perform(core::WakeEngine& effect) { inbox_.wake(effect.scope, effect.number); }

void Agent::perform(core::ClientConnected&) { desk_of_clients_.connected(); }

void Agent::perform(core::OperationEnded& effect) {
    desk_of_clients_.operation_ended(effect.operation, std::move(effect.error));
}

void Agent::perform(core::RequestEnded& effect) {
    desk_of_clients_.request_ended(effect.id, std::move(effect.error), std::move(effect.bytes));
}

void Agent::perform(core::StoreCallEnded& effect) {
    desk_of_clients_.store_call_ended(effect.id, std::move(effect.answer));
}

void Agent::perform(core::RegistryCallEnded& effect) { desk_of_clients_.registry_call_ended(std::move(effect.told)); }

void Agent::perform(core::ControllerCallEnded& effect) { desk_of_clients_.controller_call_ended(std::move(effect)); }

/// Only where there is no steward: a job without seats has no place for a replica.
void Agent::perform(core::ReplicaOrder& effect) {
    if (const auto* start = std::get_if<core::controller::StartReplica>(&effect.effect))
        say("replica " + text_of(start->name) + " is not started: the job needs Config::controller for that");
}

void Agent::perform(core::CrashOrder&) { crash_as_ordered(); }

void Agent::perform(core::RequestCalledOff& effect) {
    if (inbox_.call_off(effect.client, effect.id)) apply(switchboard_.dropped(effect.client, effect.id));
}

/// The engine thread rests in its inbox, or waits for a round in its mailbox.
void Agent::perform(core::PrepareEngine& effect) {
    inbox_.chore(std::move(effect));
    mailbox_.nudge();
}

void Agent::perform(core::CheckEngine& effect) { inbox_.chore(effect); }

void Agent::perform(core::LoadsHeard& effect) { desk_of_clients_.loads_heard(effect.round, effect.groups); }

void Agent::perform(core::LeavingHeard& effect) { desk_.leaving(effect.rank, milliseconds(Clock::now())); }

void Agent::perform(core::StateHeard&) { state_exists_ = true; }

void Agent::perform(core::TellPosition& effect) {
    apply(switchboard_.position(effect.to, effect.query, inbox_.whereabouts.position()));
}

/// Whoever is not where this engine waits is named, with the place where it is. A vote concerns the lockstep group
/// only.
void Agent::perform(core::Whereabouts& effect) {
    if (!missing_) return;
    const auto missing = *std::exchange(missing_, std::nullopt);
    const auto here = inbox_.whereabouts.position();
    std::sort(effect.known.begin(), effect.known.end(),
              [](const auto& one, const auto& other) { return one.first < other.first; });
    std::vector<std::string> elsewhere;
    std::size_t waiting = 0;
    const auto concerns = [&](Rank rank) { return rank != self_ && (!missing.fatal || core::contains(group_, rank)); };
    const auto name = [&](Rank rank, const std::string& text) {
        elsewhere.push_back("rank " + std::to_string(rank.value) + " on " + roster_[rank.value].member.node + text);
    };
    for (const auto& [rank, position] : effect.known) {
        if (!concerns(rank)) continue;
        const bool same = position.doing == here.doing && position.crossed == here.crossed &&
                          (!missing.fatal || position.vote == here.vote);
        if (same)
            ++waiting;
        else
            name(rank, std::string(" is ") + name_of(position.doing) + where_of(position));
    }
    for (const Rank rank : effect.silent)
        if (concerns(rank)) name(rank, " does not answer");
    std::string text = missing.what + " in round " + std::to_string(recovery_.round().value) + where_of(here);
    for (std::size_t i = 0; i < std::min(elsewhere.size(), kNamesMax); ++i) text += "; " + elsewhere[i];
    if (elsewhere.size() > kNamesMax) text += "; and " + std::to_string(elsewhere.size() - kNamesMax) + " more";
    text += "; " + std::to_string(waiting) + " others wait too";
    say(text);
    text = "rank " + std::to_string(self_.value) + " " + text;
    if (missing.fatal)
        mailbox_.wish({ExitCode::timed_out, text});
    else
        link_.send({{"event", "note"}, {"rank", self_.value}, {"text", text}});
}

/// Not in the middle of what the switchboard says: the round comes at the next pump.
void Agent::perform(core::SeatRound& effect) { mailbox_.want_seats(effect.wishes); }

void Agent::perform(core::Note& effect) { say(effect.text); }

/// The round is complete: the switchboard works in it from here on.
void Agent::enter_round(const core::Plan& plan) {
    auto view = std::make_shared<core::RoundView>();
    view->round = plan.round;
    view->coordinator = recovery_.coordinator();
    view->members = recovery_.pool();
    std::sort(view->members.begin(), view->members.end());
    view->world = plan.world;
    view->sources = core::sources_of(placement_settings(config_), plan.world);
    view->followers =
        core::followers_of(view->coordinator, plan.world, plan.standbys, recovery_.launch(), config_.followers);
    view->keeper = plan.keeper;
    view->keeper_term = plan.keeper_term;
    const auto shape = shape_of(plan);
    view->groups = shape.group;
    view->seats = plan.seats;
    view->standbys = plan.standbys;
    std::vector<Rank> group, engine;
    const auto own = core::slot_of(plan.world, self_);
    for (std::uint32_t s = 0; s < plan.world.size(); ++s) {
        if (own && shape.group[s] == shape.group[own->value]) group.push_back(plan.world[s]);
        if (own && s / shape.engine_ranks == own->value / shape.engine_ranks) engine.push_back(plan.world[s]);
    }
    in_round_ = true;
    group_ = group;
    inbox_.new_round(own.has_value());
    apply(switchboard_.tick(milliseconds(Clock::now())));  // Deadlines of this round count from here.
    apply(switchboard_.complete(std::move(view), std::move(group), std::move(engine), plan.lifecycle));
    ring_due();
}

}  // namespace muster::agent
