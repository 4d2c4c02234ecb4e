// SPDX-License-Identifier: Apache-2.0
#include "core/plan.hpp"

#include <algorithm>
#include <set>

#include "core/assert.hpp"
#include "core/fence.hpp"
#include "core/ranks.hpp"
#include "core/seat_placement.hpp"
#include "core/seating.hpp"

namespace muster::core {
namespace {

std::string name_of_member(const Member& member) {
    return "rank " + std::to_string(member.rank.value) + " on " + member.node;
}

std::optional<Step> newest(const Facts& facts) { return facts.attempted ? facts.attempted : facts.committed; }

std::vector<Loss> losses(const PlanInput& input) {
    std::set<Rank> present, proven;
    for (const auto& facts : input.present) {
        present.insert(facts.rank);
        proven.insert(facts.proven_dead.begin(), facts.proven_dead.end());
    }
    std::vector<Loss> lost;
    for (const Rank rank : input.complete) {
        if (present.contains(rank)) continue;
        lost.push_back({rank, input.launch[rank.value].node, proven.contains(rank) ? "killed" : "lost"});
    }
    for (const auto& facts : input.present)
        if (facts.leaving)
            lost.push_back(
                {facts.rank, input.launch[facts.rank.value].node, facts.going.empty() ? "left" : facts.going});
    return lost;
}

/// Of two equal halves one holds the tie: that with the first member of them all, on mpirun's node first, as nobody
/// lives long without it. To be on that node is not enough: both halves may be. Whom the other half has wrongly
/// believed dead cannot be proven dead, so two halves cannot hold it by different members.
bool holds_tie(const PlanInput& input, const std::set<Rank>& gone, const std::string& node) {
    std::optional<Rank> first;
    const auto place = [&](Rank rank) { return std::pair(input.launch[rank.value].node != node, rank); };
    for (const Rank rank : input.complete)
        if (!gone.contains(rank) && (!first || place(rank) < place(*first))) first = rank;
    return std::any_of(input.present.begin(), input.present.end(),
                       [&](const Facts& facts) { return facts.rank == first; });
}

FenceVerdict fence_of(const PlanInput& input) {
    const std::string& node =
        input.settings.launcher_node.empty() ? input.launch.front().node : input.settings.launcher_node;
    FenceInput counts{.last_complete = static_cast<std::uint32_t>(input.complete.size())};
    std::set<Rank> gone;
    for (const auto& facts : input.present) {
        ++counts.present;
        gone.insert(facts.proven_dead.begin(), facts.proven_dead.end());
    }
    for (const auto& facts : input.present) gone.erase(facts.rank);
    for (const Rank rank : gone)
        if (contains(input.complete, rank)) ++counts.proven_dead;
    counts.holds_tie = holds_tie(input, gone, node);
    return fence(input.settings.quorum, counts);
}

/// A deadline's reason also says whom the others were waiting for.
Wish named(const Wish& wish, const PlanInput& input) {
    if (wish.code != ExitCode::timed_out) return wish;
    std::optional<Step> most;
    for (const auto& facts : input.present) most = std::max(most, newest(facts));
    std::string behind;
    for (const auto& facts : input.present)
        if (contains(input.previous, facts.rank) && newest(facts) < most)
            behind += (behind.empty() ? "; not there: " : ", ") + name_of_member(input.launch[facts.rank.value]);
    return {wish.code, wish.reason + behind};
}

std::optional<Wish> ending_of(const PlanInput& input) {
    for (const auto& facts : input.present)
        if (facts.wish) return named(*facts.wish, input);
    const auto verdict = fence_of(input);
    if (!verdict.go_on) return Wish{ExitCode::lost_quorum, verdict.reason};
    std::size_t engines = 0, leaving = 0;
    for (const auto& facts : input.present)
        if (contains(input.previous, facts.rank) && facts.going.empty()) {
            ++engines;
            if (facts.leaving) ++leaving;
        }
    if (engines > 0 && leaving == engines) return Wish{ExitCode::finished, ""};
    return std::nullopt;
}

/// Shape: one per slot: who kept that slot's copy in the world of the last commit. Empty where the world had another
/// size: then the shards were cut differently.
std::vector<Rank> keepers_of(const PlanInput& input, const Plan& plan) {
    std::vector<Rank> keepers;
    const auto old = input.worlds.find(plan.state_round);
    if (old == input.worlds.end() || old->second.size() != plan.world.size()) return keepers;
    for (const Slot partner : partners(input.settings.placement, old->second, input.launch))
        keepers.push_back(old->second[partner.value]);
    return keepers;
}

/// The newest step that anybody has seen agreed. Whoever saw it knows that all engines had its result in place, so a
/// survivor that only attempted it holds the same state and goes forward to it; nobody ever goes back.
void agree_on_state(const PlanInput& input, Plan& plan) {
    for (const auto& facts : input.present) {
        plan.step = std::max(plan.step, facts.committed);
        plan.state_round = std::max(plan.state_round, facts.committed_in);
    }
    std::set<Rank> fed;
    for (const auto& facts : input.present)
        if (plan.step && (facts.committed == plan.step || facts.attempted == plan.step)) fed.insert(facts.rank);
    const auto keepers = keepers_of(input, plan);
    for (std::uint32_t s = 0; s < plan.world.size(); ++s) {
        if (fed.contains(plan.world[s])) {
            if (!plan.source) plan.source = Slot{s};
            continue;
        }
        const bool kept = s < keepers.size() && fed.contains(keepers[s]);
        plan.newcomers.push_back(
            {Slot{s}, plan.world[s], kept ? slot_of(plan.world, keepers[s]) : std::optional<Slot>()});
    }
}

/// Steps were committed, and nobody who could go on has their state: beginning anew would look like success.
std::optional<Wish> lost_state(const PlanInput& input, const Plan& plan) {
    if (plan.step && !plan.source)
        return Wish{ExitCode::state_lost,
                    "no engine of the next world holds the state of step " + std::to_string(plan.step->value)};
    const bool exists =
        std::any_of(input.present.begin(), input.present.end(), [](const Facts& facts) { return facts.state_exists; });
    if (plan.step || !exists) return std::nullopt;
    return Wish{ExitCode::state_lost, "steps were committed, and every engine that held their state is gone"};
}

/// Clients are no part of the count: they cannot do an engine's work.
std::optional<Wish> below_min(const PlanSettings& settings, std::size_t available, std::size_t size) {
    const std::size_t least = std::max<std::size_t>(1, settings.engines_min);
    const std::size_t engines = size / settings.placement.engine_ranks;
    if (engines >= least) return std::nullopt;
    const std::string each = settings.placement.engine_ranks == 1
                                 ? ""
                                 : " engines of " + std::to_string(settings.placement.engine_ranks) + " members each";
    return Wish{ExitCode::below_min, std::to_string(available) + " live members make a world of " +
                                         std::to_string(engines) + each + ", fewer than the " + std::to_string(least) +
                                         " that the job needs; start it again with more standbys or a lower --min"};
}

bool any(const PlanInput& input, bool Facts::*wish) {
    return std::any_of(input.present.begin(), input.present.end(), [&](const Facts& facts) { return facts.*wish; });
}

/// Where a rendezvous is closed there is no next round.
std::optional<Wish> closed_before(const PlanInput& input, const Plan& plan) {
    if (!input.closed) return std::nullopt;
    std::string gone;
    for (const auto& loss : plan.lost)
        gone += (gone.empty() ? "" : ", ") + name_of_member(input.launch[loss.rank.value]) + " " + loss.text;
    return Wish{ExitCode::stopped, "the rendezvous '" + input.settings.run_id +
                                       "' is closed, so that no round can follow round " +
                                       std::to_string(input.next.value - 1) + (gone.empty() ? "" : ": " + gone)};
}

/// Those that can be in the world, and those that had rather not be.
struct Candidates {
    std::vector<Rank> willing, parked;  ///< Ascending.
    void draw() {
        willing.insert(std::upper_bound(willing.begin(), willing.end(), parked.front()), parked.front());
        parked.erase(parked.begin());
    }
};

Candidates sort_out(const PlanInput& input, Plan& plan) {
    Candidates candidates;
    for (const auto& facts : input.present) {
        const bool client = input.launch[facts.rank.value].client;
        auto& list = facts.leaving  ? plan.dismissed
                     : client       ? plan.clients
                     : facts.parked ? candidates.parked
                                    : candidates.willing;
        list.push_back(facts.rank);
    }
    for (auto* list : {&plan.clients, &candidates.willing, &candidates.parked}) std::sort(list->begin(), list->end());
    return candidates;
}

/// All that members want; only the coordinator of the last round says anything.
SeatWishes wished_seats(const PlanInput& input) {
    SeatWishes wishes;
    for (const auto& facts : input.present) {
        wishes.seat.insert(wishes.seat.end(), facts.seats.seat.begin(), facts.seats.seat.end());
        wishes.unseat.insert(wishes.unseat.end(), facts.seats.unseat.begin(), facts.seats.unseat.end());
    }
    return wishes;
}

/// Nobody is unseated where that would cost the committed state: its holders may be the only ones that have it yet.
void keep_all_seats(SeatWishes& wishes) {
    std::erase_if(wishes.seat, [&](SeatId id) {
        return std::find(wishes.unseat.begin(), wishes.unseat.end(), id) != wishes.unseat.end();
    });
    wishes.unseat.clear();
}

SeatPlacement placement_of(const PlanInput& input, const SeatWishes& wishes, const std::vector<Rank>& willing) {
    const auto& settings = input.settings.placement;
    if (!input.settings.controller)
        return {place(settings, input.previous, input.launch, willing), {}, settings.engines};
    return place_seats(settings, groups_min(input.settings), input.seats, wishes, input.previous, input.launch,
                       willing);
}

/// Fills in who is where, and with which state.
std::optional<Wish> try_world(const PlanInput& input, const Candidates& candidates, const SeatWishes& wishes,
                              Plan& plan, rendezvous::Events* record) {
    auto [placement, seats, engines] = placement_of(input, wishes, candidates.willing);
    auto live = candidates.willing;
    live.insert(live.end(), candidates.parked.begin(), candidates.parked.end());
    if (auto ending = below_min(input.settings, live.size(), placement.world.size())) return ending;
    const auto ranks = input.settings.placement.engine_ranks;
    auto round = seat({.run_id = input.settings.run_id,
                       .members_min = std::max(1U, input.settings.engines_min) * ranks,
                       .members_max = engines * ranks,
                       .record = record != nullptr},
                      {.round = Round{input.next.value - 1}, .world = input.previous}, placement.world, live,
                      any(input, &Facts::close));
    MUSTER_ASSERT(round.waits.empty());
    if (record != nullptr) *record = std::move(round.events);
    plan.world = round.world;
    plan.standbys = round.standbys;
    plan.waiting = round.waiting;
    plan.closed = round.closed;
    plan.dismissed.insert(plan.dismissed.end(), round.dismissed.begin(), round.dismissed.end());
    plan.promoted = std::move(placement.promoted);
    plan.seats = std::move(seats);
    agree_on_state(input, plan);
    return lost_state(input, plan);
}

/// Whose copy of the mirrored state is the furthest, among those who stay; of equals the lowest Rank. Whoever is
/// dismissed could hand it to nobody: it is in no communicator of the round.
void choose_keeper(const PlanInput& input, Plan& plan) {
    const Facts* best = nullptr;
    for (const auto& facts : input.present) {
        if (contains(plan.dismissed, facts.rank) || facts.mirror == MirrorPosition{}) continue;
        const bool further = best == nullptr || facts.mirror > best->mirror;
        if (further || (facts.mirror == best->mirror && facts.rank < best->rank)) best = &facts;
    }
    if (best == nullptr) return;
    plan.keeper = best->rank;
    plan.keeper_term = best->mirror.term;
}

LifecycleFacts agreed_lifecycle(const PlanInput& input) {
    std::vector<LifecycleFacts> all;
    for (const auto& facts : input.present) all.push_back(facts.lifecycle);
    return agree_on_lifecycle(all);
}

}  // namespace

std::uint32_t groups_min(const PlanSettings& settings) {
    MUSTER_ASSERT(settings.placement.group_size > 0);
    const auto size = settings.placement.group_size;
    return std::max(1U, settings.engines_min / size + (settings.engines_min % size > 0 ? 1 : 0));
}

Plan decide(PlanInput input, rendezvous::Events* record) {
    for (const auto& facts : input.present) input.next = std::max(input.next, Round{facts.mirror.term.value + 1});
    Plan plan;
    plan.round = input.next;
    plan.asked = any(input, &Facts::asked);
    plan.lifecycle = agreed_lifecycle(input);
    plan.lost = losses(input);
    plan.ending = ending_of(input);
    if (!plan.ending) plan.ending = closed_before(input, plan);
    if (plan.ending) return plan;
    auto candidates = sort_out(input, plan);
    auto wishes = wished_seats(input);
    for (Plan tried = plan;; tried = plan) {
        tried.ending = try_world(input, candidates, wishes, tried, record);
        choose_keeper(input, tried);
        if (tried.ending && tried.ending->code == ExitCode::state_lost && !wishes.unseat.empty())
            keep_all_seats(wishes);
        else if (!tried.ending || candidates.parked.empty())
            return tried;
        else
            candidates.draw();
    }
}

}  // namespace muster::core
