// SPDX-License-Identifier: Apache-2.0
/// The controller's calls: from any member to the coordinator and back. A call that was open when its coordinator died
/// is made again at the successor, under the same id.
#include <utility>

#include "core/overloaded.hpp"
#include "core/switchboard.hpp"

namespace muster::core {

SwitchEffects Switchboard::controller_call(message::ControllerAsk ask) {
    SwitchEffects out;
    const CallId id = ask.id;
    if (over_) {
        out.emplace_back(ControllerCallEnded{{id, over_->text, {}}, true});
        return out;
    }
    controller_calls_[id] = {std::move(ask), false};
    hand_in_controller_calls(out);
    return out;
}

void Switchboard::hand_in_controller_calls(SwitchEffects& out) {
    hand_in(
        controller_calls_,
        [this](auto& one) {
            one.second.ask.round = view_->round;
            return one.second.ask;
        },
        out);
}

/// Only the coordinator's word counts: whatever one before it has said, the call was made again at its successor.
void Switchboard::on(Rank from, message::ControllerTold told, SwitchEffects& out) {
    if (from != view_->coordinator) return;
    if (controller_calls_.erase(told.id) == 0) return;  // A repeat, or its caller has given up.
    out.emplace_back(ControllerCallEnded{std::move(told)});
}

void Switchboard::end_controller_calls(const Error& why, SwitchEffects& out) {
    for (const auto& [id, asked] : std::exchange(controller_calls_, {}))
        out.emplace_back(ControllerCallEnded{{id, why.text, {}}, true});
}

// The coordinator's side.

void Switchboard::on(Rank from, message::ControllerAsk ask, SwitchEffects& out) {
    // Whoever asked this member asks its successor by itself, be that this member again.
    if (!coordinates() || ask.round < office_) return;
    carry_out(controller_.ask(from, std::move(ask)), out);
    carry_out_controller(out);
}

SwitchEffects Switchboard::replica_report(const controller::ReplicaReport& report) {
    SwitchEffects out;
    carry_out(controller_.report(report), out);
    carry_out_controller(out);
    return out;
}

void Switchboard::turn_controller(SwitchEffects& out) {
    carry_out(controller_.tick(now_ms_), out);
    carry_out_controller(out);
}

/// What has become safe, until nothing more follows from it.
void Switchboard::carry_out_controller(SwitchEffects& out) {
    MirrorEffects mirrored;
    auto outputs = controller_.take_outputs(mirrored);
    for (auto& output : outputs)
        std::visit(Overloaded{[&](ControllerReply& one) { send(one.client, std::move(one.told), out); },
                              [&](ReplicaOrder& one) { order_replica(std::move(one), out); },
                              [&](CrashOrder& one) { out.emplace_back(one); },
                              [&](ControllerNote& one) { out.emplace_back(Note{std::move(one.text)}); }},
                   output);
    plan_requests(out);
    if (mirrored.empty() && outputs.empty() && replica_reports_.empty()) return;
    carry_out(std::move(mirrored), out);
    for (const auto& report : std::exchange(replica_reports_, {})) carry_out(controller_.report(report), out);
    carry_out_controller(out);
}

}  // namespace muster::core
