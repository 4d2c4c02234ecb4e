// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What `muster bench controller` says, out of the samples of muster-bench. Pure.

#include <map>
#include <optional>
#include <string>

#include "cli/bench_report.hpp"

namespace muster::cli {

/// What a change outlives beside all but one of the coordinator and its followers, as rows and ratios name it.
struct ChangeForm {
    const char* name;
    const char* meaning;
    const char* bare_disk;  ///< The row of one bare write of a record; none: nothing is written.
};
inline constexpr ChangeForm kChangeForms[] = {
    {"memory", "kept by the coordinator and 2 followers", nullptr},
    {"file", "and written to a file by each of them", "bare_write"},
    {"fsync", "and on the disk of each of them", "bare_fsync"},
};

/// `by_form`: samples of `muster-bench changes`, by the form's name; `deaths`: of `succession` and `bare-succession`.
/// Nothing where a row is missing: the benchmark broke off. No ratio has a budget: the disk's and the machine's own
/// times are in them, and beside them.
[[nodiscard]] std::optional<BenchReport> controller_report(int ranks,
                                                           const std::map<std::string, BenchSamples>& by_form,
                                                           const BenchSamples& deaths);

}  // namespace muster::cli
