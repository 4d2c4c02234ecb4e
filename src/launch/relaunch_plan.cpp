// SPDX-License-Identifier: Apache-2.0
#include "launch/relaunch_plan.hpp"

#include <algorithm>

namespace muster::launch {

namespace {

int slots_of(const std::vector<HostSlots>& hosts) {
    int slots = 0;
    for (const auto& host : hosts) slots += std::max(1, host.slots);
    return slots;
}

std::string number(int value) { return std::to_string(value); }

}  // namespace

RelaunchPlan plan_relaunch(const JobSpec& wanted, const std::map<std::string, std::string>& silent) {
    RelaunchPlan plan{.spec = wanted, .complaint = {}};
    auto& spec = plan.spec;
    spec.inject.clear();
    if (wanted.hosts.empty()) return plan;
    std::erase_if(spec.hosts, [&](const HostSlots& host) { return silent.contains(host.name); });
    const int slots = slots_of(spec.hosts);
    const int beside = spec.clients + (wanted.engines_fill ? wanted.standbys : 0);
    int fit = std::max(0, slots - beside) / std::max(1, spec.engine_ranks);
    if (spec.group_size > 0) fit -= fit % spec.group_size;
    spec.engines = wanted.engines_fill ? fit : std::min(fit, wanted.engines);
    spec.standbys = std::clamp(slots - spec.clients - spec.engines * spec.engine_ranks, 0, wanted.standbys);
    if (spec.engines < std::max(1, wanted.engines_min))
        plan.complaint = "the " + number(slots) + " slots of the hosts that answer hold " + number(spec.engines) +
                         " engines, --min is " + number(wanted.engines_min);
    return plan;
}

}  // namespace muster::launch
