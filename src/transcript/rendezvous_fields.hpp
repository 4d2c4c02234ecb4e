// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Settings, times and states of a rendezvous in JSON. Units: seconds there, microseconds here; whole seconds are
/// written without a fraction. Errors: BadLine. Thread safety: pure functions.

#include <optional>

#include "core/rendezvous_state.hpp"
#include "transcript/transcript.hpp"

namespace muster::transcript {

/// The transcript's own defaults (no cache), and what the line says instead. Not yet checked as the source does it.
[[nodiscard]] core::rendezvous::Settings rendezvous_settings_of(const Json& given);

/// Rounded to the microsecond. Throws where the field is missing, no number, or beyond 10^11 seconds.
[[nodiscard]] core::rendezvous::Time time_of(const Json& line, const char* field);
/// The same, but nothing where the field is missing or null.
[[nodiscard]] std::optional<core::rendezvous::Time> maybe_time_of(const Json& line, const char* field);
/// An operation's "deadline": never where it is missing or null; one that is beyond all times is as good as never.
[[nodiscard]] std::optional<core::rendezvous::Time> deadline_of(const Json& line);

[[nodiscard]] Json json_of(core::rendezvous::Time time);
[[nodiscard]] Json json_of(const core::rendezvous::State& state);

}  // namespace muster::transcript
