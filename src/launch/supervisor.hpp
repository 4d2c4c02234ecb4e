// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The loop behind run_job(): one poll over mpirun's output, the launcher link and signals, with a deadline on
/// everything that could last for ever.
/// Intuition: `pressure` only grows: none -> term -> kill. What raises it: a request to stop, a second one, and mpirun
/// that outlives the job's own ending by more than JobOptions::kill_after.

#include "launch/child.hpp"
#include "launch/job.hpp"
#include "launch/job_watch.hpp"
#include "launch/link_server.hpp"
#include "launch/orphans.hpp"
#include "launch/signals.hpp"
#include "launch/stderr_filter.hpp"
#include "launch/story.hpp"
#include "launch/verdict.hpp"

namespace muster::launch {

class Supervisor {
public:
    Supervisor(JobOptions options, LinkServer link)
        : options_(std::move(options)),
          link_(std::move(link)),
          watch_(options_.watching, link_),
          filter_(options_.verbose) {}

    [[nodiscard]] Outcome run(const JobSpec& spec, const Preflight& flight);

private:
    using Clock = std::chrono::steady_clock;
    enum class Pressure { none, term, kill };

    Result<Child> start_mpirun(const JobSpec& spec, const Preflight& flight);
    void watch();
    void drain(std::chrono::milliseconds limit);
    void turn(Clock::time_point until);
    void read_output();
    void read_errors();
    void take_signals();
    void take_signal(int signal);
    void take_event(int rank, const nlohmann::json& event);
    void push_when_due();
    void stop_when_out_of_time();
    void stop_when_told();
    void look_after_the_job();
    void wind_down(const std::string& why);
    void end_lost_job();
    void await_the_last();
    void sweep();
    [[nodiscard]] std::optional<JobLoss> loss() const;
    void press(Pressure pressure, Clock::time_point next);
    void reap();
    [[nodiscard]] bool streams_open() const;
    [[nodiscard]] Clock::time_point next_deadline() const;
    [[nodiscard]] Outcome outcome() const;

    JobOptions options_;
    SignalBox signals_;
    OrphanGuard orphans_;
    LinkServer link_;
    JobWatch watch_;
    StderrFilter filter_;
    Story story_;
    LauncherView view_;
    Child mpirun_;
    bool running_ = false;
    bool told_first_commit_ = false;
    Pressure pressure_ = Pressure::none;
    Clock::time_point next_pressure_ = Clock::time_point::max();
    Clock::time_point save_limit_ = Clock::time_point::max();
    Clock::time_point time_limit_ = Clock::time_point::max();
    Clock::time_point errors_since_ = Clock::time_point::max();  ///< Since when the filter holds something.
};

}  // namespace muster::launch
