// SPDX-License-Identifier: Apache-2.0
#include "transcript/controller_line.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace muster::transcript {
namespace {

constexpr std::array<const char*, 5> kNames = {"cmd", "command", "op", "call", "method"};
constexpr std::array<const char*, 4> kArguments = {"args", "kwargs", "params", "arguments"};
/// May stand beside any call.
constexpr std::array<const char*, 3> kBeside = {"now", "crash_after", "fail_next_scale"};

void put(Json& call, const std::string& field, const Json& value) {
    if (call.contains(field)) throw BadLine("\"" + field + "\" stands twice");
    call[field] = value;
}

void put_all(Json& call, const Json& fields) {
    for (const auto& [field, value] : fields.items()) put(call, field, value);
}

/// What a call's only argument is.
std::string first_argument(std::string_view name) {
    const auto has = [name](const char* part) { return name.find(part) != std::string_view::npos; };
    if (has("wait_for")) return "goal_id";
    if (has("listen")) return "keys_to_snapshot_ids";
    if (has("endpoint") || has("traffic")) return "endpoint";
    if (has("kill_replica")) return "replica";
    if (has("set_nodes")) return "nodes";
    if (has("set_room")) return "room";
    if (has("fail_next_start")) return "count";
    return "backend_tag";
}

bool says_nothing(const Json& value) { return value.is_null() || value == true || value == Json::object(); }

/// {"listen_for_change": {KEY: id ...}}: the keys themselves.
bool is_argument_itself(const std::string& name, const Json& value) {
    if (name.find("listen") == std::string::npos) return false;
    return std::none_of(value.begin(), value.end(), [](const Json& one) { return one.is_object(); });
}

Json named_by_field(const Json& line) {
    Json call = Json::object();
    for (const auto& [field, value] : line.items()) {
        const bool beside = std::find(kBeside.begin(), kBeside.end(), field) != kBeside.end();
        if (beside && (line.size() > 1 || field != "fail_next_scale")) {
            put(call, field, value);
            continue;
        }
        if (call.contains("cmd")) throw BadLine("\"cmd\" is missing");  // Two fields that might name the call.
        call["cmd"] = field;
        if (says_nothing(value)) continue;
        if (value.is_object() && !is_argument_itself(field, value))
            put_all(call, value);
        else
            put(call, first_argument(field), value);
    }
    if (!call.contains("cmd")) throw BadLine("\"cmd\" is missing");
    return call;
}

}  // namespace

Json plain_call(const Json& line) {
    const auto stands = [&line](const char* name) { return line.contains(name); };
    if (std::none_of(kNames.begin(), kNames.end(), stands)) return named_by_field(line);
    Json call = Json::object();
    for (const auto& [field, value] : line.items()) {
        const bool nested = std::find(kArguments.begin(), kArguments.end(), field) != kArguments.end();
        if (nested && value.is_object())
            put_all(call, value);
        else
            put(call, field, value);
    }
    return call;
}

}  // namespace muster::transcript
