// SPDX-License-Identifier: Apache-2.0
/// Heartbeats: each member's core::Heartbeat, driven as src/agent/heart.cpp drives it. Who is condemned is dead for
/// MPI: the others' pools are broken and their shrinks do without it, whatever it is doing.
#include <algorithm>

#include "core/ranks.hpp"
#include "sim/stage.hpp"

namespace muster::sim {
namespace {

constexpr std::uint32_t kHopMin = 1, kHopMax = 40;  ///< Ticks of a datagram.
constexpr std::uint64_t kLongAgo = 3;               ///< Windows.

}  // namespace

bool World::Stage::near(const Member& one, const Member& other) const {
    return launch_[one.rank.value].node == launch_[other.rank.value].node;
}

/// From the first time on that somebody can fall silent.
void World::Stage::begin_beating() {
    if (beating_ || launch_.empty()) return;
    beating_ = true;
    std::vector<std::uint32_t> nodes;
    for (const auto& member : launch_) nodes.push_back(member.rank.value % options_.nodes);
    for (auto& member : members_) {
        member.heart.emplace(member.rank, core::HeartbeatSettings{1'000}, nodes);
        if (member.alive && !member.ended && member.view) ring(member);
    }
}

void World::Stage::ring(Member& member) {
    if (member.heart) carry_out(member, member.heart->ring(member.view->round, member.view->members, beat_time()));
}

void World::Stage::heartbeat(Member& member) {
    if (!member.alive || !member.heart || now() < member.beats_at) return;
    member.beats_at = 0;
    carry_out(member,
              beat_time() >= member.heart->due_ms() ? member.heart->tick(beat_time()) : core::HeartbeatEffects());
}

void World::Stage::hear_datagram(Member& member, std::uint32_t datagram) {
    const auto message = datagrams_[datagram];
    free_datagrams_.push_back(datagram);
    if (!member.alive || !member.heart) return;
    if (now() < member.deaf_until && !near(member, members_[message.from.value])) return;
    carry_out(member, member.heart->received(message, beat_time()));
}

void World::Stage::carry_out(Member& member, core::HeartbeatEffects effects) {
    for (const auto& effect : effects) {
        if (!member.alive) return;
        std::visit([&](const auto& one) { perform(member, one); }, effect);
    }
    if (!member.alive || !member.heart || member.heart->due_ms() == UINT64_MAX) return;
    const auto due = std::max(now() + 1, (member.heart->due_ms() - 1) * beat_ticks() + 1);
    if (member.beats_at != 0 && member.beats_at <= due) return;
    member.beats_at = due;
    arrange(due - now(), member, Happening::heartbeat);
}

void World::Stage::perform(Member& member, const core::SendBeat& effect) {
    const Member& to = members_[effect.to.value];
    if (now() < member.mute_until && !near(member, to)) return;
    auto index = static_cast<std::uint32_t>(datagrams_.size());
    if (free_datagrams_.empty()) {
        datagrams_.push_back(effect.message);
    } else {
        index = free_datagrams_.back();
        free_datagrams_.pop_back();
        datagrams_[index] = effect.message;
    }
    arrange(dice_.between(kHopMin, kHopMax), to, Happening::datagram, index);
}

void World::Stage::perform(Member& member, const core::KillSilent& effect) {
    Member& silent = members_[effect.rank.value];
    if (near(member, silent)) die(silent);
}

/// Where it was found alone it is this member that is out: its communicators are its own from now on.
void World::Stage::perform(Member& member, const core::Condemned& effect) {
    if (effect.alone) return cut_off(member);
    Member& gone = members_[effect.rank.value];
    if (!gone.alive || gone.cut) return;
    ++counts_.condemned;
    const bool well = !gone.hung && now() > gone.impaired + kLongAgo * options_.faults.hang_window;
    if (well && !gone.ended) witness_.condemned_while_well(gone, member);
    cut_off(gone);
}

/// Without a quorum there is no fence: then only a member that is certainly dead may be gone on without.
void World::Stage::cut_off(Member& member) {
    if (member.cut || !member.alive || member.ended) return;
    if (options_.quorum == Quorum::none) return die(member);
    tell(member, "is cut off");
    member.cut = true;
    ++counts_.cut_off;
    lose(member);
    if (!member.hung && member.waits == Waits::meeting) return meet_alone(member);
    arrange(dice_.between(1, 4'000), member, Happening::notice, member.pool);
}

void World::Stage::perform(Member& member, const core::Excluded& effect) {
    if (member.ended) return;
    tell(member, "stops: " + effect.why);
    ++counts_.excluded;
    if (!member.cut) witness_.stops_needlessly(member);
    die(member);
}

void World::Stage::perform(Member& /*member*/, const core::Confirmed& /*effect*/) {}

void World::Stage::perform(Member& member, const core::BeatNote& effect) {
    if (followed()) tell(member, effect.text);
}

}  // namespace muster::sim
