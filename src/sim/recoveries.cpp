// SPDX-License-Identifier: Apache-2.0
/// The agent thread of a member in a recovery: effects of core::Recovery, carried out on the pool.
#include <algorithm>

#include "core/assert.hpp"
#include "core/ranks.hpp"
#include "sim/stage.hpp"

namespace muster::sim {

/// Most agents go on at once; now and then one does not get a processor for a while.
std::uint64_t World::Stage::agents_pause() {
    return dice_.below(20) == 0 ? dice_.between(100, 3'000) : dice_.below(12);
}

/// A death or a revoke has become known here. Shrink and agreement go on all the same; other calls on the pool fail.
void World::Stage::notice(Member& member, std::uint32_t pool) {
    if (member.ended || pool != member.pool || !member.recovery) return;
    member.broken = true;
    if (member.steady) return recover(member);
    const bool fails = member.waits == Waits::gather || member.waits == Waits::broadcast ||
                       member.waits == Waits::build || (member.waits == Waits::answer && dice_.below(2) == 0);
    if (!fails) return;
    ++member.agent_epoch;
    hear(member, core::Failed{});
}

void World::Stage::recover(Member& member) {
    member.steady = false;
    member.disturbed = now();
    hear(member, core::Noticed{});
}

void World::Stage::hear(Member& member, const core::Input& input) {
    if (followed()) tell(member, std::string("recovery: ") + core::name_of(member.recovery->phase()));
    for (auto& effect : member.recovery->step(input)) member.due.push_back(std::move(effect));
    member.waits = Waits::turn;
    arrange(agents_pause(), member, Happening::agent_goes_on, 0, member.agent_epoch);
}

/// The outcome of the effect under way will be known here `in` so many ticks.
void World::Stage::answer(Member& member, Waits certain, std::uint64_t in, core::Input input) {
    member.waits = certain;
    std::uint32_t index = 0;
    if (free_inputs_.empty()) {
        index = static_cast<std::uint32_t>(inputs_.size());
        inputs_.push_back(std::move(input));
    } else {
        index = free_inputs_.back();
        free_inputs_.pop_back();
        inputs_[index] = std::move(input);
    }
    arrange(in, member, Happening::agent_hears, index, member.agent_epoch);
}

void World::Stage::hear_answer(Member& member, std::uint32_t index) {
    const core::Input input = std::move(inputs_[index]);
    free_inputs_.push_back(index);
    if (std::holds_alternative<core::Shrunk>(input)) enter_pool(member, member.next_pool);
    hear(member, input);
}

void World::Stage::enter_pool(Member& member, std::uint32_t pool) {
    member.pool = member.next_pool = pool;
    member.broken = false;
    for (const auto packet : std::exchange(member.early, {})) (void)network_.take(packet);
    const auto& members = pools_[pool].members;
    const bool whole =
        std::all_of(members.begin(), members.end(), [&](Rank rank) { return sees(member, members_[rank.value]); });
    if (!whole || pools_[pool].revoked) arrange(dice_.between(1, 500), member, Happening::notice, pool);
}

void World::Stage::go_on(Member& member) {
    while (member.alive && !member.due.empty())
        if (dies_now(member) || !begin_effect(member)) return;
}

/// False where the agent waits for the outcome, or has failed at once.
bool World::Stage::begin_effect(Member& member) {
    const core::Effect effect = std::move(member.due.front());
    member.due.erase(member.due.begin());
    if (std::holds_alternative<core::Revoke>(effect)) {
        revoke(member);
        return true;
    }
    if (const auto* over = std::get_if<core::HandOver>(&effect)) {
        hand_over(member, over->plan);
        return true;
    }
    if (const auto* ending = std::get_if<core::End>(&effect)) {
        end(member, *ending);
        return true;
    }
    if (std::holds_alternative<core::Shrink>(effect)) {
        meet(member, true, false);
    } else if (const auto* agree = std::get_if<core::Agree>(&effect)) {
        meet(member, false, agree->yes);
    } else if (member.broken) {
        hear(member, core::Failed{});
    } else if (const auto* gathering = std::get_if<core::Gather>(&effect)) {
        gather(member, *gathering);
    } else if (const auto* plan = std::get_if<core::Broadcast>(&effect)) {
        broadcast(member, *plan);
    } else {
        build(member);
    }
    return false;
}

void World::Stage::revoke(Member& member) {
    member.steady = false;
    interrupt_engine(member);
    apply(member, member.switchboard->interrupted());
    for (const auto packet : std::exchange(member.early, {})) (void)network_.take(packet);
    Pool& pool = pools_[member.pool];
    if (std::exchange(pool.revoked, true)) return;
    for (const Rank rank : pool.members)
        if (rank != member.rank)
            arrange(dice_.between(1, 60) + agents_pause(), members_[rank.value], Happening::notice, member.pool);
}

void World::Stage::meet(Member& member, bool shrinks, bool yes) {
    member.says_no = !yes;
    if (member.cut) return meet_alone(member);
    member.waits = Waits::meeting;
    pools_[member.pool].arrivals.push_back({member.rank, shrinks, yes});
    resolve(member.pool);
}

/// MPI's agreement, of which a shrink is one: once all who live are there, all of them get the same answer.
void World::Stage::resolve(std::uint32_t index) {
    Pool& pool = pools_[index];
    std::vector<Rank> there;
    for (const Rank rank : pool.members)
        if (members_[rank.value].alive && !members_[rank.value].cut && !members_[rank.value].ended)
            there.push_back(rank);
    if (pool.arrivals.empty() || pool.arrivals.size() < there.size()) return;
    bool all_shrink = true, all_agree = true, all_yes = true;
    for (const auto& arrival : pool.arrivals) {
        all_shrink = all_shrink && arrival.shrinks;
        all_agree = all_agree && !arrival.shrinks;
        all_yes = all_yes && arrival.yes;
    }
    if (!all_shrink && !all_agree) return witness_.shrinks_beside_agreement();
    const bool agreed = all_yes && there.size() == pool.members.size();
    pool.arrivals.clear();
    const auto next = static_cast<std::uint32_t>(pools_.size());
    if (all_shrink) pools_.push_back({.members = there, .facts = {}, .plan = {}, .arrivals = {}, .successor = {}});
    for (const Rank rank : there) {
        Member& member = members_[rank.value];
        if (all_shrink) member.next_pool = next;
        const core::Input outcome = all_shrink ? core::Input(core::Shrunk{there})
                                    : agreed   ? core::Input(core::Agreed{})
                                               : core::Input(core::Failed{});
        answer(member, Waits::certainty, depth(there.size()) + agents_pause(), outcome);
    }
}

namespace {

/// As Mailbox::seat_wishes of src/agent: only a coordinator says any, and no more than a round may have.
core::SeatWishes seats_to_tell(const Member& member) {
    if (!member.switchboard->coordinates()) return {};
    auto wishes = member.wishes.seats;
    for (auto* seats : {&wishes.seat, &wishes.unseat}) seats->resize(std::min(seats->size(), core::kSeatsMax));
    return wishes;
}

}  // namespace

/// As Agent::own_facts of src/agent. The engine was interrupted before: it crosses nothing any more.
core::Facts World::Stage::facts_of(Member& member, const core::Gather& effect) {
    const auto crossed = member.engine ? member.engine->loop.barriers_crossed() : 0;
    if (crossed > member.switchboard->facts().crossed) apply(member, member.switchboard->crossed(crossed));
    say_load(member);  // For the wave that it is in.
    core::Facts facts;
    facts.rank = member.rank;
    facts.leaving = member.leaving;
    facts.parked = member.wishes.told_parked = member.wishes.parked;
    facts.close = member.wishes.closes;
    facts.asked = member.wishes.asked;
    facts.seats = member.wishes.told_seats = seats_to_tell(member);
    facts.lifecycle = member.switchboard->facts();
    facts.mirror = member.switchboard->mirror();
    for (const Rank rank : effect.prove)
        if (!members_[rank.value].alive && facts.proven_dead.size() < core::kProvenMax)
            facts.proven_dead.push_back(rank);
    return facts;
}

/// Whoever is not the root is done when its part is sent.
void World::Stage::gather(Member& member, const core::Gather& effect) {
    Pool& pool = pools_[member.pool];
    auto facts = core::decode_facts(core::encode(facts_of(member, effect)));
    if (!member.alive) return;
    MUSTER_ASSERT(facts);
    pool.facts.push_back(std::move(*facts));
    member.waits = Waits::gather;
    if (effect.root != member.rank) answer(member, Waits::answer, dice_.between(1, 20), core::Gathered{});
    Member& root = members_[effect.root.value];
    if (pool.facts.size() < pool.members.size() || root.waits != Waits::gather || root.pool != member.pool) return;
    std::sort(pool.facts.begin(), pool.facts.end(), [](const auto& a, const auto& b) { return a.rank < b.rank; });
    answer(root, Waits::answer, depth(pool.members.size()), core::Gathered{pool.facts});
}

void World::Stage::broadcast(Member& member, const core::Broadcast& effect) {
    Pool& pool = pools_[member.pool];
    member.waits = Waits::broadcast;
    if (effect.root == member.rank) pool.plan = core::decode_plan(core::encode(effect.plan));
    if (!pool.plan) return;
    for (const Rank rank : pool.members) {
        Member& peer = members_[rank.value];
        if (peer.alive && peer.pool == member.pool && peer.waits == Waits::broadcast)
            answer(peer, Waits::answer, depth(pool.members.size()) + dice_.below(5), core::Planned{*pool.plan});
    }
}

/// Splits of the pool: nobody has its communicators before everybody has come.
void World::Stage::build(Member& member) {
    Pool& pool = pools_[member.pool];
    member.waits = Waits::build;
    if (++pool.built < pool.members.size()) return;
    for (const Rank rank : pool.members) {
        Member& peer = members_[rank.value];
        if (peer.alive && peer.pool == member.pool && peer.waits == Waits::build)
            answer(peer, Waits::answer, depth(pool.members.size()) + dice_.below(20), core::Built{});
    }
}

void World::Stage::hand_over(Member& member, const core::Plan& plan) {
    member.waits = Waits::nothing;
    const auto facts = pools_[member.pool].facts;
    if (!plan.dismissed.empty()) {  // The round has a pool of its own, without those who left.
        if (!pools_[member.pool].successor) {
            pools_[member.pool].successor = static_cast<std::uint32_t>(pools_.size());
            auto members = member.recovery->pool();
            std::sort(members.begin(), members.end());
            pools_.push_back({.members = std::move(members), .facts = {}, .plan = {}, .arrivals = {}, .successor = {}});
        }
        auto early = std::exchange(member.early, {});
        const bool broken = member.broken;
        enter_pool(member, *pools_[member.pool].successor);
        member.early = std::move(early);
        if (broken) arrange(dice_.between(1, 50), member, Happening::notice, member.pool);
    }
    if (member.wishes.told_parked && core::contains(plan.world, member.rank)) member.wishes.parked = false;
    member.wishes.asked = false;
    witness_.enters_round(member, plan, facts, members_);
    counts_.rounds = std::max<std::uint64_t>(counts_.rounds, plan.round.value);
    enter_round(member, plan, member.recovery->coordinator(), member.recovery->pool());
    seats_settled(member);
}

void World::Stage::end(Member& member, const core::End& effect) {
    member.steady = false;
    member.ended = true;
    member.waits = Waits::nothing;
    if (member.engine) {
        ++member.engine->epoch;
        member.engine->doing = Doing::finished;
    }
    if (member.cut) ++counts_.fenced;
    if (effect.plan.ending && !member.cut) ended_ = effect.ending.code;
    apply(member, member.switchboard->ended(effect.plan.lifecycle, {Fault::ended, "the job has ended"}));
    take_mail(member);  // What was asked for and not heard of ends, too.
}

}  // namespace muster::sim
