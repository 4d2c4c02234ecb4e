// SPDX-License-Identifier: Apache-2.0
#include "core/engine_loop.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/assert.hpp"

namespace muster::core {

namespace {

constexpr std::uint64_t kWakesPerRound = std::uint64_t{1} << 40U;

/// The finalizer of splitmix64: neighbouring numbers come out far apart.
std::uint64_t mixed(std::uint64_t value) {
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31U);
}

bool is_program_turn(Order::Kind kind) {
    return kind == Order::forward || kind == Order::dummy_forward || kind == Order::suspend || kind == Order::resume;
}

}  // namespace

EngineLoop::EngineLoop(LoopSettings settings) : settings_(settings) { MUSTER_ASSERT(settings.every > 0); }

Order EngineLoop::give(Order order) {
    expected_ = order.kind;
    return order;
}

Order EngineLoop::begin() {
    MUSTER_ASSERT(is_program_turn(expected_));
    if (expected_ == Order::suspend || expected_ == Order::resume)
        return give({.kind = Order::barrier, .number = crossed_ + 1});
    // Only after a rebuild: the others have seen the stop through, this member adopted it.
    if (lifecycle_.state() == State::stopped && !settings_.stay) return give({.kind = Order::finish});
    if (outstanding_) return give({.kind = Order::read_vote, .number = vote_ + 1});
    return give({.kind = Order::take_batch});
}

Order EngineLoop::batch(const Batch& batch) {
    MUSTER_ASSERT(expected_ == Order::take_batch);
    work_ = batch.work;
    if (!batch.signal) return turn();
    ++taken_;
    const bool was_stable = is_stable(lifecycle_.state()) && lifecycle_.state() != State::running;
    const Order order = apply(*batch.signal);
    if (order.kind != Order::take_batch) return order;
    // Where nothing else happens in a turn, the next signal is looked for before the engine rests.
    return was_stable ? order : turn();
}

/// What the signal leads to; take_batch where it leads to nothing that must be done before the turn goes on.
Order EngineLoop::apply(Signal signal) {
    const Outcome outcome = lifecycle_.step(event_of(signal), {.work = work_});
    if (!outcome.accepted) refusal_ = outcome;
    return order_of(outcome);
}

Order EngineLoop::turn() {
    if (!votes_now()) return rest(false);
    if (settings_.mode == ConsensusMode::off) {
        const bool pausing = lifecycle_.state() == State::pausing;
        return decide(pausing ? Consensus::all_pausing : work_ > 0 ? Consensus::work : Consensus::idle);
    }
    if (std::exchange(fresh_, false)) return decide(decision_);
    if (decision_ == Consensus::work && until_vote_ > 0) {
        --until_vote_;
        return decide(decision_);
    }
    return vote();  // Also after a rest: whoever leaves it has woken the group, or was woken.
}

Order EngineLoop::vote() {
    voted_ = next_votes();
    return give({.kind = Order::vote, .votes = voted_, .number = vote_ + 1});
}

Order EngineLoop::counted(const Votes& result) {
    MUSTER_ASSERT(expected_ == Order::vote || expected_ == Order::read_vote);
    if (result[2] != -result[3]) return give({.kind = Order::drift, .number = vote_ + 1});
    ++vote_;
    decision_ = result[1] == -1 ? Consensus::all_pausing : result[0] > 0 ? Consensus::work : Consensus::idle;
    until_vote_ = decision_ == Consensus::work ? settings_.every - 1 : 0;
    if (!std::exchange(outstanding_, false)) return decide(decision_);
    fresh_ = true;
    return give({.kind = Order::take_batch});
}

Order EngineLoop::decide(Consensus decision) {
    // Overlapped: what has come since the vote was posted is not in it, and the others may be about to rest.
    if (std::exchange(awake_, decision == Consensus::work) && !awake_) ++wave_;
    const bool missed = decision == Consensus::idle && settings_.mode != ConsensusMode::off && news_for_group();
    const Outcome outcome = lifecycle_.step(Event::votes_counted, {.work = work_, .consensus = decision});
    MUSTER_ASSERT(outcome.accepted);
    return missed ? rest(true) : order_of(outcome);
}

Order EngineLoop::rest(bool wake) {
    return give({.kind = Order::rest, .wake = wake, .number = round_.value * kWakesPerRound + vote_ + 1});
}

Order EngineLoop::to_program(Order::Kind kind) {
    Order order{.kind = kind};
    if (settings_.mode == ConsensusMode::overlapped && until_vote_ == 0) {
        order.post = outstanding_ = true;
        order.votes = voted_ = next_votes();
        order.number = vote_ + 1;
    }
    return give(order);
}

Order EngineLoop::order_of(const Outcome& outcome) {
    switch (outcome.act) {
        case Act::forward: return to_program(Order::forward);
        case Act::dummy_forward: return to_program(Order::dummy_forward);
        case Act::rest: return rest(false);
        case Act::cross_barrier: return give({.kind = Order::barrier, .number = crossed_ + 1});
        case Act::release_and_cross: return give({.kind = Order::suspend});
        case Act::restore_and_cross: return give({.kind = Order::resume});
        default: return give({.kind = Order::take_batch});  // Nothing, held, or a vote that the turn comes to anyhow.
    }
}

Order EngineLoop::woken() {
    MUSTER_ASSERT(expected_ == Order::rest);
    return give({.kind = Order::take_batch});
}

Order EngineLoop::crossed() {
    MUSTER_ASSERT(expected_ == Order::barrier && !outstanding_);
    ++crossed_;
    decision_ = Consensus::none;
    until_vote_ = 0;
    const Outcome outcome = lifecycle_.step(Event::barrier_crossed);
    MUSTER_ASSERT(outcome.accepted);
    if (outcome.act == Act::finish && !settings_.stay) return give({.kind = Order::finish});
    while (const auto held = lifecycle_.take_held()) {
        const Order order = apply(*held);
        if (order.kind != Order::take_batch) return order;
    }
    return give({.kind = Order::take_batch});
}

void EngineLoop::rebuilt(Round round, std::uint64_t crossed, State stable, std::int64_t wave) {
    lifecycle_.adopt(stable);
    round_ = round;
    crossed_ = crossed;
    vote_ = taken_ = work_ = 0;
    wave_ = std::max(wave_ + (std::exchange(awake_, false) ? 1 : 0), wave);
    decision_ = Consensus::none;
    outstanding_ = fresh_ = false;
    until_vote_ = 0;
    voted_ = {};
    refusal_.reset();
    expected_ = Order::forward;
}

std::optional<Outcome> EngineLoop::take_refusal() { return std::exchange(refusal_, std::nullopt); }

Votes EngineLoop::next_votes() const {
    std::uint64_t hash = round_.value;
    for (const std::uint64_t part : {crossed_, vote_ + 1, static_cast<std::uint64_t>(decision_)})
        hash = mixed(hash * 0x9e3779b97f4a7c15U + part + 1);
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const auto check = static_cast<std::int64_t>(hash & kMax);
    const bool pausing = lifecycle_.state() == State::pausing;
    return {static_cast<std::int64_t>(work_ & kMax), pausing ? -1 : 0, check, -check};
}

bool EngineLoop::votes_now() const {
    return lifecycle_.state() == State::running || lifecycle_.state() == State::pausing;
}

/// This engine would not vote as it did in the vote that sent the group to rest.
bool EngineLoop::news_for_group() const {
    const bool pausing = lifecycle_.state() == State::pausing;
    return work_ > 0 || (voted_[1] == -1) != pausing;
}

}  // namespace muster::core
