// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The lines of `muster transcript waves`, read whole before anything is done with them, and its answers.
/// Units: milliseconds. Errors: BadLine. Thread safety: pure functions.

#include <optional>

#include "core/wave_start.hpp"
#include "core/wave_tracker.hpp"
#include "transcript/transcript.hpp"

namespace muster::transcript {

struct WavesSettings {
    core::WaveSettings wave{};
    std::size_t groups = 1;
    std::int64_t start_limit_ms = 120'000;
};

/// The source's defaults, and what the line says instead.
[[nodiscard]] WavesSettings waves_settings_of(const Json& given);

/// One line after the settings. Exactly one of: a turn (front, engine, or neither), subscribe, paused.
struct WavesLine {
    std::int64_t now_ms = 0;
    std::size_t group = 0;
    std::optional<core::FrontNews> front{};
    std::optional<core::EngineNews> engine{};
    bool tick = false;
    std::optional<bool> subscribe{};
    std::optional<core::EngineIndex> subscriber{};
    std::optional<bool> paused{};
};

[[nodiscard]] WavesLine waves_line_of(const Json& line, const WavesSettings& settings);

/// The fields that effects have in an answer: engines, front, log; ready first where READY goes out.
[[nodiscard]] Json json_of(const core::WaveEffects& effects);

}  // namespace muster::transcript
