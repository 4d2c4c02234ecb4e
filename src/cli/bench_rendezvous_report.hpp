// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What `muster bench rendezvous` says, out of the samples of muster-bench. Pure.

#include <optional>

#include "cli/bench_report.hpp"

namespace muster::cli {

/// What a member may send itself in a round: two rings for each doubling of the members (its neighbours at distance 1,
/// 2, 4 ...), and, whatever their number, what it exchanges with followers and with its neighbours in the tree of
/// loads.
[[nodiscard]] double messages_budget(int members);

/// Nothing where a row that a ratio needs is missing: the benchmark broke off. Rows of parked engines may be missing,
/// both of them: there were no standbys.
[[nodiscard]] std::optional<BenchReport> rendezvous_report(int ranks, const BenchSamples& samples);

}  // namespace muster::cli
