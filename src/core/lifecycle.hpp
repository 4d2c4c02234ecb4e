// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What an engine does on each event in each state, and what the coordinator lets pass: two tables.
/// Intuition: read kEngineRows and kCoordinatorRows (lifecycle_rows.hpp) like a picture; whatever has no row is
/// refused, and the answer says why. The engine's waits (vote, barrier) are flags beside the state, since the source's
/// states are these nine. Errors: a refused event leaves everything as it was (Outcome::accepted is false,
/// Outcome::reason says why). Thread safety: none. No allocation in step() but where a signal is held. Source:
/// Megatron-LM (acceptance M1 to M24); held signals and UNPAUSING's barrier are ours (DESIGN.md, "Lifecycle").

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "muster/lifecycle.hpp"

namespace muster::core {

enum class Event : std::uint8_t {
    pause,
    unpause,
    suspend,
    resume,
    stop,
    start,
    votes_counted,    ///< Situation::consensus says what came out.
    barrier_crossed,  ///< All engines of the world have arrived.
};
constexpr std::size_t kEvents = 8;
[[nodiscard]] constexpr Event event_of(Signal signal) { return static_cast<Event>(signal); }

/// What a lockstep group's vote came to, in the order in which it is decided.
enum class Consensus : std::uint8_t { none, all_pausing, work, idle };

/// What is to be done after an accepted event.
enum class Act : std::uint8_t {
    none,
    start_vote,         ///< From now on vote -1 until all do.
    forward,            ///< There is work here.
    dummy_forward,      ///< There is work elsewhere in the group.
    rest,               ///< There is none.
    cross_barrier,      ///< Enter the world barrier.
    release_and_cross,  ///< Suspend hooks and buffers first, then the barrier.
    restore_and_cross,  ///< Resume hooks and buffers first, then the barrier.
    hold,               ///< Kept, in order, until the state is stable.
    finish,             ///< The loop ends (or parks, where members stay).
    broadcast,          ///< Coordinator: tell all engines.
};

enum class Guard : std::uint8_t {
    always,
    nothing_held,
    something_held,
    in_barrier,
    work_here,      ///< consensus work, and this engine has some. Only outside the barrier.
    work_there,     ///< consensus work, none here. Only outside the barrier.
    no_work,        ///< consensus idle. Only outside the barrier.
    all_pause,      ///< consensus all_pausing. Only outside the barrier.
    engines_there,  ///< Coordinator: not stopped.
    engines_gone,   ///< Coordinator: stopped and not started since.
};

[[nodiscard]] const char* name_of(Event event);          ///< "pause", "votes_counted"
[[nodiscard]] const char* name_of(Act act);              ///< "start_vote"
[[nodiscard]] const char* name_of(Guard guard);          ///< "nothing held"
[[nodiscard]] const char* name_of(Consensus consensus);  ///< "all_pausing"
[[nodiscard]] std::optional<Event> event_from(std::string_view name);
[[nodiscard]] std::optional<Consensus> consensus_from(std::string_view name);

struct Row {
    State from;
    Event event;
    Guard guard;
    State to;
    Act act;
};

struct Situation {
    std::uint64_t work = 0;  ///< Requests pending on this engine.
    Consensus consensus = Consensus::none;
};

struct Outcome {
    bool accepted = false;
    State from = State::running, to = State::running;
    Act act = Act::none;
    const char* reason = "";     ///< Why it was refused and what would be legal; no rank, no round.
    std::optional<State> via{};  ///< The state that the coordinator has passed through at once.
};

/// One engine rank.
class EngineLifecycle {
public:
    Outcome step(Event event, const Situation& situation = {});

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] bool in_barrier() const { return in_barrier_; }
    /// The oldest held signal, taken out, where the state is stable now; nothing otherwise. Give it to step().
    [[nodiscard]] std::optional<Signal> take_held();
    [[nodiscard]] std::size_t held() const { return held_.size(); }
    [[nodiscard]] bool reached(Milestone milestone) const {
        return (milestones_ >> static_cast<unsigned>(milestone)) & 1U;
    }
    /// After a rebuild: the stable state that all have agreed on; nothing is held, no barrier is open.
    void adopt(State stable);

private:
    void arrive(State to);
    [[nodiscard]] bool open(Guard guard, const Situation& situation) const;
    [[nodiscard]] const char* why_refused(Event event, const Situation& situation) const;
    State state_ = State::running;
    bool in_barrier_ = false;
    std::uint8_t milestones_ = 1;  ///< Bit per Milestone.
    std::vector<Signal> held_;     ///< Oldest first. Empty in nearly all turns; then it owns no memory.
};

/// The coordinator's own table: it is where the last accepted signal leads, at once (M24).
class CoordinatorLifecycle {
public:
    Outcome step(Signal signal);
    [[nodiscard]] State state() const { return state_; }  ///< running, paused or suspended.
    /// All engines have been told to stop and none was started since: M18.
    [[nodiscard]] bool stopped() const { return stopped_; }
    /// After a rebuild: the stable state that engines have agreed on; STOPPED is RUNNING with stopped().
    void adopt(State state, bool stopped);

private:
    State state_ = State::running;
    bool stopped_ = false;
};

/// The stable state of an engine in the stable `state` that has crossed the barrier of `signal`: running, pause ->
/// paused and so on. A signal that leads nowhere from `state` (a repeat, an illegal one) leaves it.
[[nodiscard]] State after(State state, Signal signal);

/// Both tables as text for DESIGN.md: a Mermaid state diagram each, made from the rows.
[[nodiscard]] std::string lifecycle_diagram();

}  // namespace muster::core
