// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace muster::cli {
namespace {

struct RowText {
    const char* name;
    const char* meaning;
};
constexpr RowText kRebuildRows[] = {
    {"detection", "kill -> noticed"},
    {"shrink", "revoke and shrink"},
    {"build", "facts, plan, communicators, agreement"},
    {"hand_over", "built -> next() said rebuilt"},
    {"total", "kill -> first committed step of the refilled world"},
    {"after_detection", "total without detection"},
    {"bare", "bare revoke, shrink, as many splits and dups, first allreduce"},
    {"bare_detection", "kill -> error in the bare loop"},
    {"bare_shrink", "bare revoke and shrink"},
    {"bare_build", "bare splits and dups"},
    {"survivor_at_work", "kill -> next() said rebuilt, a survivor"},
    {"promoted_at_work", "kill -> next() said rebuilt, the promoted standby"},
    {"promoted_hand_over", "built -> next() said rebuilt, the promoted standby"},
    {"parked_cpu", "CPU time of a parked standby in a second"},
};

/// To so many parts of 1.
double rounded(double value, double parts) { return std::round(value * parts) / parts; }

std::string line(const char* format, auto... values) {
    char text[256];
    std::snprintf(text, sizeof text, format, values...);
    return text;
}

}  // namespace

bool BenchReport::met() const {
    return std::all_of(ratios.begin(), ratios.end(), [](const BenchRatio& ratio) { return ratio.met(); });
}

double median_of(std::vector<double> samples) {
    std::sort(samples.begin(), samples.end());
    const auto half = samples.size() / 2;
    return samples.size() % 2 == 1 ? samples[half] : (samples[half - 1] + samples[half]) / 2;
}

std::vector<double> values_of(const BenchSamples& samples, const std::string& name) {
    const auto found = samples.find(name);
    return found == samples.end() ? std::vector<double>{} : found->second;
}

double median_in(const BenchSamples& samples, const std::string& name) { return median_of(samples.at(name)); }

bool add_row(BenchReport& report, const std::string& name, const std::string& meaning,
             const std::vector<double>& samples) {
    if (samples.empty()) return false;
    const auto [low, high] = std::minmax_element(samples.begin(), samples.end());
    report.rows.push_back({name, meaning, median_of(samples), *low, *high});
    return true;
}

std::optional<BenchReport> rebuild_report(int ranks, const BenchSamples& samples) {
    BenchReport report{.bench = "rebuild", .ranks = ranks, .rows = {}, .ratios = {}};
    std::map<std::string, double> median;
    for (const auto& [name, meaning] : kRebuildRows) {
        const auto found = samples.find(name);
        if (found == samples.end() || !add_row(report, name, meaning, found->second)) return std::nullopt;
        median[name] = report.rows.back().median_us;
    }
    constexpr double kUsPerMs = 1e3, kUsPerSecondPerPercent = 1e4;
    const auto promoted_late = std::max(0.0, median["promoted_at_work"] - median["survivor_at_work"]);
    report.ratios = {
        {"rebuild_over_bare", median["after_detection"] / median["bare"], 2.0},
        {"parked_cpu_percent", median["parked_cpu"] / kUsPerSecondPerPercent, 2.0},
        {"promoted_after_survivor_ms", promoted_late / kUsPerMs, 2.0},
    };
    constexpr int kRanksOfTheBudget = 8;  // the time is promised up to here, on one machine
    if (ranks <= kRanksOfTheBudget) report.ratios.push_back({"total_ms", median["total"] / kUsPerMs, 50.0});
    return report;
}

std::string as_json(const BenchReport& report) {
    constexpr double kTimeParts = 100, kRatioParts = 10'000;
    auto rows = nlohmann::ordered_json::array(), ratios = nlohmann::ordered_json::array();
    for (const auto& row : report.rows)
        rows.push_back({{"name", row.name},
                        {"median_us", rounded(row.median_us, kTimeParts)},
                        {"min_us", rounded(row.min_us, kTimeParts)},
                        {"max_us", rounded(row.max_us, kTimeParts)}});
    for (const auto& ratio : report.ratios) {
        nlohmann::ordered_json one{{"name", ratio.name}, {"value", rounded(ratio.value, kRatioParts)}};
        one["budget"] = ratio.budget ? nlohmann::ordered_json(*ratio.budget) : nullptr;
        one["met"] = ratio.budget ? nlohmann::ordered_json(ratio.met()) : nullptr;
        ratios.push_back(one);
    }
    const nlohmann::ordered_json object{
        {"bench", report.bench}, {"ranks", report.ranks}, {"rows", rows}, {"ratios", ratios}};
    return object.dump(2) + '\n';
}

std::string as_table(const BenchReport& report) {
    std::string text =
        line("%s with %d ranks, times in %s\n\n", report.bench.c_str(), report.ranks, report.in_us ? "us" : "ms");
    const double unit = report.in_us ? 1 : 1e3;
    text += line("%-20s %9s %9s %9s\n", "", "median", "min", "max");
    for (const auto& row : report.rows)
        text += line("%-20s %9.3f %9.3f %9.3f  %s\n", row.name.c_str(), row.median_us / unit, row.min_us / unit,
                     row.max_us / unit, row.meaning.c_str());
    text += line("\n%-28s %9s %9s\n", "", "value", "budget");
    for (const auto& ratio : report.ratios)
        text += ratio.budget ? line("%-28s %9.3f %9.2f  %s\n", ratio.name.c_str(), ratio.value, *ratio.budget,
                                    ratio.met() ? "met" : "MISSED")
                             : line("%-28s %9.3f\n", ratio.name.c_str(), ratio.value);
    return text;
}

}  // namespace muster::cli
