// SPDX-License-Identifier: Apache-2.0
#include "core/rendezvous_settings.hpp"

#include <charconv>
#include <cstdio>

namespace muster::core::rendezvous {

namespace {

constexpr std::int64_t kSecond = 1'000'000, kDay = 86'400 * kSecond;

/// Blanks around, a sign, digits. Out of range: nothing.
std::optional<std::int64_t> whole_number(std::string text) {
    const char* blanks = " \t\n\r\f\v";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string::npos) return std::nullopt;
    text = text.substr(first, text.find_last_not_of(blanks) - first + 1);
    if (text.front() == '+' && text.size() > 1 && text[1] != '-') text.erase(0, 1);
    std::int64_t value = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return value;
}

/// What is given is read; what is not stays as it is.
std::optional<Failure> read_option(const std::map<std::string, std::string>& parameters, const char* key,
                                   std::int64_t unit, std::int64_t& into) {
    const auto found = parameters.find(key);
    if (found == parameters.end()) return std::nullopt;
    const auto value = whole_number(found->second);
    if (!value)
        return Failure{Failure::bad_value, "The rendezvous configuration option '" + std::string(key) +
                                               "' does not represent a valid integer value."};
    into = (Time{unit} * *value).micros;
    return std::nullopt;
}

}  // namespace

std::string text_of(Time span) {
    std::int64_t days = span.micros / kDay, rest = span.micros % kDay;
    if (rest < 0) {
        rest += kDay;
        --days;
    }
    const std::int64_t whole = rest / kSecond, fraction = rest % kSecond;
    std::string text;
    if (days != 0) text = std::to_string(days) + (days == 1 || days == -1 ? " day, " : " days, ");
    char clock[32];
    std::snprintf(clock, sizeof clock, "%d:%02d:%02d", static_cast<int>(whole / 3600),
                  static_cast<int>(whole / 60 % 60), static_cast<int>(whole % 60));
    text += clock;
    if (fraction == 0) return text;
    std::snprintf(clock, sizeof clock, ".%06d", static_cast<int>(fraction));
    return text + clock;
}

Settings in_job(std::string run_id, std::int64_t min_nodes, std::int64_t max_nodes) {
    Settings settings;
    settings.run_id = std::move(run_id);
    settings.min_nodes = min_nodes;
    settings.max_nodes = max_nodes;
    settings.keep_alive_interval = millis(200);
    settings.keep_alive_max_attempt = 5;
    settings.cache = settings.poll_sleep = settings.join_delay = Time{0};
    settings.complete_when_all_present = true;
    settings.slot_order = SlotOrder::stable;
    return settings;
}

std::optional<Failure> complaint_about(const Timeouts& timeouts) {
    const std::pair<const char*, Time> all[] = {{"join", timeouts.join},
                                                {"last_call", timeouts.last_call},
                                                {"close", timeouts.close},
                                                {"heartbeat", timeouts.heartbeat}};
    for (const auto& [name, timeout] : all)
        if (timeout <= Time{0})
            return Failure{Failure::bad_value,
                           "The " + std::string(name) + " timeout (" + text_of(timeout) + ") must be positive."};
    return std::nullopt;
}

std::optional<Failure> complaint_about(const Settings& settings) {
    if (auto complaint = complaint_about(settings.timeouts)) return complaint;
    const auto min = std::to_string(settings.min_nodes), max = std::to_string(settings.max_nodes);
    if (settings.run_id.empty()) return Failure{Failure::bad_value, "The run id must be a non-empty string."};
    if (settings.min_nodes < 1)
        return Failure{Failure::bad_value, "The minimum number of nodes (" + min + ") must be greater than zero."};
    if (settings.max_nodes < settings.min_nodes)
        return Failure{Failure::bad_value, "The maximum number of nodes (" + max +
                                               ") must be greater than or equal to the minimum number of nodes (" +
                                               min + ")."};
    return std::nullopt;
}

Or<Settings> settings_from(Settings settings, const std::map<std::string, std::string>& parameters) {
    struct Option {
        const char* key;
        std::int64_t unit;
        std::int64_t& into;
    };
    auto& timeouts = settings.timeouts;
    for (const Option& option : {Option{"join_timeout", kSecond, timeouts.join.micros},
                                 {"last_call_timeout", kSecond, timeouts.last_call.micros},
                                 {"close_timeout", kSecond, timeouts.close.micros},
                                 {"heartbeat_timeout", kSecond, timeouts.heartbeat.micros},
                                 {"keep_alive_interval", kSecond, settings.keep_alive_interval.micros},
                                 {"keep_alive_max_attempt", 1, settings.keep_alive_max_attempt}})
        if (auto complaint = read_option(parameters, option.key, option.unit, option.into)) return *complaint;
    if (auto complaint = complaint_about(settings)) return *complaint;
    return settings;
}

Time expiry(const Settings& settings, Time now) {
    return now - settings.keep_alive_interval * settings.keep_alive_max_attempt;
}

std::string store_prefix(const Settings& settings, Round round) {
    return settings.store_prefix + "." + settings.run_id + "." + std::to_string(round.value);
}

}  // namespace muster::core::rendezvous
