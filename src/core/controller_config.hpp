// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a user may say about a backend (our word: deployment), and what is wrong with it.
/// Intuition: a config is always whole; an update holds the fields that somebody has set, and only those change it.
/// Units: seconds where the name says _s, else counts. Errors: complaint_about() in one sentence; nothing throws.
/// Thread safety: plain values. Source: acceptance R7, R12; names and defaults are those of the source's BackendConfig.

#include <cstdint>
#include <optional>
#include <string>

#include "core/autoscaler.hpp"
#include "core/codec.hpp"

namespace muster::core::controller {

using muster::BackendConfig;
using muster::BackendConfigUpdate;

[[nodiscard]] BackendConfig merged(BackendConfig config, const BackendConfigUpdate& update);

/// Why this whole config cannot be; nothing where it can.
[[nodiscard]] std::optional<std::string> complaint_about(const BackendConfig& config);

/// How many replicas it asks for at first: num_replicas, within the autoscaler's bounds where there is one.
[[nodiscard]] std::uint32_t wanted_by(const BackendConfig& config);

/// How long a replica may drain, in milliseconds.
[[nodiscard]] std::uint64_t grace_ms_of(const BackendConfig& config);

void put(Writer& out, const BackendConfig& config);
[[nodiscard]] BackendConfig take_backend_config(Reader& in);

/// A real number in the codec: its 64 bits.
void put_real(Writer& out, double value);
[[nodiscard]] double take_real(Reader& in);

}  // namespace muster::core::controller
