// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What survivors tell the coordinator (Facts), what it decides for all of them (Plan), and the decision itself.
/// Intuition: after a shrink everybody knows who is alive; what each one holds and wants is gathered once, decided in
/// one place by a pure function, and sent down to all. A plan is either a next world or an ending.
/// Source: design of torch's rendezvous round as one batch; ours in what counts as the agreed step (DESIGN.md,
/// "Commit").

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/codec.hpp"
#include "core/mirror_position.hpp"
#include "core/placement.hpp"
#include "core/rendezvous_event.hpp"
#include "core/seat.hpp"
#include "core/signal_log.hpp"
#include "muster/config.hpp"
#include "muster/exit_codes.hpp"
#include "muster/session.hpp"

namespace muster::core {

/// An ending that a member asks for: abort, stop, a deadline that has passed.
struct Wish {
    ExitCode code = ExitCode::aborted;
    std::string reason;
};

/// One survivor's report. Encoded it takes exactly kFactsSize bytes, so that it can be gathered as it is.
struct Facts {
    Rank rank;
    bool leaving = false;           ///< Wants to be in no further round.
    bool parked = false;            ///< Wants to be a standby, as long as the others can do without it.
    bool close = false;             ///< Wants the rendezvous closed: the next round shall be the last one.
    bool asked = false;             ///< Wants this round for no other reason than that its program asked for one.
    std::string going;              ///< Leaves in the middle of its work: why ("exited 3"). Empty for a proper leave().
    std::optional<Step> committed;  ///< Last step whose agreement this member has seen.
    std::optional<Step> attempted;  ///< A later step whose result is in place here, its agreement not seen.
    bool state_exists = false;      ///< Knows that some engine has committed a step, in whatever round.
    Round committed_in;             ///< Round of `committed`; 0 where nothing was committed.
    std::vector<Rank> proven_dead;  ///< Missing members of this node whose processes are gone; at most kProvenMax.
    std::optional<Wish> wish;
    LifecycleFacts lifecycle;  ///< Signals and barriers, as far as this member knows.
    MirrorPosition mirror;     ///< Its copy of what outlives the coordinator.
    SeatWishes seats{};        ///< Of the coordinator; at most kSeatsMax of each.
};

constexpr std::size_t kFactsSize = 1680;
constexpr std::size_t kProvenMax = 16;
constexpr std::size_t kReasonMax = 320;
constexpr std::size_t kGoingMax = 60;

[[nodiscard]] Bytes encode(const Facts& facts);
[[nodiscard]] std::optional<Facts> decode_facts(std::span<const std::byte> bytes);

struct Plan {
    std::optional<Wish> ending;  ///< The job ends here; the rest is then about who was lost.
    Round round;
    std::vector<Rank> world;  ///< Shape: one per slot.
    std::vector<Rank> standbys;
    std::vector<Rank> waiting;    ///< Of these the rendezvous' wait list; the others are redundant.
    std::vector<Rank> clients;    ///< In the pool, but neither engines nor standbys. Ascending.
    std::vector<Rank> dismissed;  ///< Left, or outside when the rendezvous was closed; in no communicator of the round.
    bool closed = false;          ///< No round follows this one.
    bool asked = false;           ///< Somebody's program asked for this round.
    std::optional<Step> step;
    std::optional<Slot> source;  ///< Lowest slot that holds the state of `step`.
    std::vector<Newcomer> newcomers;
    Round state_round;  ///< Round in which `step` was committed; older worlds need not be remembered.
    std::vector<Loss> lost;
    std::vector<Promotion> promoted;
    LifecycleFacts lifecycle;    ///< What all survivors have agreed on; also with an ending.
    std::optional<Rank> keeper;  ///< Who holds the furthest copy of what outlives the coordinator; nothing: nobody.
    Round keeper_term;           ///< How far that copy is (MirrorPosition::term).
    std::vector<SeatId> seats;   ///< Shape: one per lockstep group. Empty where the job has no controller.
};

[[nodiscard]] Bytes encode(const Plan& plan);
[[nodiscard]] std::optional<Plan> decode_plan(std::span<const std::byte> bytes);

struct PlanSettings {
    std::string run_id = "muster";
    PlacementSettings placement;
    std::uint32_t engines_min = 1;  ///< Engines, not members.
    bool controller = false;  ///< The world holds as many lockstep groups as have seats, placement.engines or not.
    Quorum quorum = Quorum::majority;
    bool record = false;        ///< Have each round's steps written down.
    std::string launcher_node;  ///< mpirun's node; empty: the node of the lowest Rank.
};

/// With a controller: lockstep groups that are in the world whatever it wants. The first world has so many.
[[nodiscard]] std::uint32_t groups_min(const PlanSettings& settings);

/// Everything that decide() looks at.
struct PlanInput {
    const PlanSettings& settings;
    const std::vector<Member>& launch;  ///< Indexed by Rank; says who is a client.
    Round next;  ///< At least; a job that goes on after a restart has had rounds before (Facts::mirror).
    const std::vector<Rank>& complete;                 ///< Members of the last complete round.
    const std::vector<Rank>& previous;                 ///< Its world: slot -> rank.
    const std::map<Round, std::vector<Rank>>& worlds;  ///< Worlds of earlier rounds, for who held whose copy.
    const std::vector<Facts>& present;                 ///< One per survivor.
    bool closed = false;                               ///< The last round was the last one.
    std::vector<SeatId> seats{};                       ///< Of its groups, where the job has a controller.
};

/// `record`: where the round's steps are written down, if at all (T35).
[[nodiscard]] Plan decide(PlanInput input, rendezvous::Events* record = nullptr);

}  // namespace muster::core
