// SPDX-License-Identifier: Apache-2.0
/// What goes wrong with members: they die (SIGKILL), or hang (SIGSTOP) and wake again, in time or too late.
/// Modelled of a hang: nothing happens to the member until it wakes, then everything that has come for it does, in
/// order. Where that takes longer than the detector's window, the others count it among the dead: whoever shares its
/// node kills it; where nobody does, it is cut off. It lives on, and when it wakes it finds itself alone in its pool.
/// Not modelled: a dark link between members that all go on (each side alone is what a member that was cut off sees).
#include <algorithm>

#include "core/assert.hpp"
#include "sim/stage.hpp"

namespace muster::sim {
namespace {

constexpr std::uint32_t kWindowJitter = 2'000;
constexpr std::uint32_t kOversleptMax = 60'000;  ///< Ticks beyond the window.

}  // namespace

/// Half of those who die do so before what happens to them, half in the middle of what they do then.
void World::Stage::tempt_fate(Member& member) {
    const Faults& faults = options_.faults;
    const bool leads_on = member.steady && member.switchboard->coordinates();
    if (leads_on && dice_.chance(faults.kill_holders)) return kill_holders(member);
    double risk = faults.kill_per_event;
    if (!member.steady)
        risk += faults.kill_per_recovery_event;
    else if (member.switchboard->coordinates())
        risk += faults.kill_coordinator;
    if (!dice_.chance(risk)) return;
    if (dice_.below(2) == 0) return die(member);
    member.dies_after = dice_.below(4);
}

bool World::Stage::dies_now(Member& member) {
    if (!member.dies_after || (*member.dies_after)-- > 0) return false;
    die(member);
    return true;
}

/// Those who hold the job's state, at the same moment; one of them stays.
void World::Stage::kill_holders(Member& coordinator) {
    std::vector<Rank> holders = coordinator.view->followers;
    holders.push_back(coordinator.rank);
    std::erase_if(holders, [this](Rank rank) { return !members_[rank.value].alive || members_[rank.value].cut; });
    for (auto more = dice_.between(1, static_cast<std::uint32_t>(holders.size())) - 1; more > 0 && deaths_left_ > 0;
         --more) {
        const auto next = dice_.below(holders.size());
        die(members_[holders[next].value]);
        holders.erase(holders.begin() + static_cast<std::ptrdiff_t>(next));
    }
}

/// SIGKILL: it sends nothing more, and those who share a pool with it learn of that sooner or later.
void World::Stage::die(Member& member) {
    if (!member.alive) return;
    MUSTER_ASSERT(options_.recovery);
    tell(member, "dies");
    member.alive = false;
    member.dies_after.reset();
    ++counts_.deaths;
    if (deaths_left_ > 0) --deaths_left_;
    for (const auto& event : std::exchange(member.frozen, {})) void_event(event);
    if (!std::exchange(member.cut, false)) lose(member);
}

/// From now on the others' pools are broken, and what they agree on is without it.
void World::Stage::lose(const Member& member) {
    for (const auto& peer : members_) {
        if (!sees(peer, peer) || peer.ended || peer.cut || peer.rank == member.rank) continue;
        const auto& pool = pools_[peer.pool].members;
        if (std::binary_search(pool.begin(), pool.end(), member.rank))
            arrange(dice_.between(20, dice_.below(3) == 0 ? 4'000 : 200), peer, Happening::notice, peer.pool);
    }
    for (std::uint32_t index = 0; index < pools_.size(); ++index) {
        auto& arrivals = pools_[index].arrivals;
        if (arrivals.empty()) continue;
        std::erase_if(arrivals, [&](const Arrival& arrival) { return arrival.rank == member.rank; });
        resolve(index);
    }
}

/// A member that was cut off is alone: nobody hears it, and it hears nobody.
bool World::Stage::sees(const Member& viewer, const Member& other) const {
    return other.alive && (viewer.rank == other.rank || (!viewer.cut && !other.cut));
}

void World::Stage::heal() {
    healed_ = true;
    deaths_left_ = hangs_left_ = 0;
    for (auto& member : members_) member.dies_after.reset();
}

// Hangs.

bool World::Stage::falls_asleep(Member& member) {
    if (hangs_left_ == 0 || member.ended) return false;
    const Faults& faults = options_.faults;
    const bool leads = member.steady && member.switchboard->coordinates();
    if (!dice_.chance(faults.hang_per_event + (leads ? faults.hang_coordinator : 0))) return false;
    const bool in_time = dice_.below(3) > 0;
    hang(member, in_time ? dice_.between(1, faults.hang_window)
                         : faults.hang_window + dice_.between(kWindowJitter, kOversleptMax));
    return true;
}

void World::Stage::hang(Member& member, std::uint32_t ticks) {
    if (!member.alive || member.hung) return;
    tell(member, "hangs for " + std::to_string(ticks));
    member.hung = true;
    ++member.hangs;
    ++counts_.hangs;
    if (hangs_left_ > 0) --hangs_left_;
    arrange(ticks, member, Happening::wakes, 0, member.hangs);
    arrange(options_.faults.hang_window + dice_.below(kWindowJitter), member, Happening::evicted, 0, member.hangs);
}

/// Without --quorum there is no fence: then only a member that is certainly dead may be gone on without.
void World::Stage::evict(Member& member) {
    if (!member.hung || member.ended || member.cut) return;
    const auto& pool = pools_[member.pool].members;
    const bool within_reach = std::any_of(pool.begin(), pool.end(), [&](Rank rank) {
        const Member& peer = members_[rank.value];
        return peer.rank != member.rank && peer.alive && !peer.cut && !peer.hung &&
               launch_[rank.value].node == launch_[member.rank.value].node;
    });
    if (within_reach || options_.quorum == Quorum::none) return die(member);
    tell(member, "is cut off");
    member.cut = true;
    ++counts_.cut_off;
    lose(member);
    arrange(dice_.between(1, 4'000), member, Happening::notice, member.pool);
}

void World::Stage::wake(Member& member) {
    tell(member, "wakes");
    member.hung = false;
    member.disturbed = now();
    if (member.cut && member.waits == Waits::meeting) meet_alone(member);
    for (const auto& event : std::exchange(member.frozen, {})) {
        if (!member.alive)
            void_event(event);
        else if (member.hung)  // Again.
            member.frozen.push_back(event);
        else
            happen(event);
    }
}

/// MPI's answer to a member that was cut off: all others have failed.
void World::Stage::meet_alone(Member& member) {
    member.waits = Waits::meeting;
    if (member.recovery->phase() == core::Phase::shrinking) {
        member.next_pool = static_cast<std::uint32_t>(pools_.size());
        pools_.push_back({.members = {member.rank}, .facts = {}, .plan = {}, .arrivals = {}, .successor = {}});
        return answer(member, Waits::certainty, agents_pause(), core::Shrunk{{member.rank}});
    }
    const bool yes = pools_[member.pool].members.size() == 1 && pools_[member.pool].plan && !member.says_no;
    const core::Input outcome = yes ? core::Input(core::Agreed{}) : core::Input(core::Failed{});
    answer(member, Waits::certainty, agents_pause(), outcome);
}

}  // namespace muster::sim
