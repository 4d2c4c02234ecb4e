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
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "launch/job_spec.hpp"
#include "launch/preflight.hpp"

namespace muster::launch {

/// How a job's own signs of life are listened to (job_watch.hpp).
struct Watching {
    std::chrono::milliseconds interval{0};    ///< Between beats, both ways. 0: nobody beats, nothing is watched.
    std::chrono::milliseconds window{2'000};  ///< Whoever is silent for longer is not there.
    /// A member that does not hear `muster run` for so long stops itself. 0: it never does.
    std::chrono::milliseconds lease{0};
    bool node_loss_is_fatal = false;  ///< The launcher kills the job for it, sooner or later.
    /// Asked in a thread of its own about a node by the name that its members gave.
    std::function<bool(const std::string& node)> node_answers{};
    [[nodiscard]] bool on() const { return interval.count() > 0; }
};

/// A job that its launcher has killed, or will. Times are on the steady clock.
struct JobLoss {
    std::string how{};
    std::set<std::string> nodes{};                                         ///< That are known to be gone; may be empty.
    std::chrono::steady_clock::time_point last_sign{}, noticed{}, over{};  ///< over: nothing of it is left.
    std::optional<std::uint64_t> step{};  ///< The last committed one that was heard of.
    std::string slurm_step{};             ///< Of srun; else empty.
};

/// Whether and how a job that is lost with its launcher is started again (relauncher.hpp).
struct Relaunching {
    int most = 0;                                           ///< Times.
    std::chrono::milliseconds ask_limit{3'000};             ///< For a host to answer; whoever is later is left out.
    std::chrono::milliseconds window{2'000}, lease{5'000};  ///< As in Watching.
    /// More hosts that have been offered since the job began, asked before each launch. May be empty.
    std::function<std::vector<HostSlots>()> more_hosts{};
    bool returned_hosts = false;  ///< A host that was silent and answers again is worth a relaunch.
    [[nodiscard]] bool on() const { return most > 0; }
};

struct JobOptions {
    bool verbose = false;
    bool keeper = false;                           ///< This process has other threads: see ChildOptions.
    bool link = true;                              ///< Listen for what the job tells.
    std::chrono::milliseconds kill_after{10'000};  ///< How long mpirun may outlive the job, or a request to stop.
    /// Ranks may stand still for ever, to order. Then mpirun is killed and not asked to stop: it would set them going
    /// again, in a round that is long over.
    bool stopped_ranks = false;
    Relaunching relaunching{};
    Watching watching{};  ///< Set by run_job() where it is needed.
    /// The job's first commit, and the step that is committed now.
    std::function<void(std::uint64_t step, std::chrono::steady_clock::time_point when)> on_first_commit{};
    /// USR1 is not handed on: the job is asked to save and to end with requeue_wanted.
    bool requeue_on_usr1 = false;
    std::chrono::milliseconds save_within{60'000};  ///< For that; then it is stopped, its last checkpoint counts.
    /// Asked as stop_when: why the job shall save and end with requeue_wanted; empty: it shall not.
    std::function<std::string()> wind_down_when{};
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
    std::optional<JobLoss> loss{};  ///< The job was lost with its launcher: it can be started again.
    bool joined = false;            ///< It had a round.
};

/// "launcher_failed (15): " and the text.
[[nodiscard]] Outcome outcome_of(ExitCode code, const std::string& text);
/// Of a preflight with complaints.
[[nodiscard]] Outcome outcome_of(const Preflight& flight);

/// With our own streams wherever nobody has said where things go.
[[nodiscard]] JobOptions with_defaults(JobOptions options);

/// Preflight, then the job.
[[nodiscard]] Outcome run_job(const JobSpec& spec, const JobOptions& options);

/// The job, with a preflight that went well; again and again where JobOptions::relaunching says so.
[[nodiscard]] Outcome run_job(const JobSpec& spec, const Preflight& flight, const JobOptions& options);

}  // namespace muster::launch
