// SPDX-License-Identifier: Apache-2.0
/// Lockstep groups and their waves: all of a group wake and rest together, with work and without, and no number goes
/// back.
#include <algorithm>

#include "core/ranks.hpp"
#include "sim/wave_witness.hpp"

namespace muster::sim {
namespace {

constexpr std::uint64_t kSplitMax = 5'000;   ///< Ticks that a wake, or coming to rest, may take from first to last.
constexpr std::uint64_t kAsleepMax = 5'000;  ///< Ticks until whoever has work wakes.
constexpr std::uint64_t kIdleMax = 10'000;   ///< Ticks until a group without work rests: one vote's interval of turns.

bool turns_now(State state) { return state == State::running || state == State::pausing; }

bool at_work(Doing doing) {
    return doing == Doing::batch || doing == Doing::vote || doing == Doing::meeting || doing == Doing::computing;
}

core::Load load_of(const Member& member) {
    const auto open = static_cast<std::int64_t>(member.switchboard->in_progress());
    const auto waiting = std::min(static_cast<std::int64_t>(member.engine->inbox.size()), open);
    return {.waiting = waiting, .running = open - waiting};
}

/// The newest round's that an engine has taken.
const Member* newest_engine(const std::vector<Member>& members) {
    const Member* newest = nullptr;
    for (const auto& member : members)
        if (member.alive && !member.cut && member.engine_role && member.engine->now.comms &&
            (!newest || member.engine->now.round > newest->engine->now.round))
            newest = &member;
    return newest;
}

}  // namespace

/// Every round begins above all waves that those who are in it know of.
void WaveWitness::round_begins(const core::Plan& plan, const std::vector<core::Facts>& facts,
                               const std::vector<Member>& members) {
    rounds_[plan.round] = {.wave = plan.lifecycle.wave, .world = plan.world};
    smallest_world_ = std::min(smallest_world_, plan.world.size());
    for (const auto& one : facts)
        if (!members[one.rank.value].cut && plan.lifecycle.wave < seen_[one.rank.value].above)
            violated("round " + std::to_string(plan.round.value) + " begins with wave " +
                     std::to_string(plan.lifecycle.wave) + ", and rank " + std::to_string(one.rank.value) +
                     " knows of wave " + std::to_string(seen_[one.rank.value].above - 1));
}

/// `last`: who has come last. It may have hung meanwhile, and the others be in a later round, somewhere between two
/// votes.
void WaveWitness::meets_in_forward(const Member& last, const Group& group, const std::vector<Member>& members) {
    const auto& here = *last.engine;
    for (const Rank rank : group.members) {
        const auto& engine = *members[rank.value].engine;
        if (engine.now.comms == here.now.comms && engine.loop.wave() != here.loop.wave())
            violated("rank " + std::to_string(rank.value) + " is in wave " + std::to_string(engine.loop.wave()) +
                     ", rank " + std::to_string(last.rank.value) + " of its group in wave " +
                     std::to_string(here.loop.wave()));
    }
}

void WaveWitness::looks_at(const std::vector<Member>& members, std::uint64_t now) {
    calm_ = calm_since(members);
    waves_go_on(members, now);
    const Member* newest = newest_engine(members);
    if (!newest || !calm_) return since_.clear();
    groups_are_of_one_mind(members, *newest->engine->now.comms, now);
    if (compared_ || now < std::max(changed_, *calm_) + rules_.told_within) return;
    compared_ = true;
    clients_know(members, *newest->engine->now.comms);
}

/// Since when everybody has lived, listened and been in the newest round; nothing where that is not so.
std::optional<std::uint64_t> WaveWitness::calm_since(const std::vector<Member>& members) const {
    const core::RoundView* view = nullptr;
    std::uint64_t since = 0;
    for (const auto& member : members) {
        if (!member.alive || member.cut || member.ended) continue;
        if (member.hung || !member.steady || member.broken) return std::nullopt;
        if (!view) view = member.view.get();
        if (member.view.get() != view) return std::nullopt;
        if (member.engine_role && (member.engine->interrupted || member.engine->handover)) return std::nullopt;
        since = std::max(since, member.disturbed);
    }
    if (!view) return std::nullopt;
    const bool whole = std::all_of(view->members.begin(), view->members.end(), [&](Rank rank) {
        const Member& member = members[rank.value];
        return member.alive && !member.cut && !member.ended;
    });
    return whole ? std::optional(since) : std::nullopt;
}

void WaveWitness::waves_go_on(const std::vector<Member>& members, std::uint64_t now) {
    for (const auto& member : members) {
        if (!member.alive || !member.engine) continue;
        const auto& engine = *member.engine;
        Seen& seen = seen_[member.rank.value];
        const auto wave = engine.loop.wave(), above = wave + (engine.loop.awake() ? 1 : 0);
        const auto who = "rank " + std::to_string(member.rank.value) + " is in wave " + std::to_string(wave);
        if (wave < seen.wave) violated(who + " after wave " + std::to_string(seen.wave));
        const auto round = rounds_.find(engine.now.round);
        if (!member.cut && round != rounds_.end() && wave < round->second.wave)
            violated(who + " of a round that began above that");
        const auto load = load_of(member);
        if (load != seen.load || wave != seen.wave || above > seen.above) changed_ = now, compared_ = false;
        seen.wave = wave;
        seen.load = load;
        seen.above = std::max(seen.above, above);
        if (!member.cut) highest_ = std::max(highest_, wave);
    }
}

void WaveWitness::groups_are_of_one_mind(const std::vector<Member>& members, const Comms& comms, std::uint64_t now) {
    if (!rules_.lockstep) return;
    std::vector<Sight> sights(comms.groups.size());
    for (const auto& member : members) {
        if (!member.alive || member.cut || !member.engine_role) continue;
        const Engine& engine = *member.engine;
        if (engine.now.comms.get() != &comms) return since_.clear();
        Sight& sight = sights[engine.now.group];
        const State state = engine.loop.lifecycle().state();
        ++sight.there;
        sight.resting += engine.doing == Doing::rest ? 1 : 0;
        sight.at_work += at_work(engine.doing) ? 1 : 0;
        sight.turns = sight.turns && turns_now(state);
        sight.runs = sight.runs && state == State::running;
        sight.work = sight.work || (engine.source && !(engine.open.empty() && engine.inbox.empty()));
    }
    if (round_ != comms.view->round) since_.clear();
    round_ = comms.view->round;
    since_.resize(sights.size());
    for (std::uint32_t group = 0; group < sights.size(); ++group) {
        const Sight& sight = sights[group];
        Since& since = since_[group];
        const bool some = sight.resting > 0 && sight.resting < sight.there;
        lasts(since.split, sight.turns && some, now, kSplitMax, group, "is half awake");
        lasts(since.asleep, sight.turns && sight.work && sight.resting == sight.there, now, kAsleepMax, group,
              "sleeps with work");
        lasts(since.idle, sight.runs && !sight.work && sight.at_work > 0 && !rules_.always_work, now, kIdleMax, group,
              "is awake without work");
    }
}

void WaveWitness::lasts(std::optional<std::uint64_t>& since, bool so, std::uint64_t now, std::uint64_t bound,
                        std::uint32_t group, const char* what) {
    if (!so) return since.reset();
    if (!since) since = now;
    if (now < std::max(*since, *calm_) + bound) return;
    violated("lockstep group " + std::to_string(group) + " " + what + " for " + std::to_string(now - *since) +
             " ticks");
    since = now;
}

}  // namespace muster::sim
