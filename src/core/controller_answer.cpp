// SPDX-License-Identifier: Apache-2.0
// Answers, and the maps that listeners and queries are shown, as bytes.
#include <utility>

#include "core/controller_call.hpp"
#include "core/overloaded.hpp"

namespace muster::core::controller {
namespace {

constexpr std::size_t kTextSizeMin = 4;

Bytes encode(const ControllerView& view) {
    Writer out;
    out.u32(static_cast<std::uint32_t>(view.backends.size()));
    for (const auto& [tag, config] : view.backends) {
        out.text(tag);
        put(out, config);
    }
    out.u32(static_cast<std::uint32_t>(view.replicas.size()));
    for (const auto& [tag, names] : view.replicas) {
        out.text(tag);
        out.u32(static_cast<std::uint32_t>(names.size()));
        for (const auto& name : names) out.text(name);
    }
    out.u32(static_cast<std::uint32_t>(view.endpoints.size()));
    for (const auto& [name, endpoint] : view.endpoints) {
        out.text(name);
        put(out, endpoint);
    }
    return out.take();
}

/// An endpoint as those see it who route by path, or those who divide requests.
Endpoint part_of(const Endpoint& endpoint, Topic topic) {
    Endpoint part = endpoint;
    if (topic == Topic::route_table) part.traffic = part.shadows = {};
    if (topic == Topic::traffic_policies) part.route = std::nullopt, part.methods = {};
    return part;
}

void add(ControllerView& view, const State& state, const std::string& tag) {
    auto& names = view.replicas[tag];
    for (const auto& name : handles_of(state, tag)) names.push_back(text_of(name));
}

}  // namespace

Value view_of(const State& state, Topic topic) {
    ControllerView view;
    if (topic == Topic::backend_configs)
        for (const auto& [tag, backend] : state.backends) view.backends[tag] = backend.config;
    if (topic == Topic::replica_handles)
        for (const auto& [tag, replicas] : state.replicas)
            if (!handles_of(state, tag).empty()) add(view, state, tag);
    if (topic == Topic::route_table || topic == Topic::traffic_policies)
        for (const auto& [name, endpoint] : state.endpoints) view.endpoints[name] = part_of(endpoint, topic);
    return value_of(encode(view));
}

Value view_of(const State& state, Topic topic, const std::string& tag) {
    ControllerView view;
    const auto backend = state.backends.find(tag);
    const auto endpoint = state.endpoints.find(tag);
    const bool of_backend = topic == Topic::backend_configs || topic == Topic::replica_handles;
    const bool drains = topic == Topic::replica_handles && !handles_of(state, tag).empty();
    const bool there = of_backend ? backend != state.backends.end() || drains : endpoint != state.endpoints.end();
    if (!there) return nullptr;
    if (topic == Topic::backend_configs) view.backends[tag] = backend->second.config;
    if (topic == Topic::replica_handles) add(view, state, tag);
    if (!of_backend) view.endpoints[tag] = part_of(endpoint->second, topic);
    return value_of(encode(view));
}

Value endpoints_of(const State& state) {
    ControllerView view;
    view.endpoints = state.endpoints;
    return value_of(encode(view));
}

std::optional<ControllerView> decode_view(std::span<const std::byte> bytes) {
    Reader in(bytes);
    ControllerView view;
    for (auto left = in.count(kTextSizeMin); left > 0; --left) {
        auto tag = in.text();
        view.backends[std::move(tag)] = take_backend_config(in);
    }
    for (auto left = in.count(kTextSizeMin + 4); left > 0; --left) {
        auto& names = view.replicas[in.text()];
        for (auto count = in.count(kTextSizeMin); count > 0; --count) names.push_back(in.text());
    }
    for (auto left = in.count(kTextSizeMin); left > 0; --left) {
        auto name = in.text();
        view.endpoints[std::move(name)] = take_endpoint(in);
    }
    if (!in.finished()) return std::nullopt;
    return view;
}

Bytes encode(const Answer& answer) {
    Writer out;
    out.u8(static_cast<std::uint8_t>(answer.index()));
    std::visit(Overloaded{[&out](const CallDone& one) { out.maybe(one.goal); },
                          [&out](const WaitEnded& one) { out.u8(static_cast<std::uint8_t>(one.outcome)); },
                          [&out](const Changed& one) {
                              out.u32(static_cast<std::uint32_t>(one.keys.size()));
                              for (const auto& [key, snapshot] : one.keys) {
                                  out.text(key);
                                  out.u64(static_cast<std::uint64_t>(snapshot.id));
                                  out.u8(snapshot.value ? 1 : 0);
                                  if (snapshot.value) out.blob(*snapshot.value);
                              }
                          },
                          [&out](const Viewed& one) { out.blob(one.view); },
                          [&out](const Counted& one) { out.u64(one.count); }},
               answer);
    return out.take();
}

std::optional<Answer> decode_answer(std::span<const std::byte> bytes) {
    Reader in(bytes);
    std::optional<Answer> answer;
    switch (in.u8()) {
        case 0: answer = CallDone{in.maybe<GoalId>()}; break;
        case 1: {
            const auto outcome = in.u8();
            if (outcome > static_cast<std::uint8_t>(GoalOutcome::failed)) return std::nullopt;
            answer = WaitEnded{static_cast<GoalOutcome>(outcome)};
            break;
        }
        case 2: {
            Changed changed;
            for (auto left = in.count(kTextSizeMin + 9); left > 0; --left) {
                auto& snapshot = changed.keys[in.text()];
                snapshot.id = static_cast<SnapshotId>(in.u64());
                if (in.u8() == 1) snapshot.value = value_of(in.blob());
            }
            answer = std::move(changed);
            break;
        }
        case 3: answer = Viewed{in.blob()}; break;
        case 4: answer = Counted{in.u64()}; break;
        default: break;
    }
    return in.finished() ? answer : std::nullopt;
}

}  // namespace muster::core::controller
