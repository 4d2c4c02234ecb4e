// SPDX-License-Identifier: Apache-2.0
/// `muster bench controller`: its jobs. Those through muster and those by bare calls take turns, as do the forms of
/// durability: what else the machine does meanwhile meets all of them.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "cli/bench_command.hpp"
#include "cli/bench_controller_report.hpp"
#include "cli/bench_job.hpp"
#include "muster/exit_codes.hpp"

namespace muster::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kDeathsPerJob = 3;
constexpr int kRounds = 2;
constexpr int kFollowers = 2;
constexpr int kSecondsMax = 300;

/// A new folder in `parent`, removed at the end with what is in it.
class ScratchDirectory {
public:
    explicit ScratchDirectory(const std::string& parent) : path_(parent + "/muster-bench-state.XXXXXX") {
        if (::mkdtemp(path_.data()) == nullptr) path_.clear();
    }
    ~ScratchDirectory() {
        std::error_code error;
        if (!path_.empty()) fs::remove_all(path_, error);
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// Each engine is a lockstep group of its own, and idle: nobody asks for replicas.
BenchJob controller_job(const BenchOptions& options, const std::string& key, std::vector<std::string> arguments) {
    auto job = job_of(options, key, std::move(arguments));
    job.spec.clients = 1;
    job.spec.engines_min = options.ranks;
    job.spec.group_size = 1;
    job.spec.controller = true;
    job.spec.followers = kFollowers;
    job.arguments.insert(job.arguments.end(), {"--seconds-max", std::to_string(kSecondsMax)});
    return job;
}

std::size_t journals_in(const std::string& directory) {
    std::error_code error;
    fs::directory_iterator entries(directory, error);
    return static_cast<std::size_t>(std::count_if(begin(entries), end(entries), [](const fs::directory_entry& entry) {
        return entry.path().extension() == ".journal";
    }));
}

/// One job of changes; adds its samples.
int measure_changes(const BenchOptions& options, const ChangeForm& form, BenchSamples& samples) {
    auto job = controller_job(options, "window",
                              {"changes", "--changes", std::to_string(options.changes), "--window",
                               std::to_string(options.window), "--followers", std::to_string(kFollowers)});
    if (form.bare_disk == nullptr) return run_bench_job(job, samples);
    const ScratchDirectory state(options.directory);
    if (state.path().empty()) {
        say("bench: no new directory can be made in " + options.directory);
        return static_cast<int>(ExitCode::launcher_failed);
    }
    job.arguments.insert(job.arguments.end(), {"--directory", state.path()});
    if (form.name == std::string("fsync")) job.arguments.emplace_back("--sync");
    job.spec.state_directory = state.path();
    job.spec.durability = form.name;
    if (const int code = run_bench_job(job, samples)) return code;
    if (journals_in(state.path()) > kFollowers) return 0;
    say("bench: the coordinator and its followers have written no journals to " + state.path());
    return static_cast<int>(ExitCode::launcher_failed);
}

/// One job of deaths; adds its samples.
int measure_deaths(const BenchOptions& options, bool bare, int deaths, BenchSamples& samples) {
    const ScratchFile board({"/dev/shm", "/tmp"}, "muster-bench-board");
    auto job = controller_job(options, bare ? "bare" : "succession",
                              {bare ? "bare-succession" : "succession", "--engines", std::to_string(options.ranks),
                               "--deaths", std::to_string(deaths)});
    if (!bare) job.arguments.insert(job.arguments.end(), {"--board", board.path()});
    job.promised = static_cast<std::size_t>(deaths);
    job.spec.standbys = deaths;
    job.spec.quorum = "none";  // more may die than are left
    return run_bench_job(job, samples);
}

}  // namespace

int bench_controller(const BenchOptions& options) {
    say("bench: " + std::to_string(options.ranks) + " engines, " + std::to_string(options.changes) +
        " changes a block, one and " + std::to_string(options.window) + " open at once, then " +
        std::to_string(options.deaths) + " deaths of coordinators, through muster and by bare calls, in turn");
    std::map<std::string, BenchSamples> by_form;
    for (int round = 0; round < kRounds; ++round)
        for (const auto& form : kChangeForms)
            if (const int code = measure_changes(options, form, by_form[form.name])) return code;
    BenchSamples deaths;
    for (int done = 0; done < options.deaths; done += kDeathsPerJob)
        for (const bool bare : {false, true})
            if (const int code = measure_deaths(options, bare, std::min(kDeathsPerJob, options.deaths - done), deaths))
                return code;
    return print_report(options, controller_report(options.ranks, by_form, deaths));
}

}  // namespace muster::cli
