// SPDX-License-Identifier: Apache-2.0
/// The job's registry: calls to the coordinator, which serves them when its followers have what they tell of.
/// A call that was open when its coordinator died is made again at the successor, under the same id.
#include <utility>

#include "core/switchboard.hpp"

namespace muster::core {

SwitchEffects Switchboard::registry_call(message::RegistryAsk ask) {
    SwitchEffects out;
    if (over_) {
        message::RegistryTold told;
        told.id = ask.id;
        told.error = over_->text;
        out.emplace_back(RegistryCallEnded{std::move(told)});
        return out;
    }
    const CallId id = ask.id;
    registry_calls_[id] = {std::move(ask), false};
    hand_in_registry_calls(out);
    return out;
}

void Switchboard::hand_in_registry_calls(SwitchEffects& out) {
    hand_in(
        registry_calls_,
        [this](auto& one) {
            one.second.ask.round = view_->round;
            return one.second.ask;
        },
        out);
}

/// Only the coordinator's word counts: whatever one before it has said, the call was made again at its successor.
void Switchboard::on(Rank from, message::RegistryTold told, SwitchEffects& out) {
    if (from != view_->coordinator) return;
    if (registry_calls_.erase(told.id) == 0) return;  // A repeat, or its caller has given up.
    out.emplace_back(RegistryCallEnded{std::move(told)});
}

// Who keeps it.

/// A round is complete: its coordinator gets what there is and copies it to its followers before it answers anybody.
void Switchboard::enter_registry(SwitchEffects& out) {
    if (coordinates() && view_->round > Round{1} && !view_->keeper)
        out.emplace_back(Note{"the job's registry is empty from round " + std::to_string(view_->round.value) +
                              " on: the coordinator and all members that kept copies for it are gone"});
    else if (coordinates() && view_->keeper && view_->keeper_term.value + 1 < view_->round.value)
        out.emplace_back(Note{"the job's registry goes on from the copy of round " +
                              std::to_string(view_->keeper_term.value) +
                              ": all who had a later one are gone, and what " + "was changed since may be, too"});
    registry_.complete(coordinates());
    controller_.complete(coordinates(), view_->members);
    carry_out(keeper_->complete(view_->round, view_->coordinator, view_->followers, view_->keeper), out);
    answer_registry_calls(out);
}

void Switchboard::carry_out(MirrorEffects effects, SwitchEffects& out) {
    for (auto& effect : effects) {
        if (auto* sent = std::get_if<MirrorSend>(&effect))
            std::visit([&](auto& one) { send(sent->to, std::move(one), out); }, sent->message);
        else
            serve_keeper(out);
    }
    if (auto complaint = keeper_->take_complaint()) out.emplace_back(Note{std::move(*complaint)});
}

void Switchboard::serve_keeper(SwitchEffects& out) {
    carry_out(registry_.serve(), out);
    carry_out(controller_.serve(), out);
}

void Switchboard::answer_registry_calls(SwitchEffects& out) {
    for (auto& reply : registry_.take_replies()) send(reply.client, std::move(reply.told), out);
    carry_out_controller(out);
}

void Switchboard::on(Rank from, message::RegistryAsk ask, SwitchEffects& out) {
    // Whoever asked this member asks its successor by itself, be that this member again.
    if (!coordinates() || ask.round < office_) return;
    carry_out(registry_.ask(from, std::move(ask)), out);
    answer_registry_calls(out);
}

void Switchboard::on(Rank from, message::Copy copy, SwitchEffects& out) {
    carry_out(keeper_->received(from, std::move(copy)), out);
    answer_registry_calls(out);
}

void Switchboard::on(Rank from, message::Kept kept, SwitchEffects& out) {
    carry_out(keeper_->received(from, kept), out);
    answer_registry_calls(out);
}

}  // namespace muster::core
