// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_job.hpp"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "launch/job.hpp"
#include "muster/exit_codes.hpp"

namespace muster::cli {
namespace {

namespace fs = std::filesystem;

std::optional<BenchSamples> read_samples(const std::string& path) {
    std::ifstream file(path);
    const auto json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) return std::nullopt;
    return json.get<BenchSamples>();
}

}  // namespace

ScratchFile::ScratchFile(const std::vector<std::string>& folders, const std::string& name) {
    for (const auto& folder : folders)
        if (std::error_code error; path_.empty() && fs::is_directory(folder, error))
            path_ = folder + "/" + name + "." + std::to_string(::getpid());
}

ScratchFile::~ScratchFile() {
    std::error_code error;
    fs::remove(path_, error);
}

void say(const std::string& text) { std::fprintf(stderr, "muster: %s\n", text.c_str()); }

int run_bench_job(const BenchJob& job, BenchSamples& samples) {
    const auto program = fs::read_symlink("/proc/self/exe").parent_path() / "muster-bench";
    const ScratchFile out({"/tmp", "."}, "muster-bench-samples");
    auto spec = job.spec;
    spec.program = {program.string()};
    spec.program.insert(spec.program.end(), job.arguments.begin(), job.arguments.end());
    spec.program.insert(spec.program.end(), {"--out", out.path()});
    // Without the launcher link: the bare job has none, and the samples say how it went.
    const auto outcome = launch::run_job(spec, {.verbose = job.verbose, .link = false});
    const auto more = read_samples(out.path());
    if (!more || !more->contains(job.key) || more->at(job.key).size() < job.promised) {
        say("bench: the benchmark broke off" + (outcome.text.empty() ? "" : ": " + outcome.text));
        return outcome.mpirun_status == -1 ? outcome.code : static_cast<int>(ExitCode::launcher_failed);
    }
    for (const auto& [name, values] : *more) samples[name].insert(samples[name].end(), values.begin(), values.end());
    return 0;
}

}  // namespace muster::cli
