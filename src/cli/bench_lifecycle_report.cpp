// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_lifecycle_report.hpp"

#include <algorithm>
#include <vector>

namespace muster::cli {
namespace {

using Values = std::vector<double>;

/// One row out of the jobs of all forms: bare calls are the same in each.
Values of_all(const std::map<std::string, BenchSamples>& by_form, const std::string& name) {
    Values all;
    for (const auto& [form, samples] : by_form) {
        const auto more = values_of(samples, name);
        all.insert(all.end(), more.begin(), more.end());
    }
    return all;
}

/// The median of over[i] / under[i]; nothing where they are no pairs.
std::optional<double> paired_ratio(const Values& over, const Values& under) {
    if (over.empty() || over.size() != under.size()) return std::nullopt;
    Values ratios;
    for (std::size_t i = 0; i < over.size(); ++i) ratios.push_back(over[i] / under[i]);
    return median_of(std::move(ratios));
}

bool add_ratio(BenchReport& report, const std::string& name, std::optional<double> value,
               std::optional<double> budget = {}) {
    if (value) report.ratios.push_back({name, *value, budget});
    return value.has_value();
}

bool add_consensus_rows(BenchReport& report, const std::map<std::string, BenchSamples>& by_form) {
    bool whole =
        add_row(report, "forward_alone", "forward, before there is a session", of_all(by_form, "forward_alone")) &&
        add_row(report, "forward", "forward in a session, without next()", of_all(by_form, "forward")) &&
        add_row(report, "forward_allreduce", "the same after a bare allreduce", of_all(by_form, "forward_allreduce"));
    for (const auto& form : kConsensusForms)
        whole = whole && by_form.contains(form.name) &&
                add_row(report, std::string("turn_") + form.name, std::string("next() and forward: ") + form.meaning,
                        values_of(by_form.at(form.name), "turn"));
    whole = whole && add_row(report, "allreduce", "bare MPI_Allreduce of 4 integers", of_all(by_form, "allreduce"));
    for (const auto& form : kConsensusForms)
        whole = whole && add_row(report, std::string("next_") + form.name, std::string("next() alone: ") + form.meaning,
                                 values_of(by_form.at(form.name), "next"));
    return whole;
}

}  // namespace

std::optional<BenchReport> consensus_report(int ranks, bool core_each,
                                            const std::map<std::string, BenchSamples>& by_form) {
    BenchReport report{.bench = "consensus", .ranks = ranks, .rows = {}, .ratios = {}, .in_us = true};
    if (!add_consensus_rows(report, by_form)) return std::nullopt;
    constexpr double kTurnBudget = 1.01, kConsensusBudget = 1.2;
    const auto budget = core_each ? std::optional(kTurnBudget) : std::nullopt;
    bool whole = true;
    for (const auto& form : kConsensusForms) {
        const auto& samples = by_form.at(form.name);
        // Only the default form promises: the others are there to choose from.
        const bool promised = &form == std::begin(kConsensusForms);
        whole = whole && add_ratio(report, std::string("turn_") + form.name + "_over_forward",
                                   paired_ratio(values_of(samples, "turn"), values_of(samples, "forward")),
                                   promised ? budget : std::nullopt);
    }
    const auto& blocking = by_form.at(kConsensusForms[0].name);
    const auto ratio_of = [&](const char* over, const char* under) {
        return paired_ratio(values_of(blocking, over), values_of(blocking, under));
    };
    whole = whole && add_ratio(report, "forward_allreduce_over_forward", ratio_of("forward_allreduce", "forward")) &&
            add_ratio(report, "turn_over_forward_allreduce", ratio_of("turn", "forward_allreduce")) &&
            add_ratio(report, "forward_over_alone",
                      median_of(of_all(by_form, "forward")) / median_of(of_all(by_form, "forward_alone"))) &&
            add_ratio(report, "consensus_over_allreduce", ratio_of("next", "allreduce"), kConsensusBudget);
    return whole ? std::optional(std::move(report)) : std::nullopt;
}

std::optional<BenchReport> pause_report(int ranks, const BenchSamples& samples) {
    BenchReport report{.bench = "pause", .ranks = ranks, .rows = {}, .ratios = {}, .in_us = true};
    const bool whole =
        add_row(report, "pause", "call -> all PAUSED, engines at rest", values_of(samples, "pause")) &&
        add_row(report, "unpause", "call -> all RUNNING", values_of(samples, "unpause")) &&
        add_row(report, "bare", "bare bcast, allreduce, barrier, all spinning", values_of(samples, "bare")) &&
        add_row(report, "bare_asleep", "the same, all but rank 0 rung up from poll first",
                values_of(samples, "bare_asleep"));
    if (!whole) return std::nullopt;
    constexpr double kBudget = 2.0;
    report.ratios = {
        {"pause_over_bare", median_in(samples, "pause") / median_in(samples, "bare"), kBudget},
        {"pause_over_bare_asleep", median_in(samples, "pause") / median_in(samples, "bare_asleep"), {}},
        {"unpause_over_bare_asleep", median_in(samples, "unpause") / median_in(samples, "bare_asleep"), {}},
    };
    return report;
}

std::optional<BenchReport> rest_report(int ranks, const BenchSamples& samples) {
    BenchReport report{.bench = "rest", .ranks = ranks, .rows = {}, .ratios = {}, .in_us = true};
    const bool whole =
        add_row(report, "resting_cpu", "CPU time of a resting engine in a second", values_of(samples, "resting_cpu")) &&
        add_row(report, "wake", "submit -> the engine's forward begins", values_of(samples, "wake"));
    if (!whole) return std::nullopt;
    constexpr double kUsPerSecondPerPercent = 1e4, kUsPerMs = 1e3, kPercentBudget = 2.0, kWakeBudgetMs = 2.0;
    report.ratios = {
        {"resting_cpu_percent_max", report.rows[0].max_us / kUsPerSecondPerPercent, kPercentBudget},
        {"wake_ms", report.rows[1].median_us / kUsPerMs, kWakeBudgetMs},
    };
    return report;
}

std::optional<BenchReport> route_report(int ranks, const BenchSamples& samples) {
    BenchReport report{.bench = "route", .ranks = ranks, .rows = {}, .ratios = {}, .in_us = true};
    const bool whole =
        add_row(report, "bare_request", "a request in a bare MPI loop, window full",
                values_of(samples, "bare_request")) &&
        add_row(report, "request", "the same through muster", values_of(samples, "request")) &&
        add_row(report, "bare_round_trip", "one request at a time, bare", values_of(samples, "bare_round_trip")) &&
        add_row(report, "round_trip", "the same through muster", values_of(samples, "round_trip")) &&
        add_row(report, "bare_coordinator_cpu", "CPU time of rank 0 a request, bare (it spins)",
                values_of(samples, "bare_coordinator_cpu")) &&
        add_row(report, "coordinator_cpu", "the same through muster, window full",
                values_of(samples, "coordinator_cpu"));
    if (!whole) return std::nullopt;
    constexpr double kRateBudget = 0.7, kUsPerSecond = 1e6;
    report.ratios = {
        {"request_over_bare", median_in(samples, "request") / median_in(samples, "bare_request"), 1 / kRateBudget},
        {"requests_per_second", kUsPerSecond / median_in(samples, "request"), {}},
        {"bare_requests_per_second", kUsPerSecond / median_in(samples, "bare_request"), {}},
        {"round_trip_over_bare", median_in(samples, "round_trip") / median_in(samples, "bare_round_trip"), {}},
        {"coordinator_cpu_over_bare",
         median_in(samples, "coordinator_cpu") / median_in(samples, "bare_coordinator_cpu"),
         {}},
    };
    return report;
}

}  // namespace muster::cli
