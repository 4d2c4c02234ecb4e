// SPDX-License-Identifier: Apache-2.0
/// The round's store: calls to the coordinator, which serves them, and answers back.
/// Nothing is mirrored here: a coordinator that dies takes its round with it, and a round's keys with the round. Every
/// call that was open is made again at the successor, and refused there by the name of its round.
#include <utility>

#include "core/switchboard.hpp"

namespace muster::core {

SwitchEffects Switchboard::store_call(StoreCall call) {
    SwitchEffects out;
    if (over_) {
        out.emplace_back(StoreCallEnded{call.id, {.error = Error{Fault::ended, over_->text}}});
        return out;
    }
    const CallId id = call.id;
    store_calls_[id] = {std::move(call), false};
    hand_in_store_calls(out);
    return out;
}

void Switchboard::hand_in_store_calls(SwitchEffects& out) {
    hand_in(
        store_calls_, [](auto& one) { return message::StoreAsk{one.second.call}; }, out);
}

void Switchboard::on(Rank, message::StoreTold told, SwitchEffects& out) {
    if (store_calls_.erase(told.id) == 0) return;  // A repeat: this member asked two coordinators.
    out.emplace_back(StoreCallEnded{told.id, std::move(told.answer)});
}

// The coordinator's side.

void Switchboard::serve_store(SwitchEffects& out) { route(store_.complete(view_->round, view_->members), out); }

void Switchboard::on(Rank from, message::StoreAsk ask, SwitchEffects& out) {
    if (!coordinates()) return;  // Whoever asked this member asks its successor by itself.
    route(store_.call(from, std::move(ask.call), now_ms_), out);
}

void Switchboard::route(StoreEffects effects, SwitchEffects& out) {
    for (auto& effect : effects)
        if (auto* reply = std::get_if<StoreReply>(&effect))
            send(reply->client, message::StoreTold{reply->id, std::move(reply->answer)}, out);
}

}  // namespace muster::core
