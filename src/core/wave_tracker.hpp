// SPDX-License-Identifier: Apache-2.0
#pragma once
/// When a lockstep group is awake, which wave it is in, and who is told; one tracker a group.
/// Intuition: whoever brings work to a resting group has all of it woken; once its engine 0 says that nobody has work,
/// the wave is over and the next one has its number. Beside that the tracker publishes the group's loads in time.
/// Shape: one call is one turn of the source's loop: what a front says, then what an engine says, effects in order.
/// Units: milliseconds, as LoadBoard. Invariant: the wave never decreases (V23, V24), also across adopt() and
/// regroup(). Errors: WaveTurn::fault, where the source's process would end: that message is not applied, ours goes on.
/// An index is signed since the source takes Python's: with source_timing -1 is the last engine.
/// Thread safety: none. Source: vLLM's DP coordinator; where we differ and why: DESIGN.md, "Waves".

#include <optional>
#include <string>
#include <vector>

#include "core/load_board.hpp"
#include "core/wave.hpp"
#include "core/wave_state.hpp"

namespace muster::core {

struct WaveSettings {
    LoadSettings load{};
    bool coordination = true;    ///< False: loads and resizing only (V15, V28).
    bool source_timing = false;  ///< True: to the letter, gaps included. Stands for the board's, too.
};

/// What came in for one turn. Nothing at all: time has passed (of the source: a poll that timed out).
struct WaveInput {
    std::optional<FrontNews> front{};
    std::optional<EngineNews> engine{};
};

struct WaveTurn {
    WaveEffects effects{};
    bool engine_waits = false;           ///< The engine's message was not looked at: hand it in again (V12, V14).
    std::optional<std::string> fault{};  ///< What was wrong with the engine's message.
    std::int64_t next_poll_ms = 0;       ///< With nothing to hand in before, step() again after that long.
};

class WaveTracker {
public:
    /// `now_ms` is when READY went out.
    WaveTracker(const WaveSettings& settings, std::int64_t now_ms);

    [[nodiscard]] WaveTurn step(std::int64_t now_ms, const WaveInput& input);

    /// The group has paused by consensus: nobody is woken, what asks for it is remembered. Unpaused: all are woken
    /// where somebody asked or was at work; a START_DP_WAVE that met the pause on its way is so made up for.
    [[nodiscard]] WaveTurn pause(std::int64_t now_ms, bool paused);

    /// A round has changed the group: engine i was from[i] before, a newcomer was nobody. With newcomers the group
    /// counts as resting, so that the next request wakes them too (V13's reason).
    void regroup(const std::vector<std::optional<std::size_t>>& from);

    /// A predecessor's state, where it is not older than this one. Before its first turn.
    void adopt(const WaveState& state);
    [[nodiscard]] WaveState state() const;

    [[nodiscard]] Wave wave() const { return wave_; }
    [[nodiscard]] bool running() const { return running_; }
    [[nodiscard]] bool paused() const { return paused_; }
    [[nodiscard]] const LoadBoard& board() const { return board_; }

private:
    [[nodiscard]] bool take(const FrontNews& news, WaveEffects& out);  ///< True: this turn is over.
    void take(const Wake& wake, WaveEffects& out);
    void take(const Scale& scale, WaveEffects& out);
    [[nodiscard]] std::optional<std::string> take(std::int64_t now_ms, const EngineNews& news, WaveEffects& out);
    void rest_for_newcomers();  ///< They sleep, so the next request must wake all (V13).
    void complete(Wave wave);
    void start(const EngineNews& news, WaveEffects& out);
    void start_all(Wave wave, std::optional<EngineIndex> exclude, WaveEffects& out);
    [[nodiscard]] std::optional<std::size_t> place_of(EngineIndex engine) const;
    void publish_change(WaveEffects& out);

    WaveSettings settings_;
    LoadBoard board_;
    Wave wave_{};
    bool running_ = false;
    bool paused_ = false;
    bool held_ = false;     ///< Somebody asked for a wave during the pause.
    bool changed_ = false;  ///< Wave or running, in this turn.
};

}  // namespace muster::core
