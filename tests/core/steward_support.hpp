// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A steward, and its effects as short lines.

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "core/overloaded.hpp"
#include "core/steward.hpp"
#include "support.hpp"

namespace muster::core::testing {

using Texts = std::vector<std::string>;

inline std::string listed(const std::vector<SeatId>& seats) {
    std::string text;
    for (const auto seat : seats) text += (text.empty() ? "" : ",") + std::to_string(seat.value);
    return text;
}

inline std::string text_of(const MemberOrder& order) {
    return std::visit(
        Overloaded{[](const message::ReplicaPrepare& one) { return "prepare#" + std::to_string(one.spec.seat.value); },
                   [](const message::ReplicaCancel& one) { return "cancel#" + std::to_string(one.seat.value); },
                   [](const message::ReplicaCheck& one) {
                       return "check#" + std::to_string(one.seat.value) + "/" + std::to_string(one.number);
                   }},
        order);
}

inline const char* text_of(controller::ReplicaReport::Kind kind) {
    constexpr const char* kNames[] = {"started", "start_failed", "gone", "well", "unwell"};
    return kNames[static_cast<std::size_t>(kind)];
}

/// "prepare#7>3", "round +7,8 -5", "started b#7", "warn:..."; that replicas have changed is left out.
inline Texts texts(const StewardEffects& effects) {
    Texts list;
    for (const auto& effect : effects)
        std::visit(Overloaded{[&](const OrderMember& one) {
                                  list.push_back(text_of(one.order) + ">" + std::to_string(one.to.value));
                              },
                              [&](const SeatWishes& one) {
                                  list.push_back("round" + (one.seat.empty() ? "" : " +" + listed(one.seat)) +
                                                 (one.unseat.empty() ? "" : " -" + listed(one.unseat)));
                              },
                              [](const ReplicasChanged&) {},
                              [&](const controller::ReplicaReport& one) {
                                  list.push_back(std::string(text_of(one.kind)) + " " + controller::text_of(one.name));
                              },
                              [&](const controller::Warn& one) { list.push_back("warn:" + one.text); }},
                   effect);
    return list;
}

inline ReplicaSpec spec_of(std::uint64_t seat, const std::string& backend = "b") {
    return {SeatId{seat}, backend, 1, "{}"};
}
inline controller::ReplicaName name(std::uint64_t seat, const std::string& backend = "b") {
    return {backend, controller::ReplicaId{seat}};
}

}  // namespace muster::core::testing
