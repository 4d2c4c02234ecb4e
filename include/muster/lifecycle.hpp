// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The words of the lifecycle: what an engine can be, what it can be told, what can be waited for.
/// Intuition: five states are stable; between them lie transitions that end when all engines have crossed a world
/// barrier, so that no engine is ever PAUSED while another still runs.
/// Thread safety: plain values. Source: Megatron-LM's robust coordinator signalling; differences: DESIGN.md,
/// "Lifecycle".

#include <cstdint>
#include <optional>
#include <string_view>

#include "muster/types.hpp"

namespace muster {

enum class State : std::uint8_t {
    running,
    pausing,  ///< Votes until all of the lockstep group pause, then crosses the barrier.
    paused,
    unpausing,
    suspending,  ///< Buffers are released, then the barrier.
    suspended,
    resuming,
    stopping,
    stopped,
};
constexpr std::size_t kStates = 9;

/// What engines are told. Each accepted signal leads through exactly one world barrier.
enum class Signal : std::uint8_t {
    pause,
    unpause,
    suspend,
    resume,
    stop,
    start,  ///< After stop, where members stay (Config::stay): run again.
};
constexpr std::size_t kSignals = 6;

/// What can be waited for: the stable states, and that a resume is complete.
enum class Milestone : std::uint8_t {
    running,    ///< Set in RUNNING only.
    paused,     ///< Set once PAUSED is reached, until RUNNING is reached again.
    suspended,  ///< Set in SUSPENDED only.
    resumed,    ///< Set when a resume has crossed its barrier, until the next suspend.
    stopped,    ///< Set last.
};
constexpr std::size_t kMilestones = 5;

/// As in messages: "RUNNING", "PAUSE", "paused".
[[nodiscard]] const char* name_of(State state);
[[nodiscard]] const char* name_of(Signal signal);
[[nodiscard]] const char* name_of(Milestone milestone);
/// Upper or lower case; nothing where there is no such thing.
[[nodiscard]] std::optional<State> state_from(std::string_view name);
[[nodiscard]] std::optional<Signal> signal_from(std::string_view name);

[[nodiscard]] constexpr bool is_stable(State state) {
    return state == State::running || state == State::paused || state == State::suspended || state == State::stopped;
}

/// The milestone of a stable state. Errors: refused for a state that passes: nobody can wait for it.
[[nodiscard]] Result<Milestone> milestone_of(State state);

}  // namespace muster
