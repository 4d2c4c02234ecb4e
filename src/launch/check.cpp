// SPDX-License-Identifier: Apache-2.0
#include "launch/check.hpp"

#include <algorithm>
#include <limits>

#include "core/fault_order.hpp"

namespace muster::launch {

namespace {

std::string number(int value) { return std::to_string(value); }

/// "9 ranks (4 engines of 2 ranks + 1 standbys)".
std::string ranks_of(const JobSpec& spec) {
    return number(spec.ranks()) + " ranks (" + number(spec.engines) + " engines" +
           (spec.engine_ranks > 1 ? " of " + number(spec.engine_ranks) + " ranks" : "") + " + " +
           number(spec.standbys) + " standbys" + (spec.clients > 0 ? " + " + number(spec.clients) + " clients" : "") +
           ")";
}

std::string complaint_about_slots(const JobSpec& spec, const Machine& machine) {
    const auto wanted = ranks_of(spec);
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

/// A number that is too small for its option.
std::string complaint_about_least(const JobSpec& spec) {
    struct Least {
        const char* option;
        int value, least;
    };
    for (const auto& [option, value, least] :
         {Least{"--standbys", spec.standbys, 0}, Least{"--clients", spec.clients, 0},
          Least{"--min", spec.engines_min, 1}, Least{"--engine-ranks", spec.engine_ranks, 1},
          Least{"--consensus-every", spec.consensus_every, 1}, Least{"--fan-out", spec.fan_out, 1},
          Least{"--followers", spec.followers, 0}, Least{"--queue-max", spec.queue_max, 0},
          Least{"--queue-max-per-engine", spec.queue_max_per_engine, 0},
          Least{"--load-interval", spec.load_interval_ms, 1}})
        if (value < least) return std::string(option) + " " + number(value) + ": must be " + number(least) + " or more";
    // 0 is the default and means one group; as an option it would say nothing.
    if (spec.group_size < 0) return "--group-size " + number(spec.group_size) + ": must be 1 or more";
    return "";
}

/// Faults for somebody who is not there would never happen, and nobody would know why.
std::string complaint_about_faults(const JobSpec& spec) {
    const auto orders = core::parse_fault_orders(spec.inject);
    const auto text =
        orders ? core::complaint_about_ranks(*orders, static_cast<std::uint32_t>(spec.ranks())) : orders.error().text;
    return text.empty() ? "" : "--inject " + text;
}

}  // namespace

std::string complaint_about_counts(const JobSpec& spec, const Machine& machine) {
    if (spec.engines < 1) return "-n " + number(spec.engines) + ": a job needs 1 engine or more";
    if (auto text = complaint_about_least(spec); !text.empty()) return text;
    if (spec.engines_min > spec.engines)
        return "--min " + number(spec.engines_min) + " is more than the " + number(spec.engines) +
               " engines of -n; the job could never run";
    if (spec.group_size > 0 && spec.engines % spec.group_size != 0)
        return "--group-size " + number(spec.group_size) + " does not divide the " + number(spec.engines) +
               " engines of -n";
    if (spec.controller && spec.group_size == 0)
        return "--controller needs --group-size: each replica is one lockstep group";
    if (spec.controller && spec.slot_order != "stable")
        return "--controller needs --slot-order stable, not " + spec.slot_order +
               ": others would move members from one replica to another";
    const auto all = static_cast<long long>(spec.engines) * spec.engine_ranks + spec.standbys + spec.clients;
    if (all > std::numeric_limits<int>::max()) return "-n " + number(spec.engines) + ": MPI cannot count so many ranks";
    if (auto text = complaint_about_faults(spec); !text.empty()) return text;
    return complaint_about_slots(spec, machine);
}

}  // namespace muster::launch
