// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "launch/doctor.hpp"
#include "muster/exit_codes.hpp"

namespace muster::cli {

namespace {

struct DoctorOptions {
    bool json = false;
    bool no_probe = false;
    std::string mpirun;
};

std::string own_directory() {
    std::error_code fault;
    return std::filesystem::read_symlink("/proc/self/exe", fault).parent_path().string();
}

int examine(const DoctorOptions& options) {
    auto symptoms = launch::examine(options.mpirun, !options.no_probe, own_directory());
    symptoms.version = MUSTER_VERSION;
    const auto diagnosis = launch::assess(std::move(symptoms));
    if (options.json)
        std::cout << launch::as_json(diagnosis).dump(2) << "\n";
    else
        std::cout << launch::as_text(diagnosis);
    const bool good = diagnosis.abilities.front().answer == launch::Answer::yes;
    const bool untried = options.no_probe && diagnosis.abilities.front().answer == launch::Answer::unknown;
    return static_cast<int>(good || untried ? ExitCode::finished : ExitCode::launcher_failed);
}

}  // namespace

void register_doctor(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<DoctorOptions>();
    auto* command = app.add_subcommand("doctor", "Say what this machine's MPI survives, and what to do about the rest");
    command->add_flag("--json", options->json, "One JSON object instead of text");
    command->add_flag("--no-probe", options->no_probe, "Only look at versions; start nothing");
    command->add_option("--mpirun", options->mpirun, "mpirun to examine (default: as for run)");
    command->footer(
        "Examples:\n"
        "  muster doctor\n"
        "  muster doctor --json --mpirun /opt/openmpi/bin/mpirun\n"
        "Exit code: 0 where the death of a process is survived (with --no-probe: may be), 15 where not.");
    command->callback([options, &exit_code] { exit_code = examine(*options); });
}

}  // namespace muster::cli
