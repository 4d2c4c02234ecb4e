// SPDX-License-Identifier: Apache-2.0
#include "launch/check.hpp"

#include <algorithm>

namespace muster::launch {

namespace {

std::string number(int value) { return std::to_string(value); }

std::string complaint_about_slots(const JobSpec& spec, const Machine& machine) {
    const auto wanted =
        number(spec.ranks()) + " ranks (" + number(spec.engines) + " engines + " + number(spec.standbys) + " standbys)";
    if (!spec.hosts.empty()) {
        int slots = 0;
        for (const auto& host : spec.hosts) slots += std::max(1, host.slots);
        if (spec.ranks() > slots)
            return wanted + " do not fit in the " + number(slots) +
                   " slots of --hosts; give the hosts more slots (HOST:SLOTS) or ask for fewer ranks";
    } else if (machine.in_slurm && machine.slurm_slots > 0 && spec.ranks() > machine.slurm_slots) {
        return wanted + " do not fit in the " + number(machine.slurm_slots) +
               " tasks of this Slurm allocation; ask sbatch or salloc for --ntasks=" + number(spec.ranks());
    }
    return "";
}

}  // namespace

std::string complaint_about_counts(const JobSpec& spec, const Machine& machine) {
    if (spec.engines < 1) return "-n " + number(spec.engines) + ": a job needs 1 engine or more";
    if (spec.standbys < 0) return "--standbys " + number(spec.standbys) + ": must be 0 or more";
    if (spec.engines_min < 1) return "--min " + number(spec.engines_min) + ": must be 1 or more";
    if (spec.engines_min > spec.engines)
        return "--min " + number(spec.engines_min) + " is more than the " + number(spec.engines) +
               " engines of -n; the job could never run";
    if (spec.group_size < 0) return "--group-size " + number(spec.group_size) + ": must be 1 or more";
    if (spec.group_size > 0 && spec.engines % spec.group_size != 0)
        return "--group-size " + number(spec.group_size) + " does not divide the " + number(spec.engines) +
               " engines of -n";
    return complaint_about_slots(spec, machine);
}

}  // namespace muster::launch
