// SPDX-License-Identifier: Apache-2.0
/// What a member's engine thread does for replicas, as src/session/replicas.cpp: it prepares, in time, too late or not
/// at all, says whether it is well, and takes no turn before it knows what it is.
#include <algorithm>

#include "core/ranks.hpp"
#include "sim/stage.hpp"

namespace muster::sim {
namespace {

constexpr std::uint32_t kPrepareMin = 200, kPrepareMax = 6'000;  ///< Ticks.
constexpr std::uint32_t kSlowMin = 100'000, kSlowMax = 400'000;  ///< Beyond the deadline of a start, mostly.

}  // namespace

/// A new round. Whoever was in a replica and is no more has to prepare again, be it for the same.
void World::Stage::learn_seat(Member& member, const Comms& comms) {
    Preparation& mine = member.preparation;
    const auto slot = comms.slots.find(member.rank);
    std::optional<core::SeatId> seat;
    if (slot != comms.slots.end()) seat = comms.view->seats[comms.group_of[slot->second]];
    if (seat == core::SeatId{}) seat.reset();
    if (mine.seat && mine.seat != seat && mine.prepared == mine.seat) mine.prepared.reset();
    mine.seat = seat;
    if (slot == comms.slots.end()) post(member, mail::Taken{comms.view->round});
}

bool World::Stage::knows_its_replica(Member& member) {
    const Preparation& mine = member.preparation;
    if (mine.busy_until <= now()) return !mine.seat || mine.prepared == mine.seat;
    arrange(mine.busy_until - now(), member, Happening::engine_begins);  // It is in the program's hook.
    return false;
}

void World::Stage::perform(Member& member, core::PrepareEngine& effect) {
    ++counts_.prepares;
    witness_.controller().learns(effect.spec);
    if (followed()) tell(member, "prepares for replica " + std::to_string(effect.spec.seat.value));
    if (deaths_left_ > 0 && dice_.chance(options_.faults.kill_preparing)) return die(member);
    Preparation& mine = member.preparation;
    const bool is_slow = !healed_ && dice_.chance(options_.prepares_slow);
    mine.busy_until = std::max(now(), mine.busy_until) +
                      (is_slow ? dice_.between(kSlowMin, kSlowMax) : dice_.between(kPrepareMin, kPrepareMax));
    arrange(mine.busy_until - now(), member, Happening::replica_prepared,
            static_cast<std::uint32_t>(effect.spec.seat.value));
}

void World::Stage::replica_prepared(Member& member, core::SeatId seat) {
    if (member.ended) return;
    member.preparation.prepared.reset();
    if (!healed_ && dice_.chance(options_.prepares_refused)) {
        ++counts_.prepares_failed;
        return post(member, mail::Prepared{seat, "there is no memory for it"});
    }
    member.preparation.prepared = seat;
    post(member, mail::Prepared{seat, std::nullopt});
    if (member.engine && member.engine->handover) arrange(1, member, Happening::engine_begins);
}

void World::Stage::perform(Member& member, core::CheckEngine& effect) {
    post(member, mail::Checked{effect.seat, effect.number, healed_ || !dice_.chance(options_.unwell)});
}

/// R5.
void World::Stage::perform(Member& member, core::CrashOrder&) { die(member); }

void World::Stage::witness_gives(const Member& coordinator, Rank to) {
    witness_.controller().gives(coordinator, to, now(), [&](std::uint64_t since) {
        const auto concerned = concerned_by_calls(coordinator);
        return std::all_of(concerned.begin(), concerned.end(),
                           [&](Rank rank) { return undisturbed_since(members_[rank.value], since); });
    });
}

void World::Stage::kill_one_that_drains() {
    const Member* some = newest();
    if (!some || deaths_left_ == 0) return;
    const Member& coordinator = members_[some->view->coordinator.value];
    std::vector<Rank> draining;
    for (const auto& [tag, replicas] : coordinator.switchboard->job_state().controller().state().replicas)
        for (std::size_t slot = 0; slot < some->view->world.size(); ++slot) {
            const auto found =
                replicas.find(core::controller::ReplicaId{some->view->seats[some->view->groups[slot]].value});
            if (found != replicas.end() && found->second.phase == core::controller::ReplicaPhase::stopping)
                draining.push_back(some->view->world[slot]);
        }
    if (!draining.empty()) die(members_[draining[dice_.below(draining.size())].value]);
}

}  // namespace muster::sim
