// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Asks every remote host of a job whether it answers, all at once, before mpirun is started.
/// The same log-in tells how many cores the host has and whether it is an emulated node of this machine.

#include <chrono>
#include <string>
#include <vector>

#include "launch/job_spec.hpp"
#include "launch/machine.hpp"

namespace muster::launch {

/// Fills machine.hosts for spec.hosts. Returns one sentence per host that does not answer by the limit, with what
/// the remote shell said. In Slurm without --rsh nobody is asked: mpirun uses srun there.
[[nodiscard]] std::vector<std::string> check_hosts(const JobSpec& spec, Machine& machine,
                                                   std::chrono::milliseconds limit = std::chrono::seconds(10));

}  // namespace muster::launch
