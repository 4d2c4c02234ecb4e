// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The end of a run: what went wrong, if anything, as a table for people and as JSON for scripts.

#include <string>
#include <vector>

#include "muster/session.hpp"
#include "serve/deployment.hpp"
#include "serve/operator.hpp"
#include "serve/options.hpp"
#include "serve/traffic.hpp"

namespace serve {

struct Report {
    TrafficReport traffic;
    OperatorReport signals;
    DeploymentReport deployment;
    std::vector<muster::RoundReport> rounds;
};

/// A sentence for each promise that was not kept; empty where all went well.
[[nodiscard]] std::vector<std::string> problems_of(const Report& report, const Options& options);

/// The table (or the JSON, where --json says "-") to standard output, the JSON to its file. False where that cannot be
/// written. Shape of the JSON: {"sent","answered","accuracy","differing","answered_twice","median_ms","slowest_ms",
/// "transitions":[{"signal","ms","open_requests"}],"engines":[{"rank","answered","forwards","dummy_forwards",
/// "released_mib"}],"rounds":[{"round","lost","promoted","stalled_ms"}],"problems":[]}
[[nodiscard]] bool show(const Report& report, const std::vector<std::string>& problems, const Options& options);

}  // namespace serve
