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

void add_rendezvous(CLI::App& transcript, int& exit_code) {
    auto* command = transcript.add_subcommand("rendezvous",
                                              "Nodes that meet by a shared state: what each does next, and the state");
    command->footer(
        "In:  {\"settings\":{\"run_id\":...,\"min_nodes\":n,\"max_nodes\":n, ...}} first; no answer where it is right\n"
        "     {\"now\":s,\"node\":\"host_100_0\",\"op\":join|exit|close|keep_alive,\"deadline\":s}: one iteration\n"
        "     {\"backend\":lost|corrupt}: the shared state is gone, or nonsense; no answer\n"
        "Out: {\"synced\":...,\"action\":...,\"state\":{...}} or {\"raises\":...,\"text\":...}: DESIGN.md, "
        "\"Rendezvous\".\n"
        "Examples:\n"
        "  muster transcript rendezvous < story.jsonl\n"
        "Exit code: 0; 2 where a line was not understood (its answer is {\"error\":...}, the others count).");
    command->callback([&exit_code] {
        const auto machine = transcript::make_rendezvous();
        const bool good = transcript::converse(*machine, std::cin, std::cout);
        exit_code = static_cast<int>(good ? ExitCode::finished : ExitCode::bad_usage);
    });
}

void add_controller(CLI::App& transcript, int& exit_code) {
    auto* command = transcript.add_subcommand(
        "controller", "Deployments, endpoints and goals: what a call answers, and in which order it becomes visible");
    command->footer(
        "In:  {\"cmd\":C, ...}, C: create_backend delete_backend update_backend_config create_endpoint "
        "delete_endpoint\n"
        "     set_traffic shadow_traffic wait_for_goal listen_for_change tick crash_and_recover shutdown, queries, "
        "faults;\n"
        "     fields are the source's parameters, any line may have \"now\":s and \"crash_after\":n.\n"
        "Out: {\"result\":...,\"goal\":...,\"error\":...,\"order\":[\"checkpoint\",\"push:KEY\",...]}: DESIGN.md, "
        "\"Controller\".\n"
        "Examples:\n"
        "  echo '{\"cmd\":\"create_backend\",\"backend_tag\":\"b\",\"config\":{\"num_replicas\":2}}' | muster "
        "transcript controller\n"
        "  muster transcript controller < story.jsonl\n"
        "Exit code: 0; 2 where a line was not understood (its answer is {\"error\":...}, the others count).");
    command->callback([&exit_code] {
        const auto machine = transcript::make_controller();
        const bool good = transcript::converse(*machine, std::cin, std::cout);
        exit_code = static_cast<int>(good ? ExitCode::finished : ExitCode::bad_usage);
    });
}

void add_waves(CLI::App& transcript, int& exit_code) {
    auto* command =
        transcript.add_subcommand("waves", "Lockstep groups: when they are woken, and the loads of engines");
    command->footer(
        "In:  {\"settings\":{\"engines\":n,\"stats_ms\":100,\"coordination\":true,\"source_timing\":true}} first; no "
        "answer\n"
        "     {\"now_ms\":t,\"front\":{\"wake\":[exclude|null,wave]} or {\"scale\":n} or {\"subscribe\":true}}\n"
        "     {\"now_ms\":t,\"engine\":{\"index\":i,\"stats\":{\"waiting\":n,\"running\":n,\"wave\":w,\"step\":s},\n"
        "      \"wave_complete\":w,\"start_wave\":w}}; front and engine may share a line\n"
        "     {\"now_ms\":t,\"tick\":true}: nothing came until then; {\"now_ms\":t,\"subscribe\":true}: before READY\n"
        "Out: {\"engines\":[...],\"front\":[...],\"log\":[...],\"next_poll_ms\":n}: DESIGN.md, \"Waves\".\n"
        "Examples:\n"
        "  muster transcript waves < story.jsonl\n"
        "Exit code: 0; 2 where an answer is {\"error\":...} (the other lines count).");
    command->callback([&exit_code] {
        const auto machine = transcript::make_waves();
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
        "  muster transcript rendezvous --help\n"
        "  muster transcript waves --help\n"
        "  muster transcript controller --help\n"
        "  echo '{\"who\":\"coordinator\",\"event\":\"pause\"}' | muster transcript lifecycle");
    add_lifecycle(*command, exit_code);
    add_rendezvous(*command, exit_code);
    add_waves(*command, exit_code);
    add_controller(*command, exit_code);
}

}  // namespace muster::cli
