// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <thread>

#include "cli/bench_job.hpp"
#include "cli/bench_lifecycle_report.hpp"
#include "cli/bench_rendezvous_report.hpp"
#include "cli/bench_report.hpp"
#include "cli/commands.hpp"
#include "muster/exit_codes.hpp"

namespace muster::cli {
namespace {

constexpr int kDeathsPerJob = 3;
constexpr int kConsensusRounds = 2;
constexpr int kRouteRounds = 2;
constexpr int kSecondsToStart = 60;

/// One job of deaths; adds its samples.
int measure_rebuild(const BenchOptions& options, bool bare, int deaths, bool parked, BenchSamples& samples) {
    const ScratchFile board({"/dev/shm", "/tmp"}, "muster-bench-board");
    auto job = job_of(options, bare ? "bare" : "total",
                      {bare ? "bare-rebuild" : "rebuild", "--engines", std::to_string(options.ranks), "--deaths",
                       std::to_string(deaths), "--board", board.path()});
    job.promised = static_cast<std::size_t>(deaths);
    job.spec.standbys = deaths;
    job.spec.quorum = "none";  // more may die than are left
    if (parked && !bare) job.arguments.push_back("--parked");
    return run_bench_job(job, samples);
}

/// One job of rounds that are asked for; adds its samples.
int measure_rendezvous(const BenchOptions& options, int standbys, BenchSamples& samples) {
    const ScratchFile board({"/dev/shm", "/tmp"}, "muster-bench-board");
    auto job = job_of(options, standbys > 0 ? "unpark" : "all_ask",
                      {"rendezvous", "--rounds", std::to_string(options.rounds), "--board", board.path(),
                       "--seconds-max", std::to_string(kSecondsToStart + options.rounds)});
    job.promised = static_cast<std::size_t>(options.rounds);
    job.spec.standbys = standbys;
    return run_bench_job(job, samples);
}

/// One job of turns in one form of consensus; adds its samples.
int measure_consensus(const BenchOptions& options, const ConsensusForm& form, BenchSamples& samples) {
    const int turns = std::max(1, options.turns / kConsensusRounds);
    // Where ranks share cores, a forward takes as many times longer; four kinds of blocks have one.
    const auto seconds = kSecondsToStart + static_cast<std::int64_t>(turns) * options.forward_us * options.ranks * 4 /
                                               std::int64_t{1'000'000};
    auto job = job_of(options, "turn",
                      {"consensus", "--forward-us", std::to_string(options.forward_us), "--turns",
                       std::to_string(turns), "--seconds-max", std::to_string(seconds)});
    job.spec.consensus = form.mode;
    job.spec.consensus_every = form.every;
    return run_bench_job(job, samples);
}

}  // namespace

BenchJob job_of(const BenchOptions& options, const std::string& key, std::vector<std::string> arguments) {
    BenchJob job{.arguments = std::move(arguments), .key = key, .verbose = options.verbose};
    job.spec.engines = options.ranks;
    job.spec.mpirun = options.mpirun;
    return job;
}

int print_report(const BenchOptions& options, const std::optional<BenchReport>& report) {
    if (!report) {
        say("bench: nothing to report, the benchmark broke off");
        return static_cast<int>(ExitCode::launcher_failed);
    }
    std::fputs((options.json ? as_json(*report) : as_table(*report)).c_str(), stdout);
    return options.check && !report->met() ? 1 : 0;
}

int bench_rebuild(const BenchOptions& options) {
    say("bench: " + std::to_string(options.ranks) + " engines lose " + std::to_string(options.deaths) +
        " members through muster and as many by bare calls, in turn");
    // Jobs of both kinds take turns: what else the machine does then meets both, and their pools have the same sizes.
    BenchSamples samples;
    for (int done = 0; done < options.deaths; done += kDeathsPerJob) {
        const int deaths = std::min(kDeathsPerJob, options.deaths - done);
        for (const bool bare : {false, true})
            if (const int code = measure_rebuild(options, bare, deaths, done == 0, samples)) return code;
    }
    return print_report(options, rebuild_report(options.ranks, samples));
}

int bench_consensus(const BenchOptions& options) {
    say("bench: " + std::to_string(options.ranks) + " engines, " + std::to_string(options.turns) + " turns of " +
        std::to_string(options.forward_us) + " us in each form of consensus, in turn with bare calls");
    // A session has one form: a job each. Bare calls are measured in all of them, block by block.
    std::map<std::string, BenchSamples> by_form;
    for (int round = 0; round < kConsensusRounds; ++round)
        for (const auto& form : kConsensusForms)
            if (const int code = measure_consensus(options, form, by_form[form.name])) return code;
    const bool core_each = std::thread::hardware_concurrency() >= static_cast<unsigned>(options.ranks);
    return print_report(options, consensus_report(options.ranks, core_each, by_form));
}

int bench_pause(const BenchOptions& options) {
    say("bench: " + std::to_string(options.ranks) + " resting engines, " + std::to_string(options.cycles) +
        " times paused and unpaused, in turn with bare calls");
    BenchSamples samples;
    const auto seconds = kSecondsToStart + options.cycles;
    const auto job =
        job_of(options, "pause",
               {"pause", "--cycles", std::to_string(options.cycles), "--seconds-max", std::to_string(seconds)});
    if (const int code = run_bench_job(job, samples)) return code;
    return print_report(options, pause_report(options.ranks, samples));
}

int bench_rendezvous(const BenchOptions& options) {
    say("bench: " + std::to_string(options.ranks) + " resting engines, " + std::to_string(options.rounds) +
        " rounds of each kind that are asked for, in turn with bare calls");
    BenchSamples samples;
    if (const int code = measure_rendezvous(options, 0, samples)) return code;
    if (options.standbys > 0)
        if (const int code = measure_rendezvous(options, options.standbys, samples)) return code;
    return print_report(options, rendezvous_report(options.ranks, samples));
}

int bench_rest(const BenchOptions& options) {
    say("bench: " + std::to_string(options.ranks) + " engines rest for " + std::to_string(options.seconds) + " s");
    BenchSamples samples;
    const auto job = job_of(options, "resting_cpu",
                            {"rest", "--seconds", std::to_string(options.seconds), "--seconds-max",
                             std::to_string(kSecondsToStart + options.seconds)});
    if (const int code = run_bench_job(job, samples)) return code;
    return print_report(options, rest_report(options.ranks, samples));
}

int bench_route(const BenchOptions& options) {
    say("bench: " + std::to_string(options.ranks) + " engines, " + std::to_string(options.requests) + " requests of " +
        std::to_string(options.bytes) + " bytes, " + std::to_string(options.window) +
        " open at once, through muster and by a bare loop, in turn");
    BenchSamples samples;
    for (int round = 0; round < kRouteRounds; ++round) {
        auto job =
            job_of(options, "request",
                   {"route", "--requests", std::to_string(options.requests), "--window", std::to_string(options.window),
                    "--bytes", std::to_string(options.bytes), "--seconds-max", std::to_string(2 * kSecondsToStart)});
        job.spec.clients = 1;
        if (const int code = run_bench_job(job, samples)) return code;
    }
    return print_report(options, route_report(options.ranks, samples));
}

void register_bench(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<BenchOptions>();
    auto* bench = app.add_subcommand("bench", "Measure muster beside bare MPI, in one run");
    bench->require_subcommand(1);
    const auto add = [&](const char* name, const char* meaning, int (*measure)(const BenchOptions&)) {
        auto* command = bench->add_subcommand(name, meaning);
        command->add_option("--ranks", options->ranks, "Engines of the world")->check(CLI::Range(2, 4096));
        command->add_flag("--json", options->json, "One JSON object");
        command->add_flag("--check", options->check, "Exit code 1 where a ratio misses its budget");
        command->add_option("--mpirun", options->mpirun, "mpirun to use (default: as for muster run)");
        command->add_flag("-v,--verbose", options->verbose, "Also the command line and all of stderr");
        command->footer("Examples:\n  muster bench " + std::string(name) + " --ranks 8\n  muster bench " + name +
                        " --ranks 4 --json --check");
        command->callback([options, &exit_code, measure] { exit_code = measure(*options); });
        return command;
    };
    add("rebuild", "kill -> first step of the refilled world, and the bare calls for it", bench_rebuild)
        ->add_option("--deaths", options->deaths, "Deaths of each kind")
        ->check(CLI::Range(1, 1000));
    auto* consensus = add("consensus", "a turn with a vote, and the bare allreduce for it", bench_consensus);
    consensus->add_option("--forward-us", options->forward_us, "How long a forward computes")
        ->check(CLI::Range(0, 1'000'000));
    consensus->add_option("--turns", options->turns, "Turns of each kind")->check(CLI::Range(1, 1'000'000));
    add("pause", "signal -> all PAUSED, engines at rest, and the bare calls for it", bench_pause)
        ->add_option("--cycles", options->cycles, "Of pause and unpause")
        ->check(CLI::Range(1, 1'000'000));
    auto* route = add("route", "requests through the coordinator, and a bare loop for it", bench_route);
    route->add_option("--engines", options->ranks, "The same as --ranks")->check(CLI::Range(1, 4096));
    route->add_option("--requests", options->requests, "A block")->check(CLI::Range(1, 10'000'000));
    route->add_option("--window", options->window, "Requests that are open at once")->check(CLI::Range(1, 4'096));
    route->add_option("--bytes", options->bytes, "Of a request, and of its reply")->check(CLI::Range(1, 1 << 24));
    auto* rendezvous =
        add("rendezvous", "a round that is asked for, first call -> all engines have it, and a bare split",
            bench_rendezvous);
    rendezvous->add_option("--rounds", options->rounds, "Of each kind")->check(CLI::Range(1, 100'000));
    rendezvous
        ->add_option("--standbys", options->standbys, "Ranks beside the engines where engines are parked; 0: none are")
        ->check(CLI::Range(0, 1'000));
    auto* controller =
        add("controller", "a change that outlives its coordinator, the coordinator's death, and bare calls",
            bench_controller);
    controller->get_option("--ranks")->check(CLI::Range(3, 4096));  // The coordinator has two followers.
    controller->add_option("--changes", options->changes, "A block")->check(CLI::Range(8, 10'000'000));
    controller->add_option("--window", options->window, "Calls that are open at once")->check(CLI::Range(1, 1'024));
    controller->add_option("--deaths", options->deaths, "Of coordinators, of each kind")->check(CLI::Range(1, 1'000));
    controller->add_option("--state", options->directory, "Where journals are written, in a new directory")
        ->check(CLI::ExistingDirectory);
    add("rest", "what a resting engine costs, and how quickly it wakes", bench_rest)
        ->add_option("--seconds", options->seconds, "How long they rest")
        ->check(CLI::Range(1, 3'600));
}

}  // namespace muster::cli
