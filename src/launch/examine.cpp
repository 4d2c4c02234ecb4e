// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <nlohmann/json.hpp>

#include "launch/child.hpp"
#include "launch/doctor.hpp"
#include "launch/job.hpp"
#include "launch/stderr_filter.hpp"

namespace muster::launch {

namespace {

using Mca = std::vector<std::pair<std::string, std::string>>;

/// Open MPI's own detector: upstream calls these deprecated; they work in 5.0.11, for MPI_COMM_WORLD.
const Mca kDetector = {
    {"mpi_ft_detector", "true"}, {"mpi_ft_detector_period", "0.1"}, {"mpi_ft_detector_timeout", "1"}};

ProbeResult result_of(const std::string& output, const Outcome& outcome, const StderrFilter& errors) {
    const auto said = nlohmann::json::parse(output, nullptr, false);
    if (said.is_object() && said.value("survivors", 0) == 2)
        return {.survived = true, .total_ms = said.value("total_ms", 0.0)};
    const auto words = errors.last_words();
    return {.survived = false, .why = words.empty() ? outcome.text : words};
}

ProbeResult run_probe(const Preflight& flight, const std::string& program, const std::string& mode, const Mca& mca) {
    const JobSpec spec{.engines = 3, .mca = mca, .program = {program, mode}};
    std::string output;
    StderrFilter errors(true);
    JobOptions options{.link = false, .time_limit = std::chrono::seconds(20)};
    options.on_output = [&](std::string_view text) { output += text; };
    options.on_errors = [&](std::string_view text) { (void)errors.take(text); };
    options.on_line = [](std::string_view) {};
    const auto outcome = run_job(spec, flight, options);
    return result_of(output, outcome, errors);
}

bool namespaces_allowed() {
    return capture({"unshare", "--net", "--mount", "--pid", "--uts", "--fork", "true"}, std::chrono::seconds(5))
               .status == 0;
}

}  // namespace

Symptoms examine(const std::string& mpirun, bool probe, const std::string& own_directory) {
    Symptoms symptoms{.machine = look_at_machine()};
    symptoms.emulated_nodes = symptoms.machine.root && namespaces_allowed();
    const auto path = find_mpirun(mpirun);
    if (!path) {
        symptoms.stack_error = path.error().text;
        return symptoms;
    }
    const auto stack = ask_mpi_stack(*path);
    if (!stack) {
        symptoms.stack_error = stack.error().text;
        return symptoms;
    }
    symptoms.stack = *stack;
    if (!probe || !stack->ulfm) return symptoms;
    const auto program = find_program(own_directory + "/muster-probe");
    if (program.empty()) {
        symptoms.death =
            ProbeResult{.why = "muster-probe is missing beside muster: build muster with an MPI that has ULFM"};
        return symptoms;
    }
    const Preflight flight{.machine = symptoms.machine, .stack = *stack};
    symptoms.death = run_probe(flight, program, "death", {});
    if (symptoms.death->survived) symptoms.hang = run_probe(flight, program, "hang", kDetector);
    return symptoms;
}

}  // namespace muster::launch
