// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What muster knows of Slurm: the nodes of an allocation, whether one of them answers, and the end of a step.
/// The texts are Slurm's own environment variables; reading them is pure.

#include <chrono>
#include <string>
#include <vector>

#include "launch/job_spec.hpp"

namespace muster::launch {

/// "gpu[01-03,7],login" -> gpu01, gpu02, gpu03, gpu7, login. Empty where the text makes no sense. Also several brackets
/// in a name, as in "r[1-2]n[1-3]".
[[nodiscard]] std::vector<std::string> slurm_node_names(const std::string& list);

/// "2(x3),1" -> 2, 2, 2, 1: tasks per node; empty where the text makes no sense.
[[nodiscard]] std::vector<int> slurm_tasks_per_node(const std::string& text);

/// The allocation's nodes with their tasks, from SLURM_JOB_NODELIST and SLURM_TASKS_PER_NODE. Empty: not in one, or
/// Slurm says something unknown.
[[nodiscard]] std::vector<HostSlots> slurm_allocation();

/// A command that succeeds where the node answers, beside whatever runs there.
[[nodiscard]] std::vector<std::string> slurm_question(const std::string& node, const std::string& command);

/// Kills all tasks of a step of this job, also where its srun is dead already. Waits for scancel, at most 5 s.
void cancel_slurm_step(const std::string& step);

}  // namespace muster::launch
