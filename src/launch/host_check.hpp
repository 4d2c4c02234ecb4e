// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Asks every remote host of a job whether it answers, all at once, before mpirun is started.
/// The same log-in tells how many cores the host has and whether it is an emulated node of this machine.

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "launch/job_spec.hpp"
#include "launch/machine.hpp"

namespace muster::launch {

/// Why a host does not answer by the limit, with what the remote shell said, one entry per silent host; fills
/// machine.hosts for spec.hosts. In Slurm without --rsh the question goes through srun.
[[nodiscard]] std::map<std::string, std::string> ask_hosts(const JobSpec& spec, Machine& machine,
                                                           std::chrono::milliseconds limit);

/// The same before the first launch: one sentence per silent host. In Slurm without --rsh nobody is asked: mpirun uses
/// srun there, and Slurm has just said that the nodes are there.
[[nodiscard]] std::vector<std::string> check_hosts(const JobSpec& spec, Machine& machine,
                                                   std::chrono::milliseconds limit = std::chrono::seconds(10));

/// Whether the host that calls itself `node` answers; true also where none of spec.hosts is known by that name.
[[nodiscard]] bool node_answers(const JobSpec& spec, const Machine& machine, const std::string& node,
                                std::chrono::milliseconds limit);

}  // namespace muster::launch
