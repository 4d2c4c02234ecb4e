// SPDX-License-Identifier: Apache-2.0
#include "core/controller_state.hpp"

#include <algorithm>
#include <charconv>

namespace muster::core::controller {

namespace {

constexpr std::uint32_t kMagic = 0x3154434d;  // "MCT1"
constexpr std::size_t kTextSizeMin = 4;

void put(Writer& out, const Weights& weights) {
    out.u32(static_cast<std::uint32_t>(weights.size()));
    for (const auto& [backend, weight] : weights) {
        out.text(backend);
        put_real(out, weight);
    }
}

Weights take_weights(Reader& in) {
    Weights weights;
    for (auto left = in.count(kTextSizeMin + 8); left > 0; --left) {
        auto backend = in.text();
        weights[std::move(backend)] = take_real(in);
    }
    return weights;
}

void put(Writer& out, const Backend& backend) {
    controller::put(out, backend.config);
    out.text(backend.replica_config);
    out.u64(backend.version);
    out.u32(backend.wanted);
}

Backend take_backend(Reader& in) {
    Backend backend;
    backend.config = take_backend_config(in);
    backend.replica_config = in.text();
    backend.version = in.u64();
    backend.wanted = in.u32();
    return backend;
}

void put(Writer& out, const Replicas& replicas) {
    out.u32(static_cast<std::uint32_t>(replicas.size()));
    for (const auto& [id, replica] : replicas) {
        out.id(id);
        out.u8(static_cast<std::uint8_t>(replica.phase));
        out.u64(replica.version);
        out.u64(replica.grace_ms);
    }
}

std::optional<Replicas> take_replicas(Reader& in) {
    Replicas replicas;
    for (auto left = in.count(8 + 1 + 8 + 8); left > 0; --left) {
        const auto id = in.id<ReplicaId>();
        const auto phase = in.u8();
        if (phase > static_cast<std::uint8_t>(ReplicaPhase::stopping)) return std::nullopt;
        auto& replica = replicas[id];
        replica.phase = static_cast<ReplicaPhase>(phase);
        replica.version = in.u64();
        replica.grace_ms = in.u64();
    }
    return replicas;
}

bool take_replica_lists(Reader& in, State& state) {
    for (auto left = in.count(kTextSizeMin + 4); left > 0; --left) {
        auto backend = in.text();
        auto replicas = take_replicas(in);
        if (!replicas || replicas->empty()) return false;
        state.replicas[std::move(backend)] = std::move(*replicas);
    }
    return true;
}

bool take_goals(Reader& in, State& state) {
    for (auto left = in.count(8 + kTextSizeMin + 1); left > 0; --left) {
        const auto id = in.id<GoalId>();
        auto backend = in.text();
        const auto outcome = in.u8();
        if (outcome > static_cast<std::uint8_t>(GoalOutcome::failed)) return false;
        if (static_cast<GoalOutcome>(outcome) == GoalOutcome::pending && !state.pending.emplace(backend, id).second)
            return false;
        state.goals[id] = {std::move(backend), static_cast<GoalOutcome>(outcome)};
    }
    return true;
}

}  // namespace

std::string text_of(const ReplicaName& name) { return name.backend + "#" + std::to_string(name.id.value); }

std::optional<ReplicaName> replica_from(const std::string& text) {
    const auto mark = text.rfind('#');
    if (mark == std::string::npos) return std::nullopt;
    ReplicaName name{text.substr(0, mark), {}};
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + mark + 1, end, name.id.value);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return name;
}

Bytes encode(const State& state) {
    Writer out;
    out.u32(kMagic);
    out.u32(static_cast<std::uint32_t>(state.backends.size()));
    for (const auto& [tag, backend] : state.backends) {
        out.text(tag);
        put(out, backend);
    }
    out.u32(static_cast<std::uint32_t>(state.endpoints.size()));
    for (const auto& [name, endpoint] : state.endpoints) {
        out.text(name);
        put(out, endpoint);
    }
    out.u32(static_cast<std::uint32_t>(state.replicas.size()));
    for (const auto& [tag, replicas] : state.replicas) {
        out.text(tag);
        put(out, replicas);
    }
    out.u32(static_cast<std::uint32_t>(state.goals.size()));
    for (const auto& [id, goal] : state.goals) {
        out.id(id);
        out.text(goal.backend);
        out.u8(static_cast<std::uint8_t>(goal.outcome));
    }
    out.id(state.last_goal);
    out.id(state.last_replica);
    out.u8(state.shutting_down ? 1 : 0);
    return out.take();
}

std::optional<State> decode_state(std::span<const std::byte> bytes) {
    Reader in(bytes);
    State state;
    if (in.u32() != kMagic) return std::nullopt;
    for (auto left = in.count(kTextSizeMin); left > 0; --left) {
        auto tag = in.text();
        state.backends[std::move(tag)] = take_backend(in);
    }
    for (auto left = in.count(kTextSizeMin); left > 0; --left) {
        auto name = in.text();
        state.endpoints[std::move(name)] = take_endpoint(in);
    }
    if (!take_replica_lists(in, state) || !take_goals(in, state)) return std::nullopt;
    state.last_goal = in.id<GoalId>();
    state.last_replica = in.id<ReplicaId>();
    state.shutting_down = in.u8() == 1;
    // What is written again in the same way was such a state, in order and with nothing twice.
    const auto again = encode(state);
    if (!in.finished() || !std::equal(again.begin(), again.end(), bytes.begin(), bytes.end())) return std::nullopt;
    return state;
}

void put(Writer& out, const Endpoint& endpoint) {
    out.u8(endpoint.route ? 1 : 0);
    if (endpoint.route) out.text(*endpoint.route);
    out.u32(static_cast<std::uint32_t>(endpoint.methods.size()));
    for (const auto& method : endpoint.methods) out.text(method);
    put(out, endpoint.traffic);
    put(out, endpoint.shadows);
}

Endpoint take_endpoint(Reader& in) {
    Endpoint endpoint;
    if (in.u8() == 1) endpoint.route = in.text();
    for (auto left = in.count(kTextSizeMin); left > 0; --left) endpoint.methods.push_back(in.text());
    endpoint.traffic = take_weights(in);
    endpoint.shadows = take_weights(in);
    return endpoint;
}

const Replicas& replicas_of(const State& state, const std::string& backend) {
    static const Replicas none;
    const auto found = state.replicas.find(backend);
    return found == state.replicas.end() ? none : found->second;
}

std::vector<ReplicaName> handles_of(const State& state, const std::string& backend) {
    std::vector<ReplicaName> names;
    for (const auto& [id, replica] : replicas_of(state, backend))
        if (serves(replica)) names.push_back({backend, id});
    return names;
}

}  // namespace muster::core::controller
