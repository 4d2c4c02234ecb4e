// SPDX-License-Identifier: Apache-2.0
#include "launch/relauncher.hpp"

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "launch/host_check.hpp"
#include "launch/meeting_words.hpp"
#include "launch/slurm.hpp"

namespace muster::launch {

namespace {

constexpr std::chrono::milliseconds kInterval{200};

double ms_between(Relauncher::Clock::time_point from, Relauncher::Clock::time_point to) {
    return std::max(0.0, std::chrono::duration<double, std::milli>(to - from).count());
}

std::string names_of(const std::map<std::string, std::string>& silent) {
    std::string names;
    for (const auto& [host, complaint] : silent) names += (names.empty() ? "" : ", ") + host;
    return names;
}

}  // namespace

Relauncher::Relauncher(const JobSpec& spec, const Preflight& flight, JobOptions options)
    : wanted_(spec), spec_(spec), flight_(flight), options_(std::move(options)) {
    // Which nodes are left can only be said of nodes that have names.
    if (wanted_.hosts.empty() && flight.machine.in_slurm) wanted_.hosts = slurm_allocation();
}

Outcome Relauncher::run() {
    while (true) {
        auto outcome = launch();
        returned_.reset();
        auto loss = loss_of(outcome);
        if (!loss) return outcome;
        if (launches_ == options_.relaunching.most && growth_.empty()) {
            if (launches_ > 0) outcome.text += " (relaunched " + std::to_string(launches_) + " times: --relaunch)";
            return outcome;
        }
        if (auto ended = prepare(*loss)) return *ended;
        launches_ += growth_.empty() ? 1 : 0;
    }
}

Outcome Relauncher::launch() {
    auto outcome = run_once(spec_, flight_, options_for_launch());
    if (attempt_ && !attempt_->told) tell_parts();
    return outcome;
}

JobOptions Relauncher::options_for_launch() {
    auto options = options_;
    auto& watching = options.watching;
    const auto& relaunching = options_.relaunching;
    watching.interval = kInterval;
    watching.window = relaunching.window;
    if (relaunching.on()) watching.lease = relaunching.lease;
    watching.node_loss_is_fatal = relaunching.on() && (spec_.launcher == "srun" || !flight_.stack.survives_a_node());
    watching.node_answers = [spec = wanted_, machine = flight_.machine, limit = relaunching.ask_limit](
                                const std::string& node) { return node_answers(spec, machine, node, limit); };
    options.on_event = [this](const nlohmann::json& event) { on_event(event); };
    options.on_first_commit = [this](std::uint64_t step, Clock::time_point when) {
        if (!attempt_ || attempt_->told) return;
        attempt_->first_commit = when;
        attempt_->step = step;
        tell_parts();
    };
    growth_.clear();
    if (relaunching.returned_hosts || options_.wind_down_when)
        options.wind_down_when = [this] {
            if (options_.wind_down_when) growth_ = options_.wind_down_when();
            if (growth_.empty() && returned_) growth_ = returned_->any();
            return growth_;
        };
    if (relaunching.returned_hosts && attempt_ && !attempt_->silent.empty()) {
        JobSpec silent = wanted_;
        std::erase_if(silent.hosts, [&](const HostSlots& host) { return !attempt_->silent.contains(host.name); });
        returned_.emplace(std::move(silent), flight_.machine, relaunching.ask_limit);
    }
    return options;
}

bool Relauncher::wants_growth(const Outcome& outcome) const {
    return !growth_.empty() && outcome.code == static_cast<int>(ExitCode::requeue_wanted);
}

/// A job that ended for good is none; one that was asked to end so that it can grow is, and so is a launch that came to
/// nothing because a host went meanwhile.
std::optional<JobLoss> Relauncher::loss_of(const Outcome& outcome) {
    const auto now = Clock::now();
    if (wants_growth(outcome))
        return JobLoss{.how = growth_, .nodes = {}, .last_sign = now, .noticed = now, .over = now};
    growth_.clear();
    if (!options_.relaunching.on()) return std::nullopt;
    if (outcome.loss) return outcome.loss;
    if (outcome.joined || outcome.mpirun_status == 0) return std::nullopt;
    const bool launch_failed = launches_ > 0 && outcome.code == outcome.mpirun_status;
    if (launch_failed ||
        (!spec_.hosts.empty() && !ask_hosts(spec_, flight_.machine, options_.relaunching.ask_limit).empty()))
        return JobLoss{.how = "the launch came to nothing", .nodes = {}, .last_sign = now, .noticed = now, .over = now};
    return std::nullopt;
}

/// An outcome: the job cannot go on, or somebody has asked to stop.
std::optional<Outcome> Relauncher::prepare(const JobLoss& loss) {
    attempt_ = Attempt{.loss = loss};
    if (options_.relaunching.more_hosts)
        for (const auto& host : options_.relaunching.more_hosts())
            if (std::find(wanted_.hosts.begin(), wanted_.hosts.end(), host) == wanted_.hosts.end())
                wanted_.hosts.push_back(host);
    attempt_->silent = ask_hosts(wanted_, flight_.machine, options_.relaunching.ask_limit);
    attempt_->asked = Clock::now();
    if (auto ended = stopped_meanwhile()) return ended;
    auto plan = plan_relaunch(wanted_, attempt_->silent);
    if (!plan.complaint.empty()) return too_few(plan.complaint);
    spec_ = std::move(plan.spec);
    tell_begin();
    return std::nullopt;
}

std::optional<Outcome> Relauncher::stopped_meanwhile() {
    for (const int signal : signals_.take()) {
        if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP)
            return outcome_of(ExitCode::stopped, "a signal asked muster run to stop");
        if (signal == SIGUSR1 && options_.requeue_on_usr1)
            return outcome_of(ExitCode::requeue_wanted,
                              "USR1 has come between two launches; the same command goes on "
                              "from the last checkpoint");
    }
    return std::nullopt;
}

/// In Slurm other nodes can be had.
Outcome Relauncher::too_few(const std::string& why) const {
    const auto silent = attempt_->silent.empty() ? "" : " (" + names_of(attempt_->silent) + " does not answer)";
    if (flight_.machine.in_slurm)
        return outcome_of(ExitCode::requeue_wanted, attempt_->loss.how + ", and " + why + silent +
                                                        "; with scontrol requeue it goes on from its last checkpoint");
    return outcome_of(ExitCode::below_min, attempt_->loss.how + ", and " + why + silent +
                                               "; start it again when there are more hosts, or with a lower --min");
}

void Relauncher::on_event(const nlohmann::json& event) {
    if (attempt_ && event.value("event", "") == "joined") attempt_->joined = Clock::now();
    if (options_.on_event) options_.on_event(event);
}

void Relauncher::tell_begin() const {
    const auto& loss = attempt_->loss;
    const auto which = growth_.empty() ? "relaunch " + std::to_string(launches_ + 1) + " of " +
                                             std::to_string(options_.relaunching.most)
                                       : "relaunch to grow";
    say(which + ": " + loss.how + (loss.step ? " at step " + std::to_string(*loss.step) : "") +
        (attempt_->silent.empty() || !loss.nodes.empty() ? ""
                                                         : ", " + names_of(attempt_->silent) + " does not answer") +
        "; " + std::to_string(spec_.engines) + " engines and " + std::to_string(spec_.standbys) + " standbys" +
        (spec_.hosts.empty() ? "" : " on " + hosts_text(spec_.hosts)));
}

/// Once, with the first commit; where there never was one, at the end.
void Relauncher::tell_parts() {
    auto& at = *attempt_;
    at.told = true;
    const auto& loss = at.loss;
    const bool joined = at.joined != Clock::time_point(), commits = at.first_commit != Clock::time_point();
    const double noticed = ms_between(loss.last_sign, loss.noticed), over = ms_between(loss.noticed, loss.over);
    const double asked = ms_between(loss.over, at.asked), launched = joined ? ms_between(at.asked, at.joined) : 0;
    const double step = commits ? ms_between(at.joined, at.first_commit) : 0;
    const auto end = commits ? at.first_commit : joined ? at.joined : at.asked;
    const auto ms = [](double value) { return std::to_string(static_cast<long>(value + 0.5)) + " ms"; };
    say("of the relaunch: noticed " + ms(noticed) + " after the last sign of life, old job's end " + ms(over) +
        ", hosts asked " + ms(asked) + (joined ? ", launch " + ms(launched) : ", no launch") +
        (commits ? ", first step " + ms(step) + "; back at work after " + ms(ms_between(loss.last_sign, end)) : ""));
    if (!options_.on_event) return;
    nlohmann::json silent = nlohmann::json::array();
    for (const auto& [host, complaint] : at.silent) silent.push_back(host);
    options_.on_event({{"event", "relaunch"},
                       {"number", launches_},
                       {"how", loss.how},
                       {"silent", silent},
                       {"engines", spec_.engines},
                       {"standbys", spec_.standbys},
                       {"step_before", loss.step ? nlohmann::json(*loss.step) : nlohmann::json()},
                       {"step_after", commits ? nlohmann::json(at.step) : nlohmann::json()},
                       {"noticed_ms", noticed},
                       {"over_ms", over},
                       {"asked_ms", asked},
                       {"launch_ms", launched},
                       {"first_step_ms", step},
                       {"total_ms", ms_between(loss.last_sign, end)}});
}

}  // namespace muster::launch
