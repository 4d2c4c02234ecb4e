// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Runs a program under mpirun from start to end: right flags, launcher link, signals, verdict, nothing left behind.
///
///     launch::JobSpec spec{.engines = 4, .standbys = 2, .program = {"./train", "--steps", "100"}};
///     const auto outcome = launch::run_job(spec, {.on_output = collect});
///
/// Thread safety: one job at a time, from one thread that stays alive until the end (mpirun is told to stop when the
/// thread that started it ends). While it runs, INT, TERM, HUP, USR1, USR2 are forwarded as in `muster run`.

#include <chrono>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "launch/job_spec.hpp"
#include "launch/preflight.hpp"

namespace muster::launch {

struct JobOptions {
    bool verbose = false;
    bool keeper = false;                           ///< This process has other threads: see ChildOptions.
    bool link = true;                              ///< Listen for what the job tells.
    std::chrono::milliseconds kill_after{10'000};  ///< How long mpirun may outlive the job, or a request to stop.
    /// Ranks may stand still for ever, to order. Then mpirun is killed and not asked to stop: it would set them going
    /// again, in a round that is long over.
    bool stopped_ranks = false;
    std::chrono::milliseconds time_limit{0};  ///< For the whole job; then it is stopped: timed_out. 0: none.
    /// Asked in the job's thread at least once a second; from true on it is as if TERM had come.
    std::function<bool()> stop_when{};
    /// Program's and mpirun's output, in pieces as they come. Default: our own stdout and stderr.
    std::function<void(std::string_view)> on_output{}, on_errors{};
    std::function<void(std::string_view)> on_line{};        ///< muster's own lines, without "\n". Default: stderr.
    std::function<void(const nlohmann::json&)> on_event{};  ///< Everything that came over the link.
};

struct Outcome {
    int code = 0;            ///< What `muster run` returns: see exit_codes.hpp; or mpirun's, where nobody joined.
    std::string text{};      ///< Why, in one line; may be empty.
    bool detail = false;     ///< `text` is only for -v.
    int mpirun_status = -1;  ///< -1: it was not started.
};

/// "launcher_failed (15): " and the text.
[[nodiscard]] Outcome outcome_of(ExitCode code, const std::string& text);
/// Of a preflight with complaints.
[[nodiscard]] Outcome outcome_of(const Preflight& flight);

/// With our own streams wherever nobody has said where things go.
[[nodiscard]] JobOptions with_defaults(JobOptions options);

/// Preflight, then the job.
[[nodiscard]] Outcome run_job(const JobSpec& spec, const JobOptions& options);

/// The job, with a preflight that went well.
[[nodiscard]] Outcome run_job(const JobSpec& spec, const Preflight& flight, const JobOptions& options);

}  // namespace muster::launch
