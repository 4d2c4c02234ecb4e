// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Several `muster run` of one run id meet in a directory that all of them see; one of them launches the job on the
/// hosts of all, the others wait for its end and return the same code.
///
///     launch::Meeting meeting{.directory = "/shared", .settings = settings, .host = {"n3", 8}};
///     const auto outcome = launch::run_together(spec, meeting, options);
///
/// Intuition: rank 0 of the round (the lowest host name, then process) launches. More than max: warm spares, which end
/// with 0 when the job does. Who comes when the job runs asks to be taken in and is answered.
/// Errors: the outcome's code and text; every wait has a deadline (Settings::timeouts) and names what was missing, but
/// those for the job's end and for a spare's place, which end when the launcher is not heard of any more.
/// Thread safety: as run_job(). Source: acceptance T27 to T33; DESIGN.md, "Meeting before there is MPI".

#include <string>

#include "core/rendezvous_settings.hpp"
#include "launch/job.hpp"

namespace muster::launch {

struct Meeting {
    std::string directory{};                ///< Must exist; the same for all.
    core::rendezvous::Settings settings{};  ///< Run id, least and most nodes, times: the same for all.
    HostSlots host{};                       ///< As the job's hosts call this machine, and how many ranks it takes.
    bool allow_relaunch = false;            ///< The job may be stopped and begun again larger.
};

/// `spec.engines` 0: as many as all slots hold, in whole lockstep groups, beside standbys and clients. `spec.hosts` is
/// replaced by the hosts of those who came.
[[nodiscard]] Outcome run_together(const JobSpec& spec, const Meeting& meeting, const JobOptions& options);

/// Asks the job of that run id to take this machine in. Settings but the run id and the join timeout are the job's.
[[nodiscard]] Outcome run_join(const Meeting& meeting, const JobOptions& options);

}  // namespace muster::launch
