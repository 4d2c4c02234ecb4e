// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One function for each call; decide() picks. For the files beside it only.

#include <string>

#include "core/controller_command.hpp"

namespace muster::core::controller {

[[nodiscard]] inline Decision refused(std::string error) {
    Decision decision;
    decision.error = std::move(error);
    return decision;
}

/// Without quotes around the name, unlike the other texts: so it is in the source.
[[nodiscard]] inline std::string not_registered(const std::string& tag) {
    return "Backend " + tag + " is not registered.";
}

[[nodiscard]] Decision decide_one(const State& state, const CreateBackend& call, const Surroundings& around);
[[nodiscard]] Decision decide_one(const State& state, const DeleteBackend& call, const Surroundings& around);
[[nodiscard]] Decision decide_one(const State& state, const UpdateBackendConfig& call, const Surroundings& around);
[[nodiscard]] Decision decide_one(const State& state, const CreateEndpoint& call, const Surroundings& around);
[[nodiscard]] Decision decide_one(const State& state, const DeleteEndpoint& call, const Surroundings& around);
[[nodiscard]] Decision decide_one(const State& state, const SetTraffic& call, const Surroundings& around);
[[nodiscard]] Decision decide_one(const State& state, const ShadowTraffic& call, const Surroundings& around);
[[nodiscard]] Decision decide_one(const State& state, const Shutdown& call, const Surroundings& around);

}  // namespace muster::core::controller
