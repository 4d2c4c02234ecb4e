// SPDX-License-Identifier: Apache-2.0
#pragma once
/// From "something is wrong" to "here is the next world": the steps of a recovery, in order, and nothing else.
/// Intuition: one input comes in (a notice, or the outcome of the last effect), the effects that must follow go out.
/// Whatever fails on the way, the answer is the same: begin again at revoke and shrink. The first round of a job takes
/// the same way, beginning at the gathering.
/// Errors: an input that does not fit the phase is a bug in the driver and stops the process.
/// Thread safety: none; the agent owns it.

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "core/plan.hpp"

namespace muster::core {

enum class Phase { steady, shrinking, gathering, planning, building, agreeing, ended };
[[nodiscard]] const char* name_of(Phase phase);

// clang-format off
// Inputs.
struct Noticed {};                                      ///< A failure, a revoke, or a wish of this member.
struct Shrunk { std::vector<Rank> members; };           ///< The new pool, ascending by its own order.
struct Gathered { std::vector<Facts> facts; };          ///< On the coordinator; elsewhere empty.
struct Planned { Plan plan; };                          ///< Everybody has the same one.
struct Built {};                                        ///< All communicators of the plan exist here.
struct Agreed {};                                       ///< All survivors have built, and all know it.
struct Failed {};                                       ///< The last effect did not work.
using Input = std::variant<Noticed, Shrunk, Gathered, Planned, Built, Agreed, Failed>;

// Effects, carried out in the order given.
struct Revoke {};                                       ///< All communicators of the round, tracked ones included.
struct Shrink {};
struct Gather {
    Rank root;
    std::vector<Rank> prove;  ///< Missing members of this node: look whether their processes are gone.
    bool insist = false;      ///< Without proof there is no quorum: wait a little for it.
};
struct Broadcast { Rank root; Plan plan; rendezvous::Events events{}; };  ///< Plan and records on the root only.
struct Build { Plan plan; };
struct Agree { bool yes = true; };                      ///< No: this member could not build; nobody may have it.
struct HandOver { Plan plan; };                         ///< The round is complete: engines may have it.
struct End { Wish ending; Plan plan; };
using Effect = std::variant<Revoke, Shrink, Gather, Broadcast, Build, Agree, HandOver, End>;
using Effects = std::vector<Effect>;
// clang-format on

class Recovery {
public:
    /// `launch`: all members, indexed by Rank. The world before the first round is the lowest ranks that are no
    /// clients; with a controller only as many as must be, all idle.
    Recovery(Rank self, PlanSettings settings, std::vector<Member> launch);

    [[nodiscard]] Effects step(const Input& input);

    [[nodiscard]] Phase phase() const { return phase_; }
    [[nodiscard]] Round round() const { return round_; }  ///< Last complete round.
    [[nodiscard]] Rank coordinator() const;               ///< Lowest live Rank of the world, else of the pool.
    [[nodiscard]] const std::vector<Rank>& pool() const { return pool_; }    ///< As of the last shrink.
    [[nodiscard]] const std::vector<Rank>& world() const { return world_; }  ///< Of the last complete round.
    [[nodiscard]] const std::vector<Member>& launch() const { return launch_; }
    [[nodiscard]] const std::vector<SeatId>& seats() const { return seats_; }  ///< Of its lockstep groups.
    [[nodiscard]] bool closed() const { return closed_; }  ///< No round follows the last complete one.

private:
    Effects begin_again();
    Effects failed();
    Effects gather(const Shrunk& shrunk);
    Effects plan(const Gathered& gathered);
    Effects build(const Planned& planned);
    Effects complete();
    [[nodiscard]] bool need_proof() const;

    Rank self_;
    PlanSettings settings_;
    std::vector<Member> launch_;
    Phase phase_ = Phase::shrinking;  ///< Of the first pool; Shrunk is the first input.
    Round round_;                     ///< Invariant: never decreases.
    std::vector<Rank> complete_;      ///< Members of the last complete round.
    std::vector<Rank> world_;         ///< Its world.
    std::vector<SeatId> seats_;       ///< Its seats.
    std::vector<Rank> pool_;
    std::map<Round, std::vector<Rank>> worlds_;
    /// The last complete round was the last one. Not the plan's word: an attempt may have failed since.
    bool closed_ = false;
    Plan plan_;
};

}  // namespace muster::core
