// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Everything that is looked at before mpirun is started: what is wrong is said in one sentence, with what to do.

#include <string>
#include <vector>

#include "launch/job_spec.hpp"
#include "launch/machine.hpp"
#include "launch/mpi_stack.hpp"
#include "muster/exit_codes.hpp"

namespace muster::launch {

struct Preflight {
    ExitCode code = ExitCode::finished;     ///< bad_usage or launcher_failed where there are complaints.
    std::vector<std::string> complaints{};  ///< Sentences; empty: go.
    Machine machine{};
    MpiStack stack{};
};

/// Looks at counts, program, mpirun, its fault tolerance and the hosts, in this order; stops at the first kind of
/// complaint.
[[nodiscard]] Preflight look_before_launch(const JobSpec& spec);

/// Why the program cannot be run, and what to do; empty: it can.
[[nodiscard]] std::string complaint_about_program(const std::string& program);

}  // namespace muster::launch
