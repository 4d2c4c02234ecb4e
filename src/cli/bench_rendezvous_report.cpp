// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_rendezvous_report.hpp"

#include <algorithm>

namespace muster::cli {
namespace {

struct RowText {
    const char* name;
    const char* meaning;
};
constexpr RowText kRows[] = {
    {"regroup", "one asks -> next() said rebuilt on all"},
    {"notice", "of it: call -> noticed on rank 0"},
    {"shrink", "revoke and shrink"},
    {"build", "facts, plan, communicators, agreement"},
    {"hand_over", "built -> next() said rebuilt on rank 0"},
    {"last", "next() said so on rank 0 -> on the last"},
    {"all_ask", "all ask at once: first call -> the same"},
};
constexpr RowText kParkedRows[] = {
    {"park", "an engine gives its slot to a standby"},
    {"unpark", "and is a standby itself from then on"},
};
constexpr RowText kBareRows[] = {
    {"split", "bare MPI_Comm_split, all spinning"},
    {"split_asleep", "the same, all but rank 0 rung up from poll first"},
    {"bare_round", "bare revoke, shrink, as many splits"},
};

template <std::size_t n>
bool add_rows(BenchReport& report, const RowText (&rows)[n], const BenchSamples& samples) {
    return std::all_of(std::begin(rows), std::end(rows), [&](const RowText& row) {
        return add_row(report, row.name, row.meaning, values_of(samples, row.name));
    });
}

double most_of(const BenchSamples& samples, const std::string& name) {
    const auto& values = samples.at(name);
    return *std::max_element(values.begin(), values.end());
}

}  // namespace

double messages_budget(int members) {
    constexpr int kFollowers = 2, kInTheTree = 5;                // Four children and a parent.
    constexpr double kRingsPerDoubling = 2, kWithNeighbour = 8;  // Resync, two messages, acknowledgement, a ring each.
    int doublings = 0;
    for (int reached = 1; reached < members; reached *= 2) ++doublings;
    return kRingsPerDoubling * doublings + kWithNeighbour * std::min(members - 1, kFollowers + kInTheTree);
}

std::optional<BenchReport> rendezvous_report(int ranks, const BenchSamples& samples) {
    BenchReport report{.bench = "rendezvous", .ranks = ranks, .rows = {}, .ratios = {}, .in_us = true};
    const bool parked = samples.contains("park");
    if (!add_rows(report, kRows, samples) || (parked && !add_rows(report, kParkedRows, samples)) ||
        !add_rows(report, kBareRows, samples) || values_of(samples, "messages").empty() ||
        values_of(samples, "rounds_of_all_ask").empty())
        return std::nullopt;
    constexpr double kBudget = 3.0, kOneRound = 1.0;
    const auto over = [&](const char* one, const char* other) {
        return median_in(samples, one) / median_in(samples, other);
    };
    report.ratios = {
        {"round_over_split", over("regroup", "split"), kBudget},
        {"all_ask_over_split", over("all_ask", "split"), kBudget},
        {"messages_per_member_max", most_of(samples, "messages"), messages_budget(ranks)},
        {"rounds_of_all_ask_max", most_of(samples, "rounds_of_all_ask"), kOneRound},
        {"round_over_split_asleep", over("regroup", "split_asleep"), {}},
        {"round_over_bare_round", over("regroup", "bare_round"), {}},
    };
    if (parked) report.ratios.push_back({"park_over_split", over("park", "split"), kBudget});
    return report;
}

}  // namespace muster::cli
