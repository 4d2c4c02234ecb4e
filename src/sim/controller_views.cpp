// SPDX-License-Identifier: Apache-2.0
/// What clients are shown of the controller's state: by queries, and by snapshots, of which none is ever empty or half
/// a map, not at a successor either.
#include <set>

#include "sim/controller_witness.hpp"
#include "sim/names.hpp"

namespace muster::sim {

using namespace core::controller;

namespace {

std::string named(const Written& value) { return value ? "'" + *value + "'" : "nothing"; }

std::string shown(const std::optional<ControllerView>& view) {
    if (!view) return "nothing";
    std::string text;
    for (const auto& [tag, config] : view->backends) text += tag + " " + sim::text_of(config) + "; ";
    for (const auto& [tag, names] : view->replicas)
        for (const auto& name : names) text += name + " ";
    for (const auto& [name, endpoint] : view->endpoints) text += name + " " + sim::text_of(endpoint.traffic) + "; ";
    return "(" + text + ")";
}

Written shadow_of(const Endpoint& endpoint, const std::string& tag) {
    const auto found = endpoint.shadows.find(tag);
    return found == endpoint.shadows.end() ? std::nullopt : Written(text_of({*found}));
}

}  // namespace

/// `is_lazy`: the source pushes no map when a backend is deleted, so what has only been deleted may be shown.
void ControllerWitness::sees(const std::string& key, const Written& value, std::uint64_t since, bool is_lazy) {
    const auto is_it = [&](const Written& one) { return one == value; };
    const auto also = [&](const Written& one) { return !is_lazy || one.has_value(); };
    if (!values_[key].may_be(is_it, since, era_, also)) violated("sees " + named(value) + " as " + key);
}

bool ControllerWitness::may_be_absent(const std::string& key, std::uint64_t since) const {
    const auto found = values_.find(key);
    return found == values_.end() || found->second.may_be(std::nullopt, since, era_);
}

void ControllerWitness::shows_backends(const ControllerView& view, std::uint64_t since, bool is_lazy) {
    for (const auto& tag : kBackendTags) {
        const auto found = view.backends.find(tag);
        const auto value = found == view.backends.end() ? std::nullopt : Written(text_of(found->second));
        sees("backend " + tag, value, since, is_lazy && value);
    }
}

void ControllerWitness::shows_endpoints(const ControllerView& view, std::uint64_t since, bool has_routes,
                                        bool has_traffic) {
    for (const auto& name : kEndpointNames) {
        const auto found = view.endpoints.find(name);
        const bool there = found != view.endpoints.end();
        if (has_routes) {
            const bool is_whole = there && !found->second.methods.empty();
            if (there && !is_whole) violated("sees endpoint " + name + " without its methods");
            sees("endpoint " + name, is_whole ? Written(found->second.methods.front()) : std::nullopt, since);
        }
        if (!has_traffic) continue;
        sees("traffic of " + name, there ? Written(text_of(found->second.traffic)) : std::nullopt, since);
        for (const auto& tag : kBackendTags)
            sees("shadow of " + name + " at " + tag, there ? shadow_of(found->second, tag) : std::nullopt, since);
    }
}

/// Each replica is there once, with one name.
void ControllerWitness::shows_handles(const ControllerView& view) {
    std::set<std::uint64_t> ids;
    for (const auto& [tag, names] : view.replicas)
        for (const auto& name : names) {
            const auto replica = replica_from(name);
            if (!replica || replica->backend != tag) violated("sees replica " + name + " at backend " + tag);
            if (replica && !ids.insert(replica->id.value).second) violated("sees replica " + name + " twice");
        }
}

/// The answer says what it is by what is asked.
void ControllerWitness::shows(const Call& call, const Viewed& seen) {
    const auto view = decode_view(seen.view);
    if (!view) return violated("sees a view that is none");
    const auto& question = std::get<Question>(call.what);
    if (const auto* one = std::get_if<GetBackendConfig>(&question)) {
        const auto found = view->backends.find(one->tag);
        if (found == view->backends.end()) return violated("asks for one config and sees none");
        sees("backend " + one->tag, text_of(found->second), call.begun);
    }
    if (std::holds_alternative<ListBackends>(question)) shows_backends(*view, call.begun, false);
    if (std::holds_alternative<ListEndpoints>(question)) shows_endpoints(*view, call.begun, true, true);
    if (std::holds_alternative<ListReplicas>(question)) shows_handles(*view);
}

void ControllerWitness::shows(const Call& call, const Changed& seen) {
    const auto& asked = std::get<ListenForChange>(std::get<Question>(call.what));
    if (seen.keys.empty() && !asked.limit_ms) violated("listens for ever, and is told of nothing");
    for (const auto& [key, snapshot] : seen.keys) {
        const auto known = asked.keys.find(key);
        if (known == asked.keys.end()) violated("is told of " + key + ", which it has not asked for");
        if (known != asked.keys.end() && snapshot.value && known->second == snapshot.id)
            violated("is told again of what it knows of " + key);
        std::optional<ControllerView> view;
        if (snapshot.value && !(view = decode_view(*snapshot.value))) violated("is shown a view that is none");
        const auto colon = key.find(':');
        if (colon != std::string::npos) {
            shows_one(key.substr(0, colon), key.substr(colon + 1), view, call.begun);
        } else if (!view) {
            violated("sees no map at all: " + key + " is gone");
        } else if (key == core::controller::name_of(Topic::backend_configs)) {
            shows_backends(*view, call.begun, true);
        } else if (key == core::controller::name_of(Topic::replica_handles)) {
            shows_handles(*view);
        } else {
            const bool is_traffic = key == core::controller::name_of(Topic::traffic_policies);
            shows_endpoints(*view, call.begun, !is_traffic, is_traffic);
        }
    }
}

/// One entry of a map.
void ControllerWitness::shows_one(const std::string& topic, const std::string& tag,
                                  const std::optional<ControllerView>& view, std::uint64_t since) {
    if (topic == core::controller::name_of(Topic::backend_configs)) {
        const bool there = view && view->backends.contains(tag);
        if (view && !there) violated("sees half of " + topic + ":" + tag);
        sees("backend " + tag, there ? Written(text_of(view->backends.at(tag))) : std::nullopt, since);
    } else if (topic == core::controller::name_of(Topic::replica_handles)) {
        if (view) shows_handles(*view);
        if (!view && !may_be_absent("backend " + tag, since)) violated("sees no handles of backend " + tag);
    } else {
        const bool there = view && view->endpoints.contains(tag);
        if (view && !there) violated("sees half of " + topic + ":" + tag);
        const bool is_traffic = topic == core::controller::name_of(Topic::traffic_policies);
        const auto* endpoint = there ? &view->endpoints.at(tag) : nullptr;
        if (!is_traffic)
            sees("endpoint " + tag, endpoint ? Written(endpoint->methods.front()) : std::nullopt, since);
        else
            sees("traffic of " + tag, endpoint ? Written(text_of(endpoint->traffic)) : std::nullopt, since);
    }
}

/// Has it been told of all that has come since its first snapshot? Configs of deleted backends stay in the map.
bool ControllerWitness::knows(const Listening& listener, const core::controller::State& state, std::string& why) {
    for (const auto& [key, id] : listener.keys) {
        const auto colon = key.find(':');
        const auto topic_name = key.substr(0, colon);
        core::Value is;
        bool is_lazy = false;
        for (const auto topic :
             {Topic::backend_configs, Topic::replica_handles, Topic::route_table, Topic::traffic_policies}) {
            if (topic_name != core::controller::name_of(topic)) continue;
            is = colon == std::string::npos ? view_of(state, topic) : view_of(state, topic, key.substr(colon + 1));
            is_lazy = colon == std::string::npos && topic == Topic::backend_configs;
        }
        const auto seen = listener.seen.find(key);
        const auto was = seen == listener.seen.end() ? nullptr : seen->second;
        auto now = is ? decode_view(*is) : std::nullopt;
        auto then = was ? decode_view(*was) : std::nullopt;
        if (is_lazy && then)
            std::erase_if(then->backends, [&](auto& one) { return !now->backends.contains(one.first); });
        const bool has_none = then || !now || now->replicas.empty() || !now->replicas.begin()->second.empty();
        if (now == then || !has_none) continue;  // Handles are told of when there are some for the first time.
        why = "does not know how " + key + " is: " + shown(then) + ", not " + shown(now);
        return false;
    }
    return true;
}

}  // namespace muster::sim
