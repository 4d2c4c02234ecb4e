// SPDX-License-Identifier: Apache-2.0
#include "core/plan.hpp"

#include <algorithm>
#include <set>

#include "core/assert.hpp"
#include "core/fence.hpp"
#include "core/ranks.hpp"

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

FenceVerdict fence_of(const PlanInput& input) {
    const std::string& node =
        input.settings.launcher_node.empty() ? input.launch.front().node : input.settings.launcher_node;
    FenceInput counts{.last_complete = static_cast<std::uint32_t>(input.complete.size())};
    std::set<Rank> gone;
    for (const auto& facts : input.present) {
        ++counts.present;
        if (input.launch[facts.rank.value].node == node) counts.launcher_node_present = true;
        gone.insert(facts.proven_dead.begin(), facts.proven_dead.end());
    }
    for (const auto& facts : input.present) gone.erase(facts.rank);
    for (const Rank rank : gone)
        if (contains(input.complete, rank)) ++counts.proven_dead;
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

LifecycleFacts agreed_lifecycle(const PlanInput& input) {
    std::vector<LifecycleFacts> all;
    for (const auto& facts : input.present) all.push_back(facts.lifecycle);
    return agree_on_lifecycle(all);
}

}  // namespace

Plan decide(const PlanInput& input) {
    Plan plan;
    plan.round = input.next;
    plan.lifecycle = agreed_lifecycle(input);
    plan.lost = losses(input);
    plan.ending = ending_of(input);
    if (plan.ending) return plan;

    std::vector<Rank> available;
    for (const auto& facts : input.present) {
        const bool client = input.launch[facts.rank.value].client;
        (facts.leaving ? plan.dismissed : client ? plan.clients : available).push_back(facts.rank);
    }
    std::sort(available.begin(), available.end());
    std::sort(plan.clients.begin(), plan.clients.end());
    auto placement = place(input.settings.placement, input.previous, input.launch, available);
    plan.ending = below_min(input.settings, available.size(), placement.world.size());
    if (plan.ending) return plan;
    plan.world = std::move(placement.world);
    plan.standbys = std::move(placement.standbys);
    plan.promoted = std::move(placement.promoted);
    agree_on_state(input, plan);
    plan.ending = lost_state(input, plan);
    return plan;
}

}  // namespace muster::core
