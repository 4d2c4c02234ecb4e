// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Settings of a meeting as a person writes them: "join_timeout=600,last_call_timeout=30,keep_alive_interval=5".
/// Shape: KEY=SECONDS with decimals, joined by commas; keys are T34's (join_timeout, last_call_timeout, close_timeout,
/// heartbeat_timeout, keep_alive_interval), keep_alive_max_attempt (a number of keep-alives), poll_sleep, join_delay.
/// Errors: Failure::bad_value names the key and what it may be. Thread safety: pure.

#include <map>
#include <string>

#include "core/rendezvous_settings.hpp"

namespace muster::meet {

[[nodiscard]] core::rendezvous::Or<core::rendezvous::Settings> with_times(core::rendezvous::Settings settings,
                                                                          const std::string& text);

/// The other way round: every key with its value.
[[nodiscard]] std::map<std::string, std::string> times_of(const core::rendezvous::Settings& settings);

/// "15 s", "0.3 s".
[[nodiscard]] std::string seconds_text(core::rendezvous::Time span);

/// For how long a node may be silent: interval x attempts.
[[nodiscard]] core::rendezvous::Time silence_max(const core::rendezvous::Settings& settings);

}  // namespace muster::meet
