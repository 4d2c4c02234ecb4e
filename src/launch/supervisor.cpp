// SPDX-License-Identifier: Apache-2.0
#include "launch/supervisor.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <nlohmann/json.hpp>

#include "launch/command_line.hpp"

namespace muster::launch {

namespace {

constexpr std::chrono::milliseconds kTermGrace{3'000};  ///< From SIGTERM to SIGKILL, after the job has ended.
constexpr std::chrono::milliseconds kHeldLineMax{100};  ///< How long an unfinished line of stderr is held.
constexpr std::chrono::milliseconds kDrainMax{500};     ///< For the last words after mpirun has gone.
constexpr std::chrono::milliseconds kSweepMax{3'000};

bool asks_to_stop(int signal) { return signal == SIGINT || signal == SIGTERM || signal == SIGHUP; }

/// Reads what is there into `take`; closes at the end of the stream.
template <class Take>
void read_from(Descriptor& from, Take take) {
    std::array<char, 16384> buffer{};
    const auto count = read(from.get(), buffer.data(), buffer.size());
    if (count > 0)
        take(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
    else if (count == 0 || (errno != EINTR && errno != EAGAIN))
        from.close();
}

}  // namespace

Outcome Supervisor::run(const JobSpec& spec, const Preflight& flight) {
    auto child = start_mpirun(spec, flight);
    if (!child) return outcome_of(ExitCode::launcher_failed, child.error().text);
    mpirun_ = std::move(*child);
    running_ = true;
    if (options_.time_limit.count() > 0) time_limit_ = Clock::now() + options_.time_limit;
    watch();
    await_the_last();
    drain(kDrainMax);
    sweep();
    drain(kDrainMax);
    options_.on_errors(filter_.flush());
    view_.last_words = filter_.last_words();
    return outcome();
}

Result<Child> Supervisor::start_mpirun(const JobSpec& spec, const Preflight& flight) {
    const auto& machine = flight.machine;
    const auto addresses = options_.link ? link_addresses(spec, machine, link_.port()) : "";
    auto variables = job_environment(spec, machine, addresses, link_.token());
    if (options_.watching.on()) {
        variables["MUSTER_PULSE_MS"] = std::to_string(options_.watching.interval.count());
        variables["MUSTER_LEASE_MS"] = std::to_string(options_.watching.lease.count());
    }
    std::vector<std::string> passed;
    for (const auto& [name, value] : variables) passed.push_back(name);
    const bool by_srun = view_.by_srun = spec.launcher == "srun";
    const auto command = by_srun ? srun_command(spec) : mpirun_command(spec, machine, flight.stack.mpirun, passed);
    if (options_.verbose) options_.on_line(quoted(command));
    // The heart of a watched job beats in a thread of its own.
    ChildOptions options{
        .environment = by_srun ? srun_environment(spec, machine, flight.stack.home()) : mpirun_environment(machine),
        .keeper = options_.keeper || options_.watching.on()};
    options.environment.insert(variables.begin(), variables.end());
    return start(command, options);
}

void Supervisor::watch() {
    while (running_) {
        turn(next_deadline());
        stop_when_out_of_time();
        stop_when_told();
        look_after_the_job();
        push_when_due();
    }
}

/// Reads until every stream has ended, so that no last word is lost.
void Supervisor::drain(std::chrono::milliseconds limit) {
    const auto until = Clock::now() + limit;
    turn(Clock::now());  // whoever has connected but was not accepted yet
    while (streams_open() && Clock::now() < until) turn(std::min(until, next_deadline()));
}

bool Supervisor::streams_open() const {
    return mpirun_.output.open() || mpirun_.errors.open() || link_.connections() > 0;
}

Supervisor::Clock::time_point Supervisor::next_deadline() const {
    const auto flush = errors_since_ == Clock::time_point::max() ? errors_since_ : errors_since_ + kHeldLineMax;
    return std::min({next_pressure_, flush, time_limit_, save_limit_, watch_.next_look()});
}

/// One poll: waits until something comes or `until` has passed, then handles all that is there.
void Supervisor::turn(Clock::time_point until) {
    std::vector<pollfd> waits = {
        {signals_.descriptor(), POLLIN, 0}, {mpirun_.output.get(), POLLIN, 0}, {mpirun_.errors.get(), POLLIN, 0}};
    link_.append_to(waits);
    constexpr std::chrono::milliseconds kLongest{1'000};  // the link's own limits are looked at this often
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(std::min(until - Clock::now(), Clock::duration(kLongest)));
    poll(waits.data(), waits.size(), static_cast<int>(std::max<long>(0, left.count())));
    link_.handle([this](int rank, const nlohmann::json& event) { take_event(rank, event); });
    if (waits[1].revents != 0) read_output();
    if (waits[2].revents != 0) read_errors();
    if (filter_.holds_something() && Clock::now() >= errors_since_ + kHeldLineMax) {
        options_.on_errors(filter_.flush());
        errors_since_ = Clock::time_point::max();
    }
    take_signals();
}

void Supervisor::read_output() { read_from(mpirun_.output, options_.on_output); }

void Supervisor::read_errors() {
    read_from(mpirun_.errors, [this](std::string_view bytes) {
        if (const auto text = filter_.take(bytes); !text.empty()) options_.on_errors(text);
        if (filter_.launcher_gave_up() && !story_.ended()) view_.gave_up = true;
        errors_since_ = filter_.holds_something() ? Clock::now() : Clock::time_point::max();
    });
}

void Supervisor::take_signals() {
    for (const int signal : signals_.take()) take_signal(signal);
    reap();
}

void Supervisor::take_signal(int signal) {
    if (!running_ || signal == SIGCHLD) return;
    if (signal == SIGUSR1 && options_.requeue_on_usr1)
        return wind_down("USR1 has come: the time of the allocation ends");
    if (!asks_to_stop(signal)) {
        kill(mpirun_.pid, signal);  // PRRTE hands USR1 and USR2 on to the ranks
        return;
    }
    const bool again = view_.stop_asked && signal == SIGINT;
    if (!view_.stop_asked) view_.ended_before_stop = story_.ended().has_value();
    view_.stop_asked = true;
    press(again ? Pressure::kill : Pressure::term, Clock::now() + options_.kill_after);
}

void Supervisor::take_event(int rank, const nlohmann::json& event) {
    const bool ended_before = story_.ended().has_value();
    for (const auto& line : story_.take(rank, event))
        if (!line.detail || options_.verbose) options_.on_line(line.text);
    if (story_.joined()) filter_.job_joined();
    if (options_.on_event) options_.on_event(event);
    if (event.value("event", "") == "evict_failed")
        watch_.cannot_evict(event.value("rank", rank), event.value("node", "?"));
    if (ended_before != story_.ended().has_value() && pressure_ == Pressure::none)
        next_pressure_ = story_.ended() ? Clock::now() + options_.kill_after : Clock::time_point::max();
}

void Supervisor::push_when_due() {
    if (!running_ || Clock::now() < next_pressure_) return;
    const auto waited = std::to_string(options_.kill_after.count() / 1000) + " s";
    if (pressure_ == Pressure::none && options_.stopped_ranks) {
        view_.killed_late = true;
        options_.on_line("muster: mpirun is still there " + waited +
                         " after the job's ending, as an ordered fault keeps a rank or a link from it; it is killed");
        press(Pressure::kill, Clock::time_point::max());
    } else if (pressure_ == Pressure::none) {
        view_.killed_late = true;
        options_.on_line("muster: mpirun is still there " + waited + " after the job's ending; it is stopped");
        press(Pressure::term, Clock::now() + kTermGrace);
    } else {
        options_.on_line("muster: mpirun does not stop; it is killed");
        press(Pressure::kill, Clock::time_point::max());
    }
}

void Supervisor::stop_when_out_of_time() {
    if (!running_ || Clock::now() < time_limit_) return;
    time_limit_ = Clock::time_point::max();
    view_.out_of_time = true;
    press(Pressure::term, Clock::now() + kTermGrace);
}

void Supervisor::stop_when_told() {
    if (running_ && !view_.stop_asked && options_.stop_when && options_.stop_when()) take_signal(SIGTERM);
}

void Supervisor::press(Pressure pressure, Clock::time_point next) {
    if (pressure < pressure_) return;
    pressure_ = pressure;
    next_pressure_ = pressure == Pressure::kill ? Clock::time_point::max() : next;
    if (pressure == Pressure::term) kill(mpirun_.pid, SIGTERM);
    if (pressure == Pressure::kill) kill(-mpirun_.pid, SIGKILL);
}

void Supervisor::reap() {
    int status = 0;
    if (!running_ || waitpid(mpirun_.pid, &status, WNOHANG) != mpirun_.pid) return;
    running_ = false;
    next_pressure_ = time_limit_ = save_limit_ = Clock::time_point::max();
    view_.mpirun_status = shell_status(status);
}

void Supervisor::sweep() {
    if (const int left = orphans_.sweep(kSweepMax); left > 0 && options_.verbose)
        options_.on_line("ended what mpirun had left behind, processes: " + std::to_string(left));
}

Outcome Supervisor::outcome() const {
    const auto verdict = judge(story_, view_);
    return {.code = verdict.code,
            .text = verdict.text,
            .detail = verdict.detail,
            .mpirun_status = view_.mpirun_status,
            .loss = loss(),
            .joined = story_.joined()};
}

}  // namespace muster::launch
