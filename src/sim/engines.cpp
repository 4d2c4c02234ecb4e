// SPDX-License-Identifier: Apache-2.0
/// The engine thread of a member: orders of core::EngineLoop, carried out on the round's communicators.
#include <algorithm>

#include "core/assert.hpp"
#include "sim/stage.hpp"

namespace muster::sim {
namespace {

/// Batches and wakes count on from round to round, so that a late wake is known by its number.
constexpr std::uint64_t kBatchesPerRound = std::uint64_t{1} << 40U;

std::uint64_t batch_number(const Engine& engine) {
    return engine.now.round.value * kBatchesPerRound + engine.batches + 1;
}

/// Still in the round of `engine`: what has been posted there comes back to it.
bool works_with(const Engine& engine, const Member& peer) {
    return peer.alive && !peer.engine->interrupted && peer.engine->now.comms == engine.now.comms;
}

}  // namespace

/// Only between two turns: whatever the engine did in the old round has come to its end.
void World::Stage::take_round(Member& member) {
    Engine& engine = *member.engine;
    if (!engine.handover || engine.doing != Doing::parked) return;
    if (deploys() && !knows_its_replica(member)) return;  // It looks again when it has prepared.
    engine.now = std::move(*engine.handover);
    engine.handover.reset();
    ++engine.epoch;
    engine.interrupted = false;
    engine.source = engine.now.comms->engines[engine.now.engine].members.front() == member.rank;
    if (!engine.source || engine.now.state == State::stopped) engine.open.clear();
    if (!engine.source) engine.inbox.clear();
    if (deploys()) post(member, mail::Taken{engine.now.round});
    engine.batches = 0;
    engine.votes = 0;
    engine.vote_there = false;
    engine.rested_for = 0;
    engine.loop.rebuilt(engine.now.round, engine.now.crossed, engine.now.state, engine.now.wave);
    carry_out(member, engine.loop.begin());
}

void World::Stage::carry_out(Member& member, core::Order order) {
    for (std::optional<core::Order> next = order; next && member.alive;) next = perform(member, *next);
}

/// The next order where this one is answered at once; nothing where the engine waits or the program has its turn.
std::optional<core::Order> World::Stage::perform(Member& member, const core::Order& order) {
    Engine& engine = *member.engine;
    switch (order.kind) {
        case core::Order::take_batch: return take_batch(member);
        case core::Order::vote:
            engine.doing = Doing::vote;
            post_vote(member, order.votes);
            return std::nullopt;
        case core::Order::read_vote:
            engine.doing = Doing::vote;
            if (!std::exchange(engine.vote_there, false)) return std::nullopt;
            return engine.loop.counted(engine.now.comms->groups[engine.now.group].votes.result(engine.votes));
        case core::Order::forward:
        case core::Order::dummy_forward: enter_forward(member, order); return std::nullopt;
        case core::Order::rest: return enter_rest(member, order);
        case core::Order::suspend:
        case core::Order::resume:
            engine.doing = Doing::hooks;
            arrange(dice_.between(5, 100), member, Happening::hooks_done, 0, engine.epoch);
            return std::nullopt;
        case core::Order::barrier: enter_barrier(member, order.number); return std::nullopt;
        case core::Order::finish: finish_loop(member); return std::nullopt;
        case core::Order::drift: witness_.drifts(member, order.number); return std::nullopt;
    }
    return std::nullopt;
}

/// An engine's source makes the batch, its other ranks get the same one. They take its signal when their own agent has
/// heard of it too: otherwise they could cross a barrier that their agent, asked after a death, knows nothing of.
std::optional<core::Order> World::Stage::take_batch(Member& member) {
    Engine& engine = *member.engine;
    core::Batch batch;
    if (engine.source) {
        batch = collect(engine);
        publish(member, batch);
    } else {
        BatchLine& line = engine.now.comms->engines[engine.now.engine].line;
        engine.doing = Doing::batch;
        if (engine.batches >= line.end()) return std::nullopt;
        const auto place = static_cast<std::size_t>(engine.batches - line.first);
        batch = line.batches[place];
        if (batch.signal && !next_signal(engine)) return std::nullopt;
        if (++line.taken[place] == options_.engine_ranks - 1) {
            line.batches.pop_front();
            line.taken.pop_front();
            ++line.first;
        }
    }
    ++engine.batches;
    engine.rested_for = 0;
    return engine.loop.batch(batch);
}

/// The oldest signal that has been heard of and not taken.
std::optional<Signal> World::Stage::next_signal(const Engine& engine) const {
    const auto taken = engine.now.crossed + engine.loop.signals_taken();
    for (const auto& entry : engine.signals)
        if (entry.number == taken + 1) return entry.signal;
    return std::nullopt;
}

void World::Stage::publish(Member& member, const core::Batch& batch) {
    EngineRanks& ranks = member.engine->now.comms->engines[member.engine->now.engine];
    if (ranks.members.size() < 2) return;
    ranks.line.batches.push_back(batch);
    ranks.line.taken.push_back(0);
    for (const Rank rank : ranks.members) {
        const Member& peer = members_[rank.value];
        if (rank == member.rank || !peer.engine) continue;  // Who has yet to take the round finds the batch then.
        arrange(dice_.between(1, 4), peer, Happening::batch_there, 0, peer.engine->epoch);
    }
}

void World::Stage::post_vote(Member& member, const core::Votes& votes) {
    Engine& engine = *member.engine;
    ++counts_.votes;
    ++engine.votes;
    Group& group = engine.now.comms->groups[engine.now.group];
    if (!group.votes.post(votes)) return;
    const auto wait = depth(group.members.size());
    for (const Rank rank : group.members) {
        const Member& peer = members_[rank.value];
        if (!works_with(engine, peer)) continue;
        arrange(wait + dice_.below(3), peer, Happening::vote_counted, group.votes.completed(), peer.engine->epoch);
    }
}

void World::Stage::vote_counted(Member& member, std::uint32_t number) {
    Engine& engine = *member.engine;
    MUSTER_ASSERT(number == engine.votes);
    if (engine.doing != Doing::vote) {
        engine.vote_there = true;  // Posted before a forward that still goes on.
        return;
    }
    carry_out(member, engine.loop.counted(engine.now.comms->groups[engine.now.group].votes.result(number)));
}

/// Every forward contains a collective of its lockstep group, which tells turn and kind so that they can be compared.
void World::Stage::enter_forward(Member& member, const core::Order& order) {
    Engine& engine = *member.engine;
    if (order.post) post_vote(member, order.votes);
    engine.dummy = order.kind == core::Order::dummy_forward;
    ++(engine.dummy ? counts_.dummy_forwards : counts_.forwards);
    if (options_.consensus == ConsensusMode::off) {
        engine.doing = Doing::computing;
        return arrange(dice_.between(20, 200), member, Happening::forward_done, 0, engine.epoch);
    }
    engine.doing = Doing::meeting;
    const auto turn = static_cast<std::int64_t>((engine.loop.barriers_crossed() << 32U) + engine.loop.votes_counted());
    Group& group = engine.now.comms->groups[engine.now.group];
    if (!group.forwards.post({turn, -turn, engine.dummy ? 0 : 1, 0})) return;
    witness_.meets_in_forward(member, group.forwards.result(group.forwards.completed()),
                              options_.consensus == ConsensusMode::blocking && options_.consensus_every == 1);
    witness_.waves().meets_in_forward(member, group, members_);
    const auto wait = depth(group.members.size());
    for (const Rank rank : group.members) {
        Member& peer = members_[rank.value];
        if (!works_with(engine, peer)) continue;
        peer.engine->doing = Doing::computing;
        arrange(wait + dice_.between(20, 200), peer, Happening::forward_done, 0, peer.engine->epoch);
    }
}

/// A forward that computes when its round breaks goes on, and so do its answers: it calls nobody any more.
void World::Stage::finish_forward(Member& member) {
    if (!member.engine->dummy) answer_some(member);
    program_returns(member);
}

/// The program calls next() again.
void World::Stage::program_returns(Member& member) {
    Engine& engine = *member.engine;
    engine.doing = Doing::parked;
    if (engine.interrupted) return take_round(member);
    carry_out(member, engine.loop.begin());
}

std::optional<core::Order> World::Stage::enter_rest(Member& member, const core::Order& order) {
    Engine& engine = *member.engine;
    if (order.wake) {
        if (engine.source) post(member, mail::Wake{core::WakeScope::group, order.number});
        return engine.loop.woken();
    }
    engine.rested_for = order.number;
    if (has_news(engine)) return leave_rest(member);
    engine.doing = Doing::rest;
    engine.resting_since = now();
    return std::nullopt;
}

/// Does a vote of the lockstep group follow on a rest? Then news concern all of it, else the engine's own ranks.
bool World::Stage::group_votes(const Engine& engine) const {
    const State state = engine.loop.lifecycle().state();
    return options_.consensus != ConsensusMode::off && (state == State::running || state == State::pausing);
}

bool World::Stage::has_news(const Engine& engine) const {
    if (group_votes(engine) ? engine.woken_group >= engine.rested_for : engine.woken_engine >= batch_number(engine))
        return true;
    return engine.source && has_news_itself(engine);
}

bool World::Stage::has_news_itself(const Engine& engine) const {
    const State state = engine.loop.lifecycle().state();
    return next_signal(engine) || (!engine.inbox.empty() && (state == State::running || state == State::pausing));
}

core::Order World::Stage::leave_rest(Member& member) {
    Engine& engine = *member.engine;
    if (engine.source && has_news_itself(engine)) {
        if (group_votes(engine))
            post(member, mail::Wake{core::WakeScope::group, engine.rested_for});
        else if (options_.engine_ranks > 1)
            post(member, mail::Wake{core::WakeScope::engine, batch_number(engine)});
    }
    return engine.loop.woken();
}

void World::Stage::look(Member& member) {
    if (member.engine->doing != Doing::rest || !has_news(*member.engine)) return;
    ++counts_.wakes;
    counts_.last_wake = Tick{now()};
    carry_out(member, leave_rest(member));
}

void World::Stage::enter_barrier(Member& member, std::uint64_t number) {
    Engine& engine = *member.engine;
    Comms& comms = *engine.now.comms;
    engine.doing = Doing::barrier;
    witness_.arrives(member, comms, number);
    comms.barrier_number = number;
    if (!comms.barriers.post({})) return;
    const bool seen = std::any_of(comms.view->world.begin(), comms.view->world.end(), [&](Rank rank) {
        return !members_[rank.value].cut && works_with(engine, members_[rank.value]);
    });
    if (seen) witness_.all_arrived(comms, number, members_);  // Else only one that was cut off comes, too late.
    const auto wait = depth(comms.view->world.size());
    for (const Rank rank : comms.view->world) {
        const Member& peer = members_[rank.value];
        if (!works_with(engine, peer)) continue;
        arrange(wait + dice_.below(4), peer, Happening::barrier_crossed, 0, peer.engine->epoch);
    }
}

void World::Stage::cross(Member& member) {
    Engine& engine = *member.engine;
    MUSTER_ASSERT(engine.doing == Doing::barrier);
    const auto number = engine.loop.barriers_crossed() + 1;
    std::optional<core::SignalEntry> entry;  // Another rank of an engine may cross before it has heard of it itself.
    for (const auto& one : engine.signals)
        if (one.number == number) entry = one;
    engine.doing = Doing::parked;
    if (engine.loop.lifecycle().state() == State::stopping) engine.open.clear();
    const core::Order next = engine.loop.crossed();
    counts_.last_crossing = Tick{now()};
    if (followed()) tell(member, "crosses barrier " + std::to_string(number));
    post(member, mail::Crossed{number});
    witness_.crosses(member, number, entry);
    std::erase_if(engine.signals, [number](const core::SignalEntry& one) { return one.number <= number; });
    carry_out(member, next);
}

/// The round is broken: whatever waits for others comes back; what computes finds out at its end.
void World::Stage::interrupt_engine(Member& member) {
    if (!member.engine || member.engine->doing == Doing::finished) return;
    Engine& engine = *member.engine;
    engine.interrupted = true;
    engine.handover.reset();  // What was not taken yet is broken, too.
    if (engine.doing == Doing::computing || engine.doing == Doing::hooks) return;
    ++engine.epoch;
    engine.doing = Doing::parked;
}

void World::Stage::finish_loop(Member& member) {
    member.engine->doing = Doing::finished;
    member.leaving = true;
    post(member, mail::Leaving{});
}

}  // namespace muster::sim
