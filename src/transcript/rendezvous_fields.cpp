// SPDX-License-Identifier: Apache-2.0
#include "transcript/rendezvous_fields.hpp"

#include <cmath>

namespace muster::transcript {

namespace {

namespace rdzv = core::rendezvous;

constexpr std::int64_t kSecondsMax = 100'000'000'000;  ///< Both ways; 3,000 years, and no sum of a few overflows.
constexpr double kMicrosPerSecond = 1e6;

constexpr const char* kSettings[] = {"run_id",
                                     "min_nodes",
                                     "max_nodes",
                                     "join",
                                     "last_call",
                                     "close",
                                     "heartbeat",
                                     "keep_alive_interval",
                                     "keep_alive_max_attempt",
                                     "replace_dead_participants",
                                     "cache",
                                     "slot_order",
                                     nullptr};

/// Signed: the source's own texts speak of -1 nodes.
void read_whole(const Json& given, const char* field, std::int64_t& into, bool must_be_there) {
    if (must_be_there || given.contains(field)) into = whole_of(given, field);
}

void read_time(const Json& given, const char* field, rdzv::Time& into) {
    if (const auto time = maybe_time_of(given, field)) into = *time;
}

SlotOrder slot_order_of(const Json& given) {
    const auto name = text_of(given, "slot_order", "sorted");
    if (name == "sorted") return SlotOrder::sorted;
    if (name == "stable") return SlotOrder::stable;
    throw BadLine("unknown \"slot_order\": sorted or stable");
}

Json names_of(const std::set<rdzv::Node>& nodes) {
    Json names = Json::array();
    for (const auto& node : nodes) names.push_back(rdzv::text_of(node));
    return names;
}

}  // namespace

rdzv::Settings rendezvous_settings_of(const Json& given) {
    if (!given.is_object()) throw BadLine("\"settings\" must be an object");
    expect_only(given, kSettings);
    rdzv::Settings settings;
    settings.run_id = text_of(given, "run_id");
    read_whole(given, "min_nodes", settings.min_nodes, true);
    read_whole(given, "max_nodes", settings.max_nodes, true);
    read_whole(given, "keep_alive_max_attempt", settings.keep_alive_max_attempt, false);
    settings.cache = rdzv::Time{0};
    read_time(given, "join", settings.timeouts.join);
    read_time(given, "last_call", settings.timeouts.last_call);
    read_time(given, "close", settings.timeouts.close);
    read_time(given, "heartbeat", settings.timeouts.heartbeat);
    read_time(given, "keep_alive_interval", settings.keep_alive_interval);
    read_time(given, "cache", settings.cache);
    const auto replace = given.find("replace_dead_participants");
    if (replace != given.end() && !replace->is_boolean())
        throw BadLine("\"replace_dead_participants\" must be true or false");
    if (replace != given.end()) settings.replace_dead_participants = replace->get<bool>();
    settings.slot_order = slot_order_of(given);
    return settings;
}

std::optional<rdzv::Time> maybe_time_of(const Json& line, const char* field) {
    const auto found = line.find(field);
    if (found == line.end() || found->is_null()) return std::nullopt;
    if (!found->is_number()) throw BadLine(std::string("\"") + field + "\" must be a number of seconds");
    const auto value = found->get<double>();
    if (!(std::abs(value) <= static_cast<double>(kSecondsMax)))
        throw BadLine(std::string("\"") + field + "\" must be within 100000000000 seconds of 0");
    if (found->is_number_integer()) return rdzv::seconds(found->get<std::int64_t>());
    // The whole part is exact, so that the fraction keeps all the digits that the number has.
    const double whole = std::trunc(value);
    const auto fraction = static_cast<std::int64_t>(std::nearbyint((value - whole) * kMicrosPerSecond));
    return rdzv::seconds(static_cast<std::int64_t>(whole)) + rdzv::Time{fraction};
}

std::optional<rdzv::Time> deadline_of(const Json& line) {
    const auto found = line.find("deadline");
    const bool beyond =
        found != line.end() && found->is_number() && std::abs(found->get<double>()) > static_cast<double>(kSecondsMax);
    if (!beyond) return maybe_time_of(line, "deadline");
    return found->get<double>() > 0 ? rdzv::kTimeMax : rdzv::kTimeMin;
}

rdzv::Time time_of(const Json& line, const char* field) {
    const auto time = maybe_time_of(line, field);
    if (!time) throw BadLine(std::string("\"") + field + "\" is missing");
    return *time;
}

Json json_of(rdzv::Time time) {
    constexpr std::int64_t second = 1'000'000;
    if (time.micros % second == 0) return time.micros / second;
    return static_cast<double>(time.micros) / kMicrosPerSecond;
}

Json json_of(const rdzv::State& state) {
    Json json{{"round", state.round.value}, {"complete", state.complete}};
    json["deadline"] = state.deadline ? json_of(*state.deadline) : Json();
    json["closed"] = state.closed;
    json["participants"] = Json::object();
    for (const auto& [node, rank] : state.participants) json["participants"][rdzv::text_of(node)] = rank.value;
    json["wait_list"] = names_of(state.wait_list);
    json["redundancy_list"] = names_of(state.redundancy_list);
    json["last_heartbeats"] = Json::object();
    for (const auto& [node, heard] : state.last_heartbeats)
        json["last_heartbeats"][rdzv::text_of(node)] = json_of(heard);
    return json;
}

}  // namespace muster::transcript
