// SPDX-License-Identifier: Apache-2.0
// The controller's values in JSON.
#include <charconv>

#include "transcript/controller_fields.hpp"

namespace muster::transcript {

namespace ctl = core::controller;

namespace {

const char* name_of(ctl::GateLocation location) {
    switch (location) {
        case ctl::GateLocation::no_server: return "NoServer";
        case ctl::GateLocation::head_only: return "HeadOnly";
        case ctl::GateLocation::every_node: return "EveryNode";
    }
    return "?";
}

}  // namespace

Json json_of(std::optional<ctl::GoalId> goal) {
    if (!goal) return nullptr;
    return "g" + std::to_string(goal->value);
}

/// Nothing for null and for a text that is no goal of ours.
std::optional<ctl::GoalId> goal_from(const Json& value) {
    if (value.is_null()) return std::nullopt;
    if (!value.is_string()) throw BadLine("\"goal_id\" must be a text or null");
    const auto text = value.get<std::string>();
    ctl::GoalId goal;
    if (text.size() < 2 || text.front() != 'g') return std::nullopt;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + 1, end, goal.value);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return goal;
}

Json json_of(const ctl::BackendConfig& config) {
    const auto maybe = [](const std::optional<std::int64_t>& value) { return value ? Json(*value) : Json(); };
    Json json{{"num_replicas", config.num_replicas}};
    json["max_batch_size"] = maybe(config.max_batch_size);
    json["batch_wait_timeout"] = config.batch_wait_timeout;
    json["max_concurrent_queries"] = maybe(config.max_concurrent_queries);
    json["user_config"] = Json::parse(config.user_config, nullptr, false);
    json["graceful_shutdown_wait_loop_s"] = config.graceful_shutdown_wait_loop_s;
    json["graceful_shutdown_timeout_s"] = config.graceful_shutdown_timeout_s;
    json["accepts_batches"] = config.accepts_batches;
    json["autoscaling_config"] = Json();
    if (const auto& scaling = config.autoscaling)
        json["autoscaling_config"] = {{"min_replicas", scaling->min_replicas},
                                      {"max_replicas", scaling->max_replicas},
                                      {"target_ongoing_requests", scaling->target_ongoing_requests},
                                      {"upscale_delay_s", scaling->upscale_delay_s},
                                      {"downscale_delay_s", scaling->downscale_delay_s},
                                      {"look_back_period_s", scaling->look_back_period_s}};
    return json;
}

Json json_of(const ctl::Endpoint& endpoint) {
    Json json{{"route", endpoint.route ? Json(*endpoint.route) : Json()}, {"methods", endpoint.methods}};
    json["traffic"] = Json(endpoint.traffic);
    json["shadows"] = Json(endpoint.shadows);
    return json;
}

Json json_of(const ctl::HttpConfig& config) {
    return {{"host", config.host}, {"port", config.port}, {"location", name_of(config.location)}};
}

Json view_of(const ctl::State& state, ctl::Topic topic, const std::string& tag) {
    if (topic == ctl::Topic::backend_configs) {
        const auto found = state.backends.find(tag);
        return found == state.backends.end() ? Json() : json_of(found->second.config);
    }
    if (topic == ctl::Topic::replica_handles) {
        Json names = Json::array();
        for (const auto& name : handles_of(state, tag)) names.push_back(text_of(name));
        return names.empty() && !state.backends.contains(tag) ? Json() : names;
    }
    const auto found = state.endpoints.find(tag);
    if (found == state.endpoints.end()) return nullptr;
    auto json = json_of(found->second);
    if (topic == ctl::Topic::route_table) return {{"route", json["route"]}, {"methods", json["methods"]}};
    return {{"traffic", json["traffic"]}, {"shadows", json["shadows"]}};
}

Json view_of(const ctl::State& state, ctl::Topic topic) {
    Json map = Json::object();
    const auto add = [&](const auto& entries) {
        for (const auto& [tag, entry] : entries)
            if (auto view = view_of(state, topic, tag); !view.is_null() && view != Json::array()) map[tag] = view;
    };
    if (topic == ctl::Topic::backend_configs) add(state.backends);
    if (topic == ctl::Topic::replica_handles) add(state.replicas);
    if (topic == ctl::Topic::route_table || topic == ctl::Topic::traffic_policies) add(state.endpoints);
    return map;
}

Json endpoints_of(const ctl::State& state) {
    Json map = Json::object();
    for (const auto& [name, endpoint] : state.endpoints) map[name] = json_of(endpoint);
    return map;
}

}  // namespace muster::transcript
