// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A router, and what it answers as short lines.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/router.hpp"
#include "support.hpp"

namespace muster::core::testing {

using Lines = std::vector<std::string>;

/// "8/1>2": request 1 of client 8 goes to engine 2. "8/1!text": it is answered with an error. "8/1=": with bytes.
/// "8/1x2": engine 2 need not begin it.
inline Lines lines(const Routings& routings) {
    Lines list;
    for (const auto& one : routings) {
        if (const auto* routed = std::get_if<Routed>(&one))
            list.push_back(std::to_string(routed->deliver.client.value) + "/" +
                           std::to_string(routed->deliver.id.value) + ">" + std::to_string(routed->engine.value));
        if (const auto* answered = std::get_if<Answered>(&one))
            list.push_back(std::to_string(answered->client.value) + "/" + std::to_string(answered->answer.id.value) +
                           (answered->answer.ok ? "=" : "!") + answered->answer.reason);
        if (const auto* off = std::get_if<CalledOff>(&one))
            list.push_back(std::to_string(off->call_off.client.value) + "/" + std::to_string(off->call_off.id.value) +
                           "x" + std::to_string(off->engine.value));
    }
    return list;
}

/// The fault of the only answer.
inline std::optional<Fault> fault_of(const Routings& routings) {
    for (const auto& one : routings)
        if (const auto* answered = std::get_if<Answered>(&one); answered && !answered->answer.ok)
            return answered->answer.fault;
    return std::nullopt;
}

}  // namespace muster::core::testing
