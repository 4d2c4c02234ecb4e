// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a coordinator's successor must know of a group's waves, so that their numbers never go back.
/// Errors: decode() of anything else is nothing. Thread safety: plain values.

#include <optional>
#include <span>

#include "core/codec.hpp"
#include "core/wave.hpp"

namespace muster::core {

struct WaveState {
    Wave wave{};
    bool running = false;
    bool held = false;  ///< Somebody asked for a wave during a pause.
    Loads loads{};
    bool operator==(const WaveState&) const = default;
};

/// The same state gives the same bytes.
[[nodiscard]] Bytes encode(const WaveState& state);
[[nodiscard]] std::optional<WaveState> decode_wave_state(std::span<const std::byte> bytes);

}  // namespace muster::core
