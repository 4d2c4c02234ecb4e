// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One job of muster-bench under mpirun, and the samples that it leaves.

#include <string>
#include <vector>

#include "cli/bench_report.hpp"
#include "launch/job_spec.hpp"

namespace muster::cli {

/// A name in the first of these folders that is there, for a file of this process; removed at the end.
class ScratchFile {
public:
    ScratchFile(const std::vector<std::string>& folders, const std::string& name);
    ~ScratchFile();
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// muster's own line.
void say(const std::string& text);

struct BenchJob {
    launch::JobSpec spec{};                ///< Without a program.
    std::vector<std::string> arguments{};  ///< Of muster-bench, without --out.
    std::string key{};                     ///< The row that tells whether it is whole ...
    std::size_t promised = 1;              ///< ... by at least so many samples.
    bool verbose = false;
};

/// Runs it and adds its samples. 0, or the exit code where it could not be started or broke off (it has been said).
[[nodiscard]] int run_bench_job(const BenchJob& job, BenchSamples& samples);

}  // namespace muster::cli
