// SPDX-License-Identifier: Apache-2.0
#pragma once
/// `muster bench NAME`: starts muster-bench under mpirun, judges what it measured against the budgets of DESIGN.md.
/// All of them return an exit code: 0; 1 where `check` is set and a ratio misses its budget; 15 where nothing could be
/// measured.

#include <optional>
#include <string>
#include <vector>

#include "cli/bench_job.hpp"
#include "cli/bench_report.hpp"

namespace muster::cli {

struct BenchOptions {
    int ranks = 4;                   ///< Engines of the world.
    int deaths = 12;                 ///< rebuild, controller: through muster, and as many by bare calls.
    int forward_us = 1'000;          ///< consensus: how long a forward computes.
    int turns = 1'000;               ///< consensus: of each kind.
    int cycles = 100;                ///< pause: of pause and unpause, and of each bare form.
    int seconds = 5;                 ///< rest: how long.
    int requests = 2'000;            ///< route: a block.
    int window = 64;                 ///< route, controller: open at once.
    int bytes = 64;                  ///< route: of a request.
    int rounds = 20;                 ///< rendezvous: of each kind.
    int standbys = 1;                ///< rendezvous: 0: nobody is parked.
    int changes = 2'000;             ///< controller: a block.
    std::string directory = "/tmp";  ///< controller: where journals are written.
    bool json = false, check = false, verbose = false;
    std::string mpirun;
};

[[nodiscard]] int bench_rebuild(const BenchOptions& options);
[[nodiscard]] int bench_consensus(const BenchOptions& options);
[[nodiscard]] int bench_pause(const BenchOptions& options);
[[nodiscard]] int bench_route(const BenchOptions& options);
[[nodiscard]] int bench_rendezvous(const BenchOptions& options);
[[nodiscard]] int bench_rest(const BenchOptions& options);
[[nodiscard]] int bench_controller(const BenchOptions& options);

/// A job of options.ranks engines; `key`, `arguments`: as in BenchJob.
[[nodiscard]] BenchJob job_of(const BenchOptions& options, const std::string& key, std::vector<std::string> arguments);

/// Prints it as the options say. The exit code; nothing: the benchmark broke off.
[[nodiscard]] int print_report(const BenchOptions& options, const std::optional<BenchReport>& report);

}  // namespace muster::cli
