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
    std::string name, meaning;
    double median_us = 0, min_us = 0, max_us = 0;
};

/// `met` is value <= budget. Without a budget it is for information, and met.
struct BenchRatio {
    std::string name;
    double value = 0;
    std::optional<double> budget{};
    [[nodiscard]] bool met() const { return !budget || value <= *budget; }
};

struct BenchReport {
    std::string bench;
    int ranks = 0;
    std::vector<BenchRow> rows;
    std::vector<BenchRatio> ratios;
    bool in_us = false;  ///< The table shows microseconds, not milliseconds.
    [[nodiscard]] bool met() const;
};

/// The middle one; of an even number of samples, the mean of the two in the middle. `samples` must not be empty.
[[nodiscard]] double median_of(std::vector<double> samples);

/// The samples of a row; empty where there is no such row.
[[nodiscard]] std::vector<double> values_of(const BenchSamples& samples, const std::string& name);

/// The median of a row that is there.
[[nodiscard]] double median_in(const BenchSamples& samples, const std::string& name);

/// Adds the row `name`. False where it has no samples.
bool add_row(BenchReport& report, const std::string& name, const std::string& meaning,
             const std::vector<double>& samples);

/// The samples of `muster-bench rebuild` as rows, in the order of a recovery, and the budgets of DESIGN.md.
/// Nothing where a row that a ratio needs is missing: the benchmark broke off.
[[nodiscard]] std::optional<BenchReport> rebuild_report(int ranks, const BenchSamples& samples);

/// {"bench","ranks","rows":[{"name","median_us","min_us","max_us"}],"ratios":[{"name","value","budget","met"}]}
/// budget and met are null where a ratio has no budget.
[[nodiscard]] std::string as_json(const BenchReport& report);

/// For people.
[[nodiscard]] std::string as_table(const BenchReport& report);

}  // namespace muster::cli
