// SPDX-License-Identifier: Apache-2.0
#include "cli/run_relaunch.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "launch/command_line.hpp"
#include "launch/meeting_words.hpp"
#include "launch/slurm.hpp"

namespace muster::cli {

namespace {

std::chrono::milliseconds from_seconds(double seconds) {
    return std::chrono::milliseconds(static_cast<long>(seconds * 1000));
}

}  // namespace

void add_relaunch(CLI::App& run, RelaunchOptions& options) {
    run.add_option(
           "--relaunch", options.most,
           "Start the job again at most so many times, from its checkpoint, where the launcher kills it (a node "
           "is lost, srun): on the hosts that answer, with fewer engines down to --min")
        ->check(CLI::NonNegativeNumber);
    run.add_option("--silence", options.silence, "With --relaunch: seconds after which a silent member is not there")
        ->check(CLI::Range(0.5, 3600.0));
    run.add_option("--lease", options.lease,
                   "With --relaunch: seconds after which a member that does not hear muster run stops itself")
        ->check(CLI::Range(1.0, 3600.0));
    run.add_option("--ask-limit", options.ask_limit, "With --relaunch: seconds for a host to answer")
        ->check(CLI::Range(0.1, 3600.0));
    run.add_option("--on-usr1", options.on_usr1,
                   "USR1 to muster run: pass it to every rank, or let the job save, end it and return 11 (Slurm's "
                   "--signal=B:USR1@120)")
        ->check(CLI::IsMember({"pass", "requeue"}));
    run.add_option("--save-within", options.save_within, "With --on-usr1 requeue: seconds for the job to save and end")
        ->check(CLI::Range(1.0, 86400.0));
    run.add_flag("--dry-run", options.dry_run, "Check everything, print what would be started, start nothing");
    run.add_option("--launcher", options.launcher, "mpirun, or in Slurm srun (nothing is repaired in place then)")
        ->check(CLI::IsMember({"mpirun", "srun"}));
}

std::string take_relaunch(const RelaunchOptions& options, launch::JobSpec& spec, launch::JobOptions& job) {
    if (options.launcher == "srun" && std::getenv("SLURM_JOB_ID") == nullptr)
        return "--launcher srun: this is not in a Slurm allocation; use sbatch or salloc, or leave it out";
    if (options.launcher == "srun" && !spec.mpirun.empty())
        return "--launcher srun and --mpirun: srun starts the job; leave one of them out";
    if (options.most > 0 && options.lease <= options.silence)
        return "--lease must be longer than --silence: a member would stop itself before it is missed";
    spec.launcher = options.launcher;
    job.relaunching.most = options.most;
    job.relaunching.window = from_seconds(options.silence);
    job.relaunching.lease = from_seconds(options.lease);
    job.relaunching.ask_limit = from_seconds(options.ask_limit);
    job.requeue_on_usr1 = options.on_usr1 == "requeue";
    job.save_within = from_seconds(options.save_within);
    return "";
}

launch::Outcome dry_run(const launch::JobSpec& spec, const launch::JobOptions& job) {
    const auto flight = launch::look_before_launch(spec);
    if (!flight.complaints.empty()) return launch::outcome_of(flight);
    const auto command = spec.launcher == "srun"
                             ? launch::srun_command(spec)
                             : launch::mpirun_command(spec, flight.machine, flight.stack.mpirun, {});
    const auto hosts = spec.hosts.empty() ? launch::slurm_allocation() : spec.hosts;
    std::printf("would run   %s\n", launch::quoted(command).c_str());
    std::printf("hosts       %s\n", hosts.empty() ? "this machine" : launch::hosts_text(hosts).c_str());
    std::printf("relaunches  %d, down to %d engines\n", job.relaunching.most, spec.engines_min);
    const bool survives = spec.launcher != "srun" && flight.stack.survives_a_node();
    std::printf("repaired    %s\n", spec.launcher == "srun"
                                        ? "nothing in place: srun ends the step with its first process"
                                    : survives ? "processes and nodes in place, but for this node"
                                               : "processes in place; a node's loss ends the job");
    return {};
}

}  // namespace muster::cli
