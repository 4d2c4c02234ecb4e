// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What `muster run` returns and says at the end, from what the job told and how mpirun ended. Pure.
/// Intuition: the job's own word counts; mpirun's exit code is only asked where the job said nothing (it is 0 after a
/// lost node inside Slurm, 137 after a death that was repaired).

#include <string>

#include "launch/story.hpp"
#include "muster/exit_codes.hpp"

namespace muster::launch {

/// What the launcher itself saw.
struct LauncherView {
    int mpirun_status = 0;           ///< As a shell says it: 128 + signal where a signal ended it.
    bool stop_asked = false;         ///< INT, TERM or HUP came.
    bool ended_before_stop = false;  ///< The job's ending came before that signal.
    bool out_of_time = false;        ///< JobOptions::time_limit passed and mpirun was stopped.
    bool gave_up = false;            ///< Before the job's ending mpirun said that it ends the job.
    bool requeue = false;            ///< The job was asked to save and end with requeue_wanted.
    bool by_srun = false;            ///< srun, not mpirun: it kills whoever is left as soon as one process has gone.
    std::string loss{};              ///< How it was found lost; empty: it was not.
    bool killed_late = false;        ///< mpirun outlived the job by more than --kill-after and was killed.
    std::string last_words{};        ///< The last lines of mpirun's stderr.
};

struct Verdict {
    int code = 0;
    std::string text{};   ///< One line; empty where there is nothing to say.
    bool detail = false;  ///< Only said with -v.
};

[[nodiscard]] Verdict judge(const Story& story, const LauncherView& view);

}  // namespace muster::launch
