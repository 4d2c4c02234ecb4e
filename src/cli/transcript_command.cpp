// SPDX-License-Identifier: Apache-2.0
/// `muster transcript MACHINE`: talks to one machine of the core, one JSON object a line.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "cli/commands.hpp"
#include "core/lifecycle.hpp"
#include "muster/exit_codes.hpp"
#include "transcript/transcript.hpp"

namespace muster::cli {

namespace {

void add_lifecycle(CLI::App& transcript, int& exit_code) {
    auto* command =
        transcript.add_subcommand("lifecycle", "Engines and the coordinator: what a signal does, and why not");
    auto diagram = std::make_shared<bool>(false);
    command->add_flag("--diagram", *diagram, "Print both tables as diagrams (Mermaid) and read nothing");
    command->footer(
        "In:  {\"who\":\"engine\"|\"coordinator\",\"event\":E}, for engines also \"engine\":i (0), \"work\":n (0),\n"
        "     \"consensus\":none|all_pausing|work|idle (none).\n"
        "     E: pause unpause suspend resume stop start; for engines also votes_counted barrier_crossed.\n"
        "Out: {\"accepted\":...,\"from\":...,\"to\":...,\"act\":...} and more: DESIGN.md, \"Lifecycle\".\n"
        "Examples:\n"
        "  echo '{\"who\":\"engine\",\"event\":\"pause\"}' | muster transcript lifecycle\n"
        "  muster transcript lifecycle < story.jsonl\n"
        "  muster transcript lifecycle --diagram\n"
        "Exit code: 0; 2 where a line was not understood (its answer is {\"error\":...}, the others count).");
    command->callback([diagram, &exit_code] {
        if (*diagram) {
            std::cout << core::lifecycle_diagram() << std::flush;
            return;
        }
        const auto machine = transcript::make_lifecycle();
        const bool good = transcript::converse(*machine, std::cin, std::cout);
        exit_code = static_cast<int>(good ? ExitCode::finished : ExitCode::bad_usage);
    });
}

}  // namespace

void register_transcript(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand("transcript", "Talk to one machine of the core, one JSON object a line");
    command->require_subcommand(1);
    command->footer(
        "Examples:\n"
        "  muster transcript lifecycle --help\n"
        "  echo '{\"who\":\"coordinator\",\"event\":\"pause\"}' | muster transcript lifecycle");
    add_lifecycle(*command, exit_code);
}

}  // namespace muster::cli
