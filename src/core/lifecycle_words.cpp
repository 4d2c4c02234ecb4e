// SPDX-License-Identifier: Apache-2.0
// The lifecycle's words as people read and write them, and its tables as a picture.
#include <algorithm>
#include <cctype>
#include <span>
#include <string>

#include "core/lifecycle.hpp"
#include "core/lifecycle_rows.hpp"

namespace muster {

namespace {

bool same_word(std::string_view one, std::string_view other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

/// The value of an enumeration of `count` values whose name this is.
template <class Enum>
std::optional<Enum> value_of(std::string_view name, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        if (same_word(name, name_of(static_cast<Enum>(i)))) return static_cast<Enum>(i);
    return std::nullopt;
}

}  // namespace

const char* name_of(State state) {
    switch (state) {
        case State::running: return "RUNNING";
        case State::pausing: return "PAUSING";
        case State::paused: return "PAUSED";
        case State::unpausing: return "UNPAUSING";
        case State::suspending: return "SUSPENDING";
        case State::suspended: return "SUSPENDED";
        case State::resuming: return "RESUMING";
        case State::stopping: return "STOPPING";
        case State::stopped: return "STOPPED";
    }
    return "unknown";
}

const char* name_of(Signal signal) {
    switch (signal) {
        case Signal::pause: return "PAUSE";
        case Signal::unpause: return "UNPAUSE";
        case Signal::suspend: return "SUSPEND";
        case Signal::resume: return "RESUME";
        case Signal::stop: return "STOP";
        case Signal::start: return "START";
    }
    return "unknown";
}

const char* name_of(Milestone milestone) {
    switch (milestone) {
        case Milestone::running: return "running";
        case Milestone::paused: return "paused";
        case Milestone::suspended: return "suspended";
        case Milestone::resumed: return "resumed";
        case Milestone::stopped: return "stopped";
    }
    return "unknown";
}

std::optional<State> state_from(std::string_view name) { return value_of<State>(name, kStates); }
std::optional<Signal> signal_from(std::string_view name) { return value_of<Signal>(name, kSignals); }

Result<Milestone> milestone_of(State state) {
    switch (state) {
        case State::running: return Milestone::running;
        case State::paused: return Milestone::paused;
        case State::suspended: return Milestone::suspended;
        case State::stopped: return Milestone::stopped;
        default: break;
    }
    return Error{Fault::refused, std::string(name_of(state)) +
                                     " only passes, so nobody can wait for it; wait for RUNNING, PAUSED, SUSPENDED or "
                                     "STOPPED"};
}

namespace core {

const char* name_of(Event event) {
    switch (event) {
        case Event::pause: return "pause";
        case Event::unpause: return "unpause";
        case Event::suspend: return "suspend";
        case Event::resume: return "resume";
        case Event::stop: return "stop";
        case Event::start: return "start";
        case Event::votes_counted: return "votes_counted";
        case Event::barrier_crossed: return "barrier_crossed";
    }
    return "unknown";
}

const char* name_of(Act act) {
    switch (act) {
        case Act::none: return "none";
        case Act::start_vote: return "start_vote";
        case Act::forward: return "forward";
        case Act::dummy_forward: return "dummy_forward";
        case Act::rest: return "rest";
        case Act::cross_barrier: return "cross_barrier";
        case Act::release_and_cross: return "release_and_cross";
        case Act::restore_and_cross: return "restore_and_cross";
        case Act::hold: return "hold";
        case Act::finish: return "finish";
        case Act::broadcast: return "broadcast";
    }
    return "unknown";
}

const char* name_of(Guard guard) {
    switch (guard) {
        case Guard::always: return "always";
        case Guard::nothing_held: return "nothing held";
        case Guard::something_held: return "something held";
        case Guard::in_barrier: return "in barrier";
        case Guard::work_here: return "work here";
        case Guard::work_there: return "work there";
        case Guard::no_work: return "no work";
        case Guard::all_pause: return "all pause";
        case Guard::engines_there: return "engines there";
        case Guard::engines_gone: return "engines gone";
    }
    return "unknown";
}

const char* name_of(Consensus consensus) {
    switch (consensus) {
        case Consensus::none: return "none";
        case Consensus::all_pausing: return "all_pausing";
        case Consensus::work: return "work";
        case Consensus::idle: return "idle";
    }
    return "unknown";
}

std::optional<Event> event_from(std::string_view name) { return value_of<Event>(name, kEvents); }
std::optional<Consensus> consensus_from(std::string_view name) { return value_of<Consensus>(name, 4); }

namespace {

bool one_edge(const Row& one, const Row& other) {
    return one.from == other.from && one.to == other.to && one.guard == other.guard && one.act == other.act;
}

/// The edge of `rows[at]`, with the events of all later rows that differ in nothing else; empty where an earlier one
/// has already named it.
std::string edge_of(std::span<const Row> rows, std::size_t at, bool passes_at_once) {
    const Row& row = rows[at];
    for (std::size_t i = 0; i < at; ++i)
        if (one_edge(rows[i], row)) return "";
    std::string text = "    " + std::string(name_of(row.from)) + " --> " + name_of(row.to) + ": ";
    if (passes_at_once) return text + "at once\n";
    text += name_of(row.event);
    for (std::size_t i = at + 1; i < rows.size(); ++i)
        if (one_edge(rows[i], row)) text += std::string(", ") + name_of(rows[i].event);
    if (row.guard != Guard::always) text += std::string(" [") + name_of(row.guard) + "]";
    if (row.act != Act::none) text += std::string(" / ") + name_of(row.act);
    return text + "\n";
}

}  // namespace

std::string lifecycle_diagram() {
    std::string text = "An engine:\n```mermaid\nstateDiagram-v2\n    [*] --> RUNNING\n";
    for (std::size_t i = 0; i < kEngineRows.size(); ++i) text += edge_of(kEngineRows, i, false);
    text += "```\nThe coordinator:\n```mermaid\nstateDiagram-v2\n    [*] --> RUNNING\n";
    for (std::size_t i = 0; i < kCoordinatorRows.size(); ++i)
        text += edge_of(kCoordinatorRows, i, !is_stable(kCoordinatorRows[i].from));
    return text + "```\n";
}

}  // namespace core
}  // namespace muster
