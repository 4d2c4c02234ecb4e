// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A tracker that is spoken to in short words and answers in short words, for tests by acceptance ids.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/overloaded.hpp"
#include "core/wave_tracker.hpp"

namespace muster::core::testing {

using Words = std::vector<std::string>;

inline constexpr std::int64_t kReady = 1'000'000;  ///< When a test's engines are ready.

inline std::string word_of(const std::optional<EngineIndex>& engine) {
    return engine ? std::to_string(engine->value) : "nil";
}

/// "START 3 -1": wave 3 without engine 1. "front nil 3 on": the immediate word. "front 1+2 0+0 3 off": waiting+running.
inline Words words_of(const WaveEffects& effects) {
    Words words;
    for (const auto& effect : effects)
        words.push_back(std::visit(
            Overloaded{
                [](const StartWave& start) {
                    return "START " + std::to_string(start.wave.value) + " -" + word_of(start.exclude);
                },
                [](const Ready& ready) { return ready.late ? "READY " + word_of(ready.late) : std::string("READY"); },
                [](const PublishWave& word) {
                    std::string text = "front";
                    if (!word.loads) text += " nil";
                    for (const auto& load : word.loads.value_or(Loads{}))
                        text += " " + std::to_string(load.waiting) + "+" + std::to_string(load.running);
                    return text + " " + std::to_string(word.wave.value) + (word.running ? " on" : " off");
                },
                [](const WaveNote& note) { return "log: " + note.text; }},
            effect));
    return words;
}

inline WaveInput wake(std::optional<std::int64_t> exclude, std::int64_t wave) {
    Wake news{.exclude = std::nullopt, .wave = Wave{wave}};
    if (exclude) news.exclude = EngineIndex{*exclude};
    return {.front = news, .engine = {}};
}
inline WaveInput scale(std::int64_t engines) { return {.front = Scale{engines}, .engine = {}}; }
inline WaveInput front_subscribes() { return {.front = FrontSubscribes{}, .engine = {}}; }
inline WaveInput says(const EngineNews& news) { return {.front = {}, .engine = news}; }
inline WaveInput together(const WaveInput& front, const WaveInput& engine) { return {front.front, engine.engine}; }

inline EngineNews load(std::int64_t engine, StepMark at, Load load) {
    return {.engine = EngineIndex{engine}, .load = LoadReport{at, std::move(load)}};
}
inline EngineNews completes(std::int64_t wave, std::int64_t engine = 0) {
    return {.engine = EngineIndex{engine}, .wave_complete = Wave{wave}};
}
inline EngineNews starts(std::int64_t wave, std::int64_t engine) {
    return {.engine = EngineIndex{engine}, .start_wave = Wave{wave}};
}

/// A group of so many engines that was ready at kReady.
struct Group {
    explicit Group(std::size_t engines, bool source_timing = false, bool coordination = true)
        : tracker({.load = {.engines = engines}, .coordination = coordination, .source_timing = source_timing},
                  kReady) {}

    /// So many milliseconds after kReady.
    Words at(std::int64_t time, const WaveInput& input = {}) {
        turn = tracker.step(kReady + time, input);
        return words_of(turn.effects);
    }
    Words pause(bool paused, std::int64_t time = 0) {
        turn = tracker.pause(kReady + time, paused);
        return words_of(turn.effects);
    }
    /// A group that runs `wave`, as if it had come to rest that often.
    void run(std::int64_t wave) {
        WaveState state = tracker.state();
        state.wave = Wave{wave};
        state.running = true;
        tracker.adopt(state);
    }
    void rest_before(std::int64_t wave) {
        run(wave);
        auto state = tracker.state();
        state.running = false;
        tracker.adopt(state);
    }

    WaveTracker tracker;
    WaveTurn turn;
};

/// What must hold both to the letter of the source and in ours.
struct BothTimings : ::testing::TestWithParam<bool> {
    Group group{3, GetParam()};
};

inline std::string timing_name(const ::testing::TestParamInfo<bool>& info) {
    return info.param ? "AsTheSource" : "Ours";
}

}  // namespace muster::core::testing
