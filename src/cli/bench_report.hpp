// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a benchmark says: rows of times and ratios with a budget, as JSON or as a table. Pure.
/// Units: microseconds.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace muster::cli {

/// Samples by row. Shape: one entry per repetition.
using BenchSamples = std::map<std::string, std::vector<double>>;

struct BenchRow {
    std::string name;
    double median_us = 0, min_us = 0, max_us = 0;
};

/// `met` is value <= budget.
struct BenchRatio {
    std::string name;
    double value = 0, budget = 0;
    [[nodiscard]] bool met() const { return value <= budget; }
};

struct BenchReport {
    std::string bench;
    int ranks = 0;
    std::vector<BenchRow> rows;
    std::vector<BenchRatio> ratios;
    [[nodiscard]] bool met() const;
};

/// The middle one; of an even number of samples, the mean of the two in the middle. `samples` must not be empty.
[[nodiscard]] double median_of(std::vector<double> samples);

/// The samples of `muster-bench rebuild` as rows, in the order of a recovery, and the budgets of DESIGN.md.
/// Nothing where a row that a ratio needs is missing: the benchmark broke off.
[[nodiscard]] std::optional<BenchReport> rebuild_report(int ranks, const BenchSamples& samples);

/// {"bench","ranks","rows":[{"name","median_us","min_us","max_us"}],"ratios":[{"name","value","budget","met"}]}
[[nodiscard]] std::string as_json(const BenchReport& report);

/// For people.
[[nodiscard]] std::string as_table(const BenchReport& report);

}  // namespace muster::cli
