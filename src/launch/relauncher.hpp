// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Runs a job, and where its launcher kills it runs it again on the hosts that answer, from its last checkpoint.
/// Intuition: what is lost is the launcher's job, not the program's: same run id, same program, same checkpoint
/// directory; Supervisor says when a job is lost (long before mpirun does) and that nothing of it is left.
/// Each relaunch is told with the parts of its time, and as an event {"event":"relaunch", ...} (DESIGN.md).
/// Not repairable: the loss of the machine that this runs on.
/// Thread safety: as run_job().

#include <optional>
#include <string>

#include "launch/job.hpp"
#include "launch/relaunch_plan.hpp"
#include "launch/returned_hosts.hpp"
#include "launch/signals.hpp"

namespace muster::launch {

/// One job with a preflight that went well: supervisor.hpp.
[[nodiscard]] Outcome run_once(const JobSpec& spec, const Preflight& flight, const JobOptions& options);

class Relauncher {
public:
    using Clock = std::chrono::steady_clock;
    Relauncher(const JobSpec& spec, const Preflight& flight, JobOptions options);
    [[nodiscard]] Outcome run();

private:
    /// The times of the relaunch that is under way.
    struct Attempt {
        JobLoss loss;
        Clock::time_point asked{}, joined{}, first_commit{};
        std::uint64_t step = 0;  ///< Committed when the first commit was heard of.
        std::map<std::string, std::string> silent{};
        bool told = false;
    };

    Outcome launch();
    [[nodiscard]] std::optional<JobLoss> loss_of(const Outcome& outcome);
    [[nodiscard]] std::optional<Outcome> prepare(const JobLoss& loss);
    [[nodiscard]] bool wants_growth(const Outcome& outcome) const;
    [[nodiscard]] std::optional<Outcome> stopped_meanwhile();
    [[nodiscard]] Outcome too_few(const std::string& why) const;
    JobOptions options_for_launch();
    void on_event(const nlohmann::json& event);
    void tell_begin() const;
    void tell_parts();
    void say(const std::string& text) const { options_.on_line("muster: " + text); }

    JobSpec wanted_, spec_;
    Preflight flight_;
    JobOptions options_;
    SignalBox signals_;  ///< Also between two jobs.
    int launches_ = 0;   ///< After the first.
    std::optional<Attempt> attempt_;
    std::optional<ReturnedHosts> returned_;
    std::string growth_;  ///< Why the job was asked to end, when it was to be launched larger.
};

}  // namespace muster::launch
