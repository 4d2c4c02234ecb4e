// SPDX-License-Identifier: Apache-2.0
#include "launch/job.hpp"

#include <unistd.h>

#include <cerrno>

#include "launch/relauncher.hpp"
#include "launch/supervisor.hpp"

namespace muster::launch {

namespace {

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto count = write(fd, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;  // the reader has gone; the job goes on
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

}  // namespace

JobOptions with_defaults(JobOptions options) {
    if (!options.on_output) options.on_output = [](std::string_view text) { write_all(STDOUT_FILENO, text); };
    if (!options.on_errors) options.on_errors = [](std::string_view text) { write_all(STDERR_FILENO, text); };
    if (!options.on_line)
        options.on_line = [](std::string_view text) { write_all(STDERR_FILENO, std::string(text) + "\n"); };
    return options;
}

Outcome outcome_of(ExitCode code, const std::string& text) {
    const int value = static_cast<int>(code);
    return {.code = value, .text = std::string(name_of(code)) + " (" + std::to_string(value) + "): " + text};
}

Outcome outcome_of(const Preflight& flight) {
    std::string reasons;
    for (const auto& complaint : flight.complaints) reasons += (reasons.empty() ? "" : "\n  ") + complaint;
    return outcome_of(flight.code, reasons);
}

Outcome run_once(const JobSpec& spec, const Preflight& flight, const JobOptions& options) {
    auto link = LinkServer::open(random_token());
    if (!link) return outcome_of(ExitCode::internal, link.error().text);
    Supervisor supervisor(with_defaults(options), std::move(*link));
    return supervisor.run(spec, flight);
}

Outcome run_job(const JobSpec& spec, const Preflight& flight, const JobOptions& options) {
    const auto& again = options.relaunching;
    const bool watched = again.on() || again.returned_hosts || options.requeue_on_usr1 || options.wind_down_when;
    if (!watched) return run_once(spec, flight, options);
    return Relauncher(spec, flight, with_defaults(options)).run();
}

Outcome run_job(const JobSpec& spec, const JobOptions& options) {
    const auto flight = look_before_launch(spec);
    return flight.complaints.empty() ? run_job(spec, flight, options) : outcome_of(flight);
}

}  // namespace muster::launch
