// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The exit codes of `muster run`, and the code that Ending carries inside the job. Documented in README.md.

namespace muster {

enum class ExitCode : int {
    finished = 0,        ///< The program's engines all left; every process that is alive returned 0.
    program_failed = 1,  ///< A process returned another status than 0 after the job had ended; see its output.
    bad_usage = 2,       ///< The command line or the configuration makes no sense; nothing was started.
    stopped = 10,        ///< Ended because somebody asked for it (a signal to `muster run`).
    /// The job was stopped at a commit boundary, or can go on only with other nodes than it has: start the same command
    /// again (in Slurm: scontrol requeue) and it goes on from its checkpoint.
    requeue_wanted = 11,
    below_min = 12,        ///< Fewer live members than --min are left.
    lost_quorum = 13,      ///< This part of the job may be a minority; it stopped rather than run beside another.
    state_lost = 14,       ///< A slot and the partner that held its copy are both gone.
    launcher_failed = 15,  ///< mpirun is missing, has no ULFM, a host does not answer, or it killed the job.
    aborted = 16,          ///< The program called abort(), or its engines disagreed about a commit.
    timed_out = 17,        ///< A wait passed its deadline; the message names what it waited for.
    refused = 18,          ///< The running job, or a rendezvous that is closed, does not take this `muster run` in.
    internal = 70,         ///< A bug in muster, or MPI said something nobody expected.
};

/// The name of a code as it is written above, for messages and JSON.
[[nodiscard]] const char* name_of(ExitCode code);

}  // namespace muster
