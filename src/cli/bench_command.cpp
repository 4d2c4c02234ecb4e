// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_command.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/bench_report.hpp"
#include "cli/commands.hpp"
#include "launch/job.hpp"

namespace muster::cli {
namespace {

namespace fs = std::filesystem;

void say(const std::string& text) { std::fprintf(stderr, "muster: %s\n", text.c_str()); }

/// A file of this process in the first folder that is there; removed at the end.
class ScratchFile {
public:
    ScratchFile(std::initializer_list<const char*> folders, const std::string& name) {
        for (const auto* folder : folders)
            if (std::error_code error; path_.empty() && fs::is_directory(folder, error))
                path_ = fs::path(folder) / (name + "." + std::to_string(::getpid()));
    }
    ~ScratchFile() {
        std::error_code error;
        fs::remove(path_, error);
    }
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;
    [[nodiscard]] std::string path() const { return path_.string(); }

private:
    fs::path path_;
};

constexpr int kDeathsPerJob = 3;

std::optional<BenchSamples> read_samples(const std::string& path) {
    std::ifstream file(path);
    const auto json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) return std::nullopt;
    return json.get<BenchSamples>();
}

/// One job; adds its samples. The exit code where it could not be started or broke off.
std::optional<int> measure(const BenchOptions& options, bool bare, int deaths, bool parked, BenchSamples& samples) {
    const auto program = fs::read_symlink("/proc/self/exe").parent_path() / "muster-bench";
    const ScratchFile board({"/dev/shm", "/tmp"}, "muster-bench-board"), out({"/tmp", "."}, "muster-bench-samples");
    launch::JobSpec spec;
    spec.engines = options.ranks;
    spec.standbys = deaths;
    spec.quorum = "none";  // more may die than are left
    spec.mpirun = options.mpirun;
    spec.program = {program.string(), bare ? "bare-rebuild" : "rebuild",
                    "--engines",      std::to_string(options.ranks),
                    "--deaths",       std::to_string(deaths),
                    "--board",        board.path(),
                    "--out",          out.path()};
    if (parked && !bare) spec.program.push_back("--parked");
    // Without the launcher link: the bare job has none, and the samples say how it went.
    const auto outcome = launch::run_job(spec, {.verbose = options.verbose, .link = false});
    const auto more = read_samples(out.path());
    const auto* key = bare ? "bare" : "total";
    if (!more || !more->contains(key) || more->at(key).size() != static_cast<std::size_t>(deaths)) {
        say("bench: the benchmark broke off" + (outcome.text.empty() ? "" : ": " + outcome.text));
        return outcome.mpirun_status == -1 ? outcome.code : static_cast<int>(ExitCode::launcher_failed);
    }
    for (const auto& [name, values] : *more) samples[name].insert(samples[name].end(), values.begin(), values.end());
    return std::nullopt;
}

}  // namespace

int bench_rebuild(const BenchOptions& options) {
    say("bench: " + std::to_string(options.ranks) + " engines lose " + std::to_string(options.deaths) +
        " members through muster and as many by bare calls, in turn");
    // Jobs of both kinds take turns: what else the machine does then meets both, and their pools have the same sizes.
    BenchSamples samples;
    for (int done = 0; done < options.deaths; done += kDeathsPerJob) {
        const int deaths = std::min(kDeathsPerJob, options.deaths - done);
        for (const bool bare : {false, true})
            if (const auto code = measure(options, bare, deaths, done == 0, samples)) return *code;
    }
    const auto report = rebuild_report(options.ranks, samples);
    if (!report) {
        say("bench: nothing to report, the benchmark broke off");
        return static_cast<int>(ExitCode::launcher_failed);
    }
    std::fputs((options.json ? as_json(*report) : as_table(*report)).c_str(), stdout);
    return options.check && !report->met() ? 1 : 0;
}

void register_bench(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<BenchOptions>();
    auto* bench = app.add_subcommand("bench", "Measure muster beside bare MPI, in one run");
    bench->require_subcommand(1);
    auto* rebuild =
        bench->add_subcommand("rebuild", "kill -> first step of the refilled world, and the bare calls for it");
    rebuild->add_option("--ranks", options->ranks, "Engines of the world")->check(CLI::Range(2, 4096));
    rebuild->add_option("--deaths", options->deaths, "Deaths of each kind")->check(CLI::Range(1, 1000));
    rebuild->add_flag("--json", options->json, "One JSON object");
    rebuild->add_flag("--check", options->check, "Exit code 1 where a ratio misses its budget");
    rebuild->add_option("--mpirun", options->mpirun, "mpirun to use (default: as for muster run)");
    rebuild->add_flag("-v,--verbose", options->verbose, "Also the command line and all of stderr");
    rebuild->footer(
        "Examples:\n"
        "  muster bench rebuild --ranks 8\n"
        "  muster bench rebuild --ranks 4 --deaths 6 --json --check");
    rebuild->callback([options, &exit_code] { exit_code = bench_rebuild(*options); });
}

}  // namespace muster::cli
