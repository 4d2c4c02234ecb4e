// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_controller_report.hpp"

#include <algorithm>

namespace muster::cli {
namespace {

struct RowText {
    const char* name;
    const char* meaning;
};
constexpr RowText kDeathRows[] = {
    {"succession", "kill of the coordinator -> a call made then is answered"},
    {"detection", "of it: kill -> noticed by the successor"},
    {"shrink", "revoke and shrink"},
    {"build", "facts, plan, communicators, agreement"},
    {"answer", "built -> answered: the state, its followers, the call"},
    {"bare", "kill -> shrunk, bare"},
    {"bare_detection", "of it: kill -> error"},
    {"bare_shrink", "revoke and shrink"},
};

bool add_form(BenchReport& report, const ChangeForm& form, const BenchSamples& samples) {
    const std::string name = form.name;
    const auto row = [&](const std::string& row_name, const std::string& meaning, const std::string& key) {
        return add_row(report, row_name, meaning, values_of(samples, key));
    };
    return row(name + "_single", "a change, one call open: " + std::string(form.meaning), "single") &&
           row("bare_" + name + "_single", "bare messages of the same bytes, bare writes", "bare_single") &&
           row(name + "_window", "the same with many calls open", "window") &&
           row("bare_" + name + "_window", "bare, as many open", "bare_window") &&
           (form.bare_disk == nullptr ||
            row(form.bare_disk, "one bare write of a record to the same directory", form.bare_disk));
}

void add_ratios(BenchReport& report, const ChangeForm& form, const BenchSamples& samples) {
    constexpr double kUsPerSecond = 1e6;
    for (const std::string open : {"single", "window"}) {
        const auto name = form.name + ("_" + open);
        const double ours = median_in(samples, open);
        report.ratios.push_back({name + "_over_bare", ours / median_in(samples, "bare_" + open), {}});
        if (form.bare_disk != nullptr)
            report.ratios.push_back({name + "_over_" + form.bare_disk, ours / median_in(samples, form.bare_disk), {}});
        report.ratios.push_back({name + "_per_second", kUsPerSecond / ours, {}});
    }
}

}  // namespace

std::optional<BenchReport> controller_report(int ranks, const std::map<std::string, BenchSamples>& by_form,
                                             const BenchSamples& deaths) {
    BenchReport report{.bench = "controller", .ranks = ranks, .rows = {}, .ratios = {}, .in_us = true};
    for (const auto& form : kChangeForms) {
        const auto samples = by_form.find(form.name);
        if (samples == by_form.end() || !add_form(report, form, samples->second)) return std::nullopt;
        add_ratios(report, form, samples->second);
    }
    const auto is_there = [&](const RowText& row) {
        return add_row(report, row.name, row.meaning, values_of(deaths, row.name));
    };
    if (!std::all_of(std::begin(kDeathRows), std::end(kDeathRows), is_there)) return std::nullopt;
    constexpr double kUsPerMs = 1e3;
    const double ours = median_in(deaths, "succession");
    report.ratios.push_back({"succession_over_bare", ours / median_in(deaths, "bare"), {}});
    report.ratios.push_back({"succession_over_bare_shrink", ours / median_in(deaths, "bare_shrink"), {}});
    report.ratios.push_back({"succession_ms", ours / kUsPerMs, {}});
    report.ratios.push_back({"bare_shrink_ms", median_in(deaths, "bare_shrink") / kUsPerMs, {}});
    return report;
}

}  // namespace muster::cli
