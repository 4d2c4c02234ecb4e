// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a job shall look like on the hosts that are left. Pure.
/// Intuition: engines first, standbys with what remains; never more than was asked for, so that a job that has shrunk
/// grows back when its nodes do; where no number was asked for, all that fit.

#include <map>
#include <string>
#include <vector>

#include "launch/job_spec.hpp"

namespace muster::launch {

struct RelaunchPlan {
    JobSpec spec{};
    std::string complaint{};  ///< Why it cannot be; empty: it can.
};

/// `wanted`: as it was asked for, hosts included; `silent`: hosts that do not answer. Where `wanted` names no hosts the
/// job is started as it was. Faults to order are not ordered again: each happens once.
[[nodiscard]] RelaunchPlan plan_relaunch(const JobSpec& wanted, const std::map<std::string, std::string>& silent);

}  // namespace muster::launch
