// SPDX-License-Identifier: Apache-2.0
#include "core/lifecycle.hpp"

#include "core/assert.hpp"
#include "core/lifecycle_rows.hpp"

namespace muster::core {

namespace {

constexpr RowIndex kEngineIndex = index_of(kEngineRows);
constexpr RowIndex kCoordinatorIndex = index_of(kCoordinatorRows);
constexpr const char* kAlreadyStarted = "already started: START is legal only after STOP";

template <std::size_t N, class Open>
const Row* row_of(const std::array<Row, N>& rows, const RowIndex& index, State state, Event event, Open open) {
    const auto span = index[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
    for (std::size_t i = span.first; i < std::size_t{span.first} + span.count; ++i)
        if (open(rows[i].guard)) return &rows[i];
    return nullptr;
}

constexpr std::uint8_t bit_of(Milestone milestone) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(milestone));
}

/// What would lead on from here; repeats that change nothing are left out.
const char* legal_signals(State state) {
    switch (state) {
        case State::running: return "the engine is RUNNING: only PAUSE is legal";
        case State::pausing: return "the engine is PAUSING: only UNPAUSE, SUSPEND and STOP are legal";
        case State::paused: return "the engine is PAUSED: only UNPAUSE, SUSPEND and STOP are legal";
        case State::unpausing: return "the engine is UNPAUSING: only PAUSE is legal";
        case State::suspending: return "the engine is SUSPENDING: only RESUME and STOP are legal";
        case State::suspended: return "the engine is SUSPENDED: only RESUME and STOP are legal";
        case State::resuming: return "the engine is RESUMING: only UNPAUSE, SUSPEND and STOP are legal";
        case State::stopping: return "the engine is STOPPING: only START is legal";
        case State::stopped: return "the engine is STOPPED: only START is legal";
    }
    return "";
}

const char* why_coordinator_refuses(State state, bool stopped, Signal signal) {
    if (stopped) return "No engines connected: they were stopped, only START is legal";
    if (signal == Signal::start) return kAlreadyStarted;
    switch (state) {
        case State::running: return "the job is RUNNING: only PAUSE is legal";
        case State::paused: return "the job is PAUSED: only UNPAUSE, SUSPEND and STOP are legal";
        default: return "the job is SUSPENDED: only RESUME and STOP are legal";
    }
}

}  // namespace

bool EngineLifecycle::open(Guard guard, const Situation& situation) const {
    const bool votes = !in_barrier_;
    switch (guard) {
        case Guard::always: return true;
        case Guard::nothing_held: return held_.empty();
        case Guard::something_held: return !held_.empty();
        case Guard::in_barrier: return in_barrier_;
        case Guard::work_here: return votes && situation.consensus == Consensus::work && situation.work > 0;
        case Guard::work_there: return votes && situation.consensus == Consensus::work && situation.work == 0;
        case Guard::no_work: return votes && situation.consensus == Consensus::idle;
        case Guard::all_pause: return votes && situation.consensus == Consensus::all_pausing;
        case Guard::engines_there:
        case Guard::engines_gone: break;  // The coordinator's.
    }
    return false;
}

const char* EngineLifecycle::why_refused(Event event, const Situation& situation) const {
    if (event == Event::start) return kAlreadyStarted;
    if (event == Event::barrier_crossed) return "no barrier is open here: one is crossed only after it was entered";
    if (event != Event::votes_counted) return legal_signals(state_);
    if (state_ != State::running && state_ != State::pausing)
        return "there is no vote in this state: votes are legal only in RUNNING and PAUSING";
    if (in_barrier_) return "the engine is in a barrier: only the barrier's crossing is legal";
    if (situation.consensus == Consensus::none)
        return "a vote comes to all_pausing, work or idle: only these are legal";
    return "this engine votes not to pause: only work and idle are legal";
}

Outcome EngineLifecycle::step(Event event, const Situation& situation) {
    const Row* row =
        row_of(kEngineRows, kEngineIndex, state_, event, [&](Guard guard) { return open(guard, situation); });
    if (row == nullptr) return {.from = state_, .to = state_, .reason = why_refused(event, situation)};
    if (row->act == Act::hold) held_.push_back(static_cast<Signal>(event));
    if (event == Event::barrier_crossed) in_barrier_ = false;
    if (row->act == Act::cross_barrier || row->act == Act::release_and_cross || row->act == Act::restore_and_cross)
        in_barrier_ = true;
    if (row->to != state_) arrive(row->to);
    return {.accepted = true, .from = row->from, .to = row->to, .act = row->act};
}

/// M13: what can be waited for follows from the states alone.
void EngineLifecycle::arrive(State to) {
    const auto set = [this](Milestone milestone, bool on) {
        milestones_ =
            static_cast<std::uint8_t>(on ? milestones_ | bit_of(milestone) : milestones_ & ~bit_of(milestone));
    };
    set(Milestone::running, to == State::running);
    set(Milestone::suspended, to == State::suspended);
    set(Milestone::stopped, to == State::stopped);
    if (to == State::running) set(Milestone::paused, false);
    // Whoever adopts a state that is reached only from PAUSED has been there.
    if (to == State::paused || to == State::suspended || to == State::stopped) set(Milestone::paused, true);
    if (to == State::paused && state_ == State::resuming) set(Milestone::resumed, true);
    if (to == State::suspending || to == State::suspended) set(Milestone::resumed, false);
    state_ = to;
}

std::optional<Signal> EngineLifecycle::take_held() {
    if (held_.empty() || !is_stable(state_)) return std::nullopt;
    const Signal oldest = held_.front();
    held_.erase(held_.begin());
    return oldest;
}

void EngineLifecycle::adopt(State stable) {
    MUSTER_ASSERT(is_stable(stable));
    held_.clear();
    in_barrier_ = false;
    arrive(stable);
}

Outcome CoordinatorLifecycle::step(Signal signal) {
    const auto open = [this](Guard guard) {
        return guard == Guard::always || guard == (stopped_ ? Guard::engines_gone : Guard::engines_there);
    };
    const State from = state_;
    const auto row_from = [&](State state) {
        return row_of(kCoordinatorRows, kCoordinatorIndex, state, event_of(signal), open);
    };
    const Row* row = row_from(from);
    if (row == nullptr) return {.from = from, .to = from, .reason = why_coordinator_refuses(from, stopped_, signal)};
    Outcome outcome{.accepted = true, .from = from, .to = row->to, .act = row->act};
    if (!is_stable(row->to)) {
        outcome.via = row->to;
        outcome.to = row_from(row->to)->to;
    }
    state_ = outcome.to;
    if (row->act == Act::broadcast) stopped_ = outcome.via == State::stopping;
    return outcome;
}

void CoordinatorLifecycle::adopt(State state, bool stopped) {
    MUSTER_ASSERT(is_stable(state));
    stopped_ = stopped || state == State::stopped;
    state_ = stopped_ ? State::running : state;
}

State after(State state, Signal signal) {
    const auto always = [](Guard guard) { return guard == Guard::always || guard == Guard::in_barrier; };
    const Row* row = row_of(kEngineRows, kEngineIndex, state, event_of(signal), always);
    if (row == nullptr || is_stable(row->to)) return state;
    return row_of(kEngineRows, kEngineIndex, row->to, Event::barrier_crossed, always)->to;
}

}  // namespace muster::core
