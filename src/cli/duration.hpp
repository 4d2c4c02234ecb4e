// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Times on the command line: "250ms", "1s", "2.5s", "2m", or "off".

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

namespace muster::cli {

/// Whole milliseconds; 0 for "off"; nothing where the text is no time or lies beyond a day.
[[nodiscard]] inline std::optional<int> milliseconds_from(std::string_view text) {
    if (text == "off") return 0;
    double unit_ms = 0;
    if (text.ends_with("ms")) {
        unit_ms = 1;
        text.remove_suffix(2);
    } else if (text.ends_with('s') || text.ends_with('m')) {
        unit_ms = text.ends_with('s') ? 1'000 : 60'000;
        text.remove_suffix(1);
    }
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    constexpr double kDayMs = 86'400'000;
    const bool good = error == std::errc{} && end == text.data() + text.size() && std::isfinite(value);
    if (!good || unit_ms == 0 || value * unit_ms < 1 || value * unit_ms > kDayMs) return std::nullopt;
    return static_cast<int>(std::lround(value * unit_ms));
}

}  // namespace muster::cli
