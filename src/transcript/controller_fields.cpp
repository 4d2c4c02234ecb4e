// SPDX-License-Identifier: Apache-2.0
#include "transcript/controller_fields.hpp"

#include <cmath>

namespace muster::transcript {

namespace ctl = core::controller;

namespace {

constexpr double kMillisPerSecond = 1000;
constexpr double kSecondsMax = 1e11;

/// Opaque values are compared and kept as text: the same value gives the same text, whatever the order of its fields.
std::string canonical(const Json& value) {
    return nlohmann::json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::int64_t whole_of(const Json& value, const char* field) {
    const bool fits =
        value.is_number_integer() && (!value.is_number_unsigned() || value.get<std::uint64_t>() >> 63U == 0);
    if (!fits) throw BadLine(std::string("\"") + field + "\" must be a whole number");
    return value.get<std::int64_t>();
}

double real_of(const Json& value, const std::string& field) {
    if (!value.is_number()) throw BadLine("\"" + field + "\" must be a number");
    return value.get<double>();
}

const Json& object_of(const Json& value, const char* field) {
    if (!value.is_object()) throw BadLine(std::string("\"") + field + "\" must be an object");
    return value;
}

void read(Fields& fields, Fields::Names names, std::optional<std::int64_t>& into) {
    if (const auto* value = fields.find(names)) into = whole_of(*value, *names.begin());
}

void read(Fields& fields, Fields::Names names, std::optional<std::optional<std::int64_t>>& into) {
    const auto* value = fields.find(names);
    if (value == nullptr) return;
    into.emplace();
    if (!value->is_null()) *into = whole_of(*value, *names.begin());
}

void read(Fields& fields, Fields::Names names, std::optional<double>& into) {
    if (const auto value = fields.real(names)) into = value;
}

template <class T>
void read_or(Fields& fields, Fields::Names names, T& into) {
    std::optional<T> value;
    read(fields, names, value);
    if (value) into = *value;
}

std::optional<core::AutoscalingConfig> autoscaling_of(const Json& value) {
    if (value.is_null()) return std::nullopt;
    Fields fields(object_of(value, "autoscaling_config"));
    core::AutoscalingConfig config;
    read_or(fields, {"min_replicas"}, config.min_replicas);
    read_or(fields, {"max_replicas"}, config.max_replicas);
    read_or(fields, {"target_ongoing_requests"}, config.target_ongoing_requests);
    read_or(fields, {"upscale_delay_s"}, config.upscale_delay_s);
    read_or(fields, {"downscale_delay_s"}, config.downscale_delay_s);
    read_or(fields, {"look_back_period_s"}, config.look_back_period_s);
    fields.expect_no_more();
    return config;
}

void read_metadata(Fields& fields, ctl::BackendConfigUpdate& update) {
    const auto* metadata = fields.find({"internal_metadata"});
    if (fields.find({"accepts_batches"}) != nullptr) update.accepts_batches = fields.flag({"accepts_batches"}, true);
    if (metadata == nullptr) return;
    Fields inner(object_of(*metadata, "internal_metadata"));
    if (inner.find({"accepts_batches"}) != nullptr) update.accepts_batches = inner.flag({"accepts_batches"}, true);
    static_cast<void>(inner.find({"is_blocking"}));  // The source's; it means nothing here.
    static_cast<void>(inner.find({"is_asgi_app"}));
    static_cast<void>(inner.find({"path_prefix"}));
    inner.expect_no_more();
}

ctl::BackendConfigUpdate options_of(const Json* value) {
    ctl::BackendConfigUpdate update;
    if (value == nullptr || value->is_null()) return update;
    Fields fields(object_of(*value, "backend_config"));
    read(fields, {"num_replicas"}, update.num_replicas);
    read(fields, {"max_batch_size"}, update.max_batch_size);
    read(fields, {"batch_wait_timeout"}, update.batch_wait_timeout);
    read(fields, {"max_concurrent_queries"}, update.max_concurrent_queries);
    if (const auto* user = fields.find({"user_config"})) update.user_config = canonical(*user);
    read(fields, {"graceful_shutdown_wait_loop_s", "experimental_graceful_shutdown_wait_loop_s"},
         update.graceful_shutdown_wait_loop_s);
    read(fields, {"graceful_shutdown_timeout_s", "experimental_graceful_shutdown_timeout_s"},
         update.graceful_shutdown_timeout_s);
    read_metadata(fields, update);
    if (const auto* scaling = fields.find({"autoscaling_config", "autoscaling"}))
        update.autoscaling = autoscaling_of(*scaling);
    fields.expect_no_more();
    return update;
}

ctl::TrafficDict traffic_of(const Json& value) {
    ctl::TrafficDict traffic;
    for (const auto& [backend, weight] : object_of(value, "traffic_dict").items())
        traffic.emplace_back(backend, real_of(weight, backend));
    return traffic;
}

std::string backend_of(Fields& fields) { return fields.text({"backend_tag", "tag", "backend", "backend_name"}); }
std::string endpoint_of(Fields& fields) { return fields.text({"endpoint", "endpoint_name", "endpoint_tag", "name"}); }

ctl::Command create_backend(Fields& fields) {
    ctl::CreateBackend call;
    call.tag = backend_of(fields);
    call.config = ctl::merged(ctl::BackendConfig{}, options_of(fields.find({"backend_config", "config", "config_options"})));
    read_or(fields, {"num_replicas"},
            call.config.num_replicas);  // The field that most lines are about may stand alone.
    if (const auto* program = fields.find({"replica_config"})) call.replica_config = canonical(*program);
    return call;
}

ctl::Command update_backend_config(Fields& fields) {
    auto tag = backend_of(fields);
    return ctl::UpdateBackendConfig{std::move(tag),
                                    options_of(&fields.get({"config_options", "config", "backend_config", "options"}))};
}

ctl::Command create_endpoint(Fields& fields) {
    ctl::CreateEndpoint call;
    call.name = endpoint_of(fields);
    call.traffic = traffic_of(fields.get({"traffic_dict", "traffic", "traffic_policy"}));
    const auto* route = fields.find({"route"});
    if (route != nullptr && !route->is_null()) call.route = fields.text({"route"});
    call.methods = {"GET"};
    if (const auto* methods = fields.find({"methods"}); methods != nullptr && !methods->is_null()) {
        if (!methods->is_array()) throw BadLine("\"methods\" must be a list of texts");
        call.methods.clear();
        for (const auto& method : *methods) {
            if (!method.is_string()) throw BadLine("\"methods\" must be a list of texts");
            call.methods.push_back(method.get<std::string>());
        }
    }
    return call;
}

ctl::Command set_traffic(Fields& fields) {
    auto endpoint = endpoint_of(fields);
    return ctl::SetTraffic{std::move(endpoint), traffic_of(fields.get({"traffic_dict", "traffic", "traffic_policy"}))};
}

ctl::Command shadow_traffic(Fields& fields) {
    // "backend" may be meant here and "endpoint" is asked for first, so neither can be taken for the other.
    auto endpoint = endpoint_of(fields);
    auto backend = backend_of(fields);
    return ctl::ShadowTraffic{std::move(endpoint), std::move(backend),
                              real_of(fields.get({"proportion"}), "proportion")};
}

}  // namespace

const Json* Fields::find(Names names) {
    const Json* found = nullptr;
    for (const char* name : names) {
        known_.insert(name);
        const auto here = line_.find(name);
        if (here == line_.end()) continue;
        if (found != nullptr) throw BadLine(std::string("\"") + name + "\" says again what another field says");
        used_.insert(name);
        found = &*here;
    }
    return found;
}

const Json& Fields::get(Names names) {
    if (const auto* found = find(names)) return *found;
    throw BadLine(std::string("\"") + *names.begin() + "\" is missing");
}

std::string Fields::text(Names names) {
    const auto& value = get(names);
    if (!value.is_string()) throw BadLine(std::string("\"") + *names.begin() + "\" must be a text");
    return value.get<std::string>();
}

bool Fields::flag(Names names, bool otherwise) {
    const auto* value = find(names);
    if (value == nullptr) return otherwise;
    if (!value->is_boolean()) throw BadLine(std::string("\"") + *names.begin() + "\" must be true or false");
    return value->get<bool>();
}

std::optional<double> Fields::real(Names names) {
    const auto* value = find(names);
    if (value == nullptr || value->is_null()) return std::nullopt;
    return real_of(*value, *names.begin());
}

std::optional<std::uint64_t> Fields::count(Names names) {
    const auto* value = find(names);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (!value->is_number_unsigned())
        throw BadLine(std::string("\"") + *names.begin() + "\" must be a whole number, 0 or more");
    return value->get<std::uint64_t>();
}

std::optional<std::uint64_t> Fields::millis(Names names) {
    const auto seconds = real(names);
    if (!seconds) return std::nullopt;
    if (!(*seconds >= 0 && *seconds <= kSecondsMax))
        throw BadLine(std::string("\"") + *names.begin() + "\" must be a number of seconds, 0 or more");
    return static_cast<std::uint64_t>(std::llround(*seconds * kMillisPerSecond));
}

void Fields::expect_no_more() const {
    for (const auto& [field, value] : line_.items()) {
        if (used_.contains(field)) continue;
        std::string all;
        for (const auto& name : known_) all += (all.empty() ? "" : ", ") + name;
        throw BadLine("unknown field \"" + field + "\": there are " + all);
    }
}

std::optional<ctl::Command> command_of(const std::string& name, Fields& fields) {
    if (name == "create_backend") return create_backend(fields);
    if (name == "delete_backend") {
        auto tag = backend_of(fields);
        return ctl::DeleteBackend{std::move(tag), fields.flag({"force_kill", "force"}, false)};
    }
    if (name == "update_backend_config") return update_backend_config(fields);
    if (name == "create_endpoint") return create_endpoint(fields);
    if (name == "delete_endpoint") return ctl::DeleteEndpoint{endpoint_of(fields)};
    if (name == "set_traffic") return set_traffic(fields);
    if (name == "shadow_traffic") return shadow_traffic(fields);
    if (name == "shutdown") return ctl::Shutdown{};
    return std::nullopt;
}

}  // namespace muster::transcript
