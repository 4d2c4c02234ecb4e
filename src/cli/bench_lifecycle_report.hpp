// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What `muster bench consensus`, `pause` and `rest` say, out of the samples of muster-bench. Pure.
/// Errors: nothing where a row that a ratio needs is missing: the benchmark broke off.

#include <map>
#include <optional>
#include <string>

#include "cli/bench_report.hpp"

namespace muster::cli {

/// How a session agrees each turn, as rows and ratios name it.
struct ConsensusForm {
    const char* name;
    const char* meaning;
    const char* mode;  ///< As for `muster run --consensus`.
    int every;         ///< Turns.
};
inline constexpr ConsensusForm kConsensusForms[] = {
    {"blocking", "a vote at the start of each turn", "blocking", 1},
    {"overlapped", "a vote under way during each turn", "overlapped", 1},
    {"every_16", "a vote every 16 turns", "blocking", 16},
    {"off", "no vote", "off", 1},
};

/// `by_form`: samples of `muster-bench consensus`, by the form's name. Ratios compare blocks that were measured one
/// after the other, and are the median over all such pairs. The budget for a turn holds where each rank has a core.
[[nodiscard]] std::optional<BenchReport> consensus_report(int ranks, bool core_each,
                                                          const std::map<std::string, BenchSamples>& by_form);

/// Samples of `muster-bench pause`.
[[nodiscard]] std::optional<BenchReport> pause_report(int ranks, const BenchSamples& samples);

/// Samples of `muster-bench rest`.
[[nodiscard]] std::optional<BenchReport> rest_report(int ranks, const BenchSamples& samples);

/// Samples of `muster-bench route`.
[[nodiscard]] std::optional<BenchReport> route_report(int ranks, const BenchSamples& samples);

}  // namespace muster::cli
