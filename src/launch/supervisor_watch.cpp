// SPDX-License-Identifier: Apache-2.0
// What the supervisor does with a job that is lost with its launcher, or that is to save and end.
#include <algorithm>

#include "launch/slurm.hpp"
#include "launch/supervisor.hpp"

namespace muster::launch {

namespace {

constexpr std::chrono::milliseconds kTermGrace{3'000};
constexpr std::chrono::milliseconds kMoment{50};  ///< The ending may come over another link than the last farewell.

/// Endings for want of members, which a new job has, or because something hung: Open MPI now and then never comes back
/// from MPI_Init, or from a shrink in which another node dies.
bool repairable(int code) {
    const auto exit_code = static_cast<ExitCode>(code);
    return exit_code == ExitCode::below_min || exit_code == ExitCode::lost_quorum ||
           exit_code == ExitCode::state_lost || exit_code == ExitCode::timed_out;
}

}  // namespace

void Supervisor::look_after_the_job() {
    if (!running_ || !options_.watching.on()) return;
    const auto& pulses = watch_.pulses();
    if (options_.on_first_commit && pulses.first_commit() && !std::exchange(told_first_commit_, true))
        options_.on_first_commit(pulses.step().value_or(0), *pulses.first_commit());
    if (options_.wind_down_when && !watch_.winding_down() && story_.joined())
        if (const auto why = options_.wind_down_when(); !why.empty()) wind_down(why);
    watch_.push_wind_down(story_.state());
    if (Clock::now() >= save_limit_ && !story_.ended()) {
        save_limit_ = Clock::time_point::max();
        options_.on_line("muster: the job has not saved and ended within " +
                         std::to_string(options_.save_within.count() / 1000) +
                         " s; it is stopped and goes on from its last checkpoint");
        press(Pressure::term, Clock::now() + kTermGrace);
    }
    if (view_.stop_asked || view_.requeue || !watch_.finds_loss(story_.ended().has_value())) return;
    const auto until = Clock::now() + kMoment;
    while (running_ && !story_.ended() && Clock::now() < until) turn(until);
    if (story_.ended()) return;
    view_.loss = watch_.loss()->how;
    if (options_.verbose) options_.on_line("muster: " + view_.loss + "; the old job is ended");
    end_lost_job();
}

/// Whatever is left of it, on this side of the network: mpirun's daemons end when they lose it.
void Supervisor::end_lost_job() {
    if (const auto& step = watch_.loss()->slurm_step; !step.empty()) cancel_slurm_step(step);
    press(Pressure::kill, Clock::time_point::max());
}

/// Until the last member's link has closed, or its lease is over: two jobs must not run beside each other.
void Supervisor::await_the_last() {
    const bool unfinished = !story_.ended() || repairable(story_.ended()->code);
    if (!options_.watching.on() || view_.stop_asked || view_.requeue || !unfinished ||
        !(story_.joining() || story_.joined()))
        return;
    watch_.lost_by_launcher(
        (watch_.pulses().any_open() ? "mpirun ended with " : "every member's link has closed, mpirun ended with ") +
        std::to_string(view_.mpirun_status));
    sweep();
    while (watch_.may_live()) turn(Clock::now() + kMoment);
}

/// Nothing where the job ended as it should, or in a way that the next one would end in too.
std::optional<JobLoss> Supervisor::loss() const {
    if (view_.stop_asked || view_.requeue || (story_.ended() && !repairable(story_.ended()->code))) return {};
    auto loss = watch_.loss();
    if (loss) loss->over = Clock::now();
    if (loss && story_.ended())
        loss->how = std::string("it ended with ") + name_of(static_cast<ExitCode>(story_.ended()->code));
    return loss;
}

void Supervisor::wind_down(const std::string& why) {
    if (!running_ || view_.requeue || view_.stop_asked || story_.ended()) return;
    view_.requeue = true;
    const bool asked = watch_.wind_down(ExitCode::requeue_wanted, why);
    options_.on_line(
        "muster: " + why + "; the job " +
        (asked ? "is asked to save and to end" : "does not listen (it has joined no session): it is stopped"));
    save_limit_ = Clock::now() + options_.save_within;
    if (!asked) press(Pressure::term, Clock::now() + kTermGrace);
}

}  // namespace muster::launch
