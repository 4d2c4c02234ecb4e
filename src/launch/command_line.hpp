// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The command line of mpirun and the environment of the job, chosen for this machine. Pure functions.
/// Source: each flag's reason is in DESIGN.md, "Flags of mpirun"; never without --with-ft ulfm.

#include <map>
#include <string>
#include <vector>

#include "launch/job_spec.hpp"
#include "launch/machine.hpp"

namespace muster::launch {

/// More ranks than cores on some machine that takes part, as far as that is known.
[[nodiscard]] bool is_oversubscribed(const JobSpec& spec, const Machine& machine);

/// The network for MPI's TCP as --mca btl_tcp_if_include takes it; empty: leave the choice to Open MPI.
[[nodiscard]] std::string network_for(const JobSpec& spec, const Machine& machine);

/// What the job's processes find in their environment. `link` and `token` may be empty (no launcher link).
[[nodiscard]] std::map<std::string, std::string> job_environment(const JobSpec& spec, const Machine& machine,
                                                                 const std::string& link, const std::string& token);

/// The same with srun, in an allocation: Slurm's PMIx starts the ranks, and ends them all when one dies. MPI's
/// parameters go by srun_environment().
[[nodiscard]] std::vector<std::string> srun_command(const JobSpec& spec);
/// `mpi_home`: the folder above the bin of the MPI's mpirun, where its PMIx looks for its texts; empty: it knows.
[[nodiscard]] std::map<std::string, std::string> srun_environment(const JobSpec& spec, const Machine& machine,
                                                                  const std::string& mpi_home);

/// What only mpirun itself finds in its environment (permission to run as root, Slurm's steps).
[[nodiscard]] std::map<std::string, std::string> mpirun_environment(const Machine& machine);

/// The whole command, `mpirun` first. `passed` are the names that -x hands to the ranks.
[[nodiscard]] std::vector<std::string> mpirun_command(const JobSpec& spec, const Machine& machine,
                                                      const std::string& mpirun,
                                                      const std::vector<std::string>& passed);

/// "ip:port,ip:port": this machine's addresses, those that other nodes reach first, 127.0.0.1 last.
[[nodiscard]] std::string link_addresses(const JobSpec& spec, const Machine& machine, int port);

/// The command as a person would type it.
[[nodiscard]] std::string quoted(const std::vector<std::string>& command);

}  // namespace muster::launch
