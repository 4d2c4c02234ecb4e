// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The options of `muster run` about what it does when the launcher kills the job, and when Slurm's time is over.

#include <string>

#include "launch/job.hpp"

namespace CLI {
class App;
}

namespace muster::cli {

struct RelaunchOptions {
    int most = 0;
    double silence = 2, lease = 5, ask_limit = 3, save_within = 60;  ///< Seconds.
    std::string on_usr1 = "pass", launcher = "mpirun";
    bool dry_run = false;
};

void add_relaunch(CLI::App& run, RelaunchOptions& options);

/// What would be started and where, after all checks; starts nothing. The outcome is that of the checks.
[[nodiscard]] launch::Outcome dry_run(const launch::JobSpec& spec, const launch::JobOptions& job);

/// Into the job's own. What is wrong with them, with what to do; empty: nothing.
[[nodiscard]] std::string take_relaunch(const RelaunchOptions& options, launch::JobSpec& spec, launch::JobOptions& job);

}  // namespace muster::cli
