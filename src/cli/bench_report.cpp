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

const char* meaning_of(const std::string& name) {
    for (const auto& row : kRebuildRows)
        if (name == row.name) return row.meaning;
    return "";
}

double rounded(double value, double unit) { return std::round(value / unit) * unit; }

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

std::optional<BenchReport> rebuild_report(int ranks, const BenchSamples& samples) {
    BenchReport report{.bench = "rebuild", .ranks = ranks, .rows = {}, .ratios = {}};
    std::map<std::string, double> median;
    for (const auto& [name, meaning] : kRebuildRows) {
        const auto found = samples.find(name);
        if (found == samples.end() || found->second.empty()) return std::nullopt;
        const auto [low, high] = std::minmax_element(found->second.begin(), found->second.end());
        median[name] = median_of(found->second);
        report.rows.push_back({name, median[name], *low, *high});
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
    auto rows = nlohmann::ordered_json::array(), ratios = nlohmann::ordered_json::array();
    for (const auto& row : report.rows)
        rows.push_back({{"name", row.name},
                        {"median_us", rounded(row.median_us, 0.1)},
                        {"min_us", rounded(row.min_us, 0.1)},
                        {"max_us", rounded(row.max_us, 0.1)}});
    for (const auto& ratio : report.ratios)
        ratios.push_back({{"name", ratio.name},
                          {"value", rounded(ratio.value, 0.001)},
                          {"budget", ratio.budget},
                          {"met", ratio.met()}});
    const nlohmann::ordered_json object{
        {"bench", report.bench}, {"ranks", report.ranks}, {"rows", rows}, {"ratios", ratios}};
    return object.dump(2) + '\n';
}

std::string as_table(const BenchReport& report) {
    std::string text = line("%s with %d ranks, times in ms\n\n", report.bench.c_str(), report.ranks);
    text += line("%-20s %9s %9s %9s\n", "", "median", "min", "max");
    for (const auto& row : report.rows)
        text += line("%-20s %9.3f %9.3f %9.3f  %s\n", row.name.c_str(), row.median_us / 1e3, row.min_us / 1e3,
                     row.max_us / 1e3, meaning_of(row.name));
    text += line("\n%-28s %9s %9s\n", "", "value", "budget");
    for (const auto& ratio : report.ratios)
        text += line("%-28s %9.2f %9.2f  %s\n", ratio.name.c_str(), ratio.value, ratio.budget,
                     ratio.met() ? "met" : "MISSED");
    return text;
}

}  // namespace muster::cli
