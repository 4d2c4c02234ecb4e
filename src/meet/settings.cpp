// SPDX-License-Identifier: Apache-2.0
#include "meet/settings.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <vector>

namespace muster::meet {

using namespace core::rendezvous;

namespace {

struct Field {
    const char* key;
    std::int64_t unit;   ///< Microseconds, or 1 for a number.
    std::int64_t least;  ///< In the field's own units.
    std::int64_t* into;
};

std::vector<Field> fields(Settings& settings) {
    constexpr std::int64_t kSecond = 1'000'000;
    auto& timeouts = settings.timeouts;
    return {{"join_timeout", kSecond, 1, &timeouts.join.micros},
            {"last_call_timeout", kSecond, 1, &timeouts.last_call.micros},
            {"close_timeout", kSecond, 1, &timeouts.close.micros},
            {"heartbeat_timeout", kSecond, 1, &timeouts.heartbeat.micros},
            {"keep_alive_interval", kSecond, 1, &settings.keep_alive_interval.micros},
            {"keep_alive_max_attempt", 1, 1, &settings.keep_alive_max_attempt},
            {"poll_sleep", kSecond, 1000, &settings.poll_sleep.micros},  // A millisecond: else it is no sleep.
            {"join_delay", kSecond, 0, &settings.join_delay.micros}};
}

std::string number_text(double value) {
    std::ostringstream out;
    out.precision(9);
    out << value;
    return out.str();
}

/// False: no number, or one that the field cannot have.
bool read(const std::string& text, const Field& field) {
    constexpr double kMost = 1e15;  // Thirty years of microseconds.
    double value = 0;
    const auto* end = text.data() + text.size();
    const auto [last, fault] = std::from_chars(text.data(), end, value);
    if (fault != std::errc{} || last != end || !std::isfinite(value)) return false;
    const double scaled = std::round(value * static_cast<double>(field.unit));
    if (scaled < static_cast<double>(field.least) || scaled > kMost) return false;
    if (field.unit == 1 && scaled != value) return false;
    *field.into = static_cast<std::int64_t>(scaled);
    return true;
}

}  // namespace

Or<Settings> with_times(Settings settings, const std::string& text) {
    auto known = fields(settings);
    std::stringstream stream(text);
    for (std::string entry; std::getline(stream, entry, ',');) {
        const auto sign = entry.find('=');
        const auto key = entry.substr(0, sign);
        std::string keys;
        const Field* field = nullptr;
        for (const auto& one : known) {
            keys += (keys.empty() ? "" : ", ") + std::string(one.key);
            if (key == one.key) field = &one;
        }
        if (field == nullptr || sign == std::string::npos)
            return Failure{Failure::bad_value, "'" + entry + "' is not KEY=SECONDS with KEY one of " + keys};
        if (!read(entry.substr(sign + 1), *field))
            return Failure{Failure::bad_value,
                           "'" + entry + "': must be " +
                               (field->unit == 1
                                    ? "a whole number of 1 or more"
                                    : "seconds, " + number_text(static_cast<double>(field->least) / 1e6) + " or more")};
    }
    return settings;
}

std::map<std::string, std::string> times_of(const Settings& settings) {
    Settings copy = settings;
    std::map<std::string, std::string> times;
    for (const auto& field : fields(copy))
        times[field.key] = number_text(static_cast<double>(*field.into) / static_cast<double>(field.unit));
    return times;
}

std::string seconds_text(Time span) { return number_text(static_cast<double>(span.micros) / 1e6) + " s"; }

Time silence_max(const Settings& settings) { return settings.keep_alive_interval * settings.keep_alive_max_attempt; }

}  // namespace muster::meet
