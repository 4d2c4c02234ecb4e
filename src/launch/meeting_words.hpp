// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the `muster run` of one round tell each other through the round's store, as JSON; and what follows from it for
/// the job. Keys: guest.RANK (Guest), bootstrap (Bootstrap), verdict (Verdict), again (text), answer.NODE (Verdict),
/// joiner.NODE (HostSlots), taken.NODE (text); see DESIGN.md, "Meeting before there is MPI". Pure. Errors: nonsense is
/// nothing.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "launch/job_spec.hpp"
#include "launch/meeting.hpp"
#include "launch/verdict.hpp"

namespace muster::launch {

/// What each participant says of itself.
struct Guest {
    HostSlots host{};
    /// Everything that must be the same at all of them: the job's settings as in its environment, the times.
    std::map<std::string, std::string> job{};
    std::vector<std::string> program{};
};
[[nodiscard]] Guest guest_of(const JobSpec& spec, const Meeting& meeting);
[[nodiscard]] std::string as_text(const Guest& guest);
[[nodiscard]] std::optional<Guest> guest_from(const std::string& text);
/// "MUSTER_STANDBYS is '1' there and '0' here"; empty: they want the same job.
[[nodiscard]] std::string difference(const Guest& here, const Guest& there);

/// How the job begins: what the launcher tells all, and whoever comes later.
struct Bootstrap {
    std::string launcher{};  ///< Node of rank 0.
    std::vector<HostSlots> hosts{};
    int engines = 0;
    core::rendezvous::Settings settings{};
    bool allow_relaunch = false;
};
[[nodiscard]] std::string as_text(const Bootstrap& bootstrap);
[[nodiscard]] std::optional<Bootstrap> bootstrap_from(const std::string& text);

/// What a node brings that asks to be taken in: joiner.NODE.
[[nodiscard]] std::string as_text(const HostSlots& host);
[[nodiscard]] std::optional<HostSlots> host_slots_from(const std::string& text);

/// How the job ended, or what a late one is answered: its exit code and why.
[[nodiscard]] std::string as_text(const Verdict& verdict);
[[nodiscard]] std::optional<Verdict> verdict_from(const std::string& text);

/// The job on the hosts of all guests, by rank; a host that came more than once has the sum of its slots.
[[nodiscard]] JobSpec spec_for(JobSpec spec, const std::vector<Guest>& guests);

/// "a:2, b:4".
[[nodiscard]] std::string hosts_text(const std::vector<HostSlots>& hosts);

/// Why a running job does not take anybody in, and what to do.
[[nodiscard]] Verdict refusal(const Bootstrap& job, Round round);

}  // namespace muster::launch
