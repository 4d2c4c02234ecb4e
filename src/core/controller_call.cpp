// SPDX-License-Identifier: Apache-2.0
#include "core/controller_call.hpp"

#include <utility>

namespace muster::core::controller {
namespace {

constexpr std::size_t kTextSizeMin = 4;
constexpr std::size_t kCommands = std::variant_size_v<Command>;

/// Fields one by one, one overload a kind; a field that may be missing has a flag before it.
struct Put {
    Writer& out;
    void flag(bool value) const { out.u8(value ? 1 : 0); }
    template <class T, class PutOne>
    void maybe(const std::optional<T>& value, PutOne put_one) const {
        flag(value.has_value());
        if (value) put_one(*value);
    }
    void number(const std::optional<std::int64_t>& value) const {
        maybe(value, [this](std::int64_t one) { out.u64(static_cast<std::uint64_t>(one)); });
    }
    void real(const std::optional<double>& value) const {
        maybe(value, [this](double one) { put_real(out, one); });
    }
    void limit(const std::optional<std::uint64_t>& value) const {
        maybe(value, [this](std::uint64_t one) { out.u64(one); });
    }
    void traffic(const TrafficDict& weights) const {
        out.u32(static_cast<std::uint32_t>(weights.size()));
        for (const auto& [backend, weight] : weights) out.text(backend), put_real(out, weight);
    }
    void operator()(const CreateBackend& call) const {
        out.text(call.tag), put(out, call.config), out.text(call.replica_config);
    }
    void operator()(const DeleteBackend& call) const { out.text(call.tag), flag(call.force_kill); }
    void operator()(const UpdateBackendConfig& call) const;
    void operator()(const CreateEndpoint& call) const {
        out.text(call.name), traffic(call.traffic);
        maybe(call.route, [this](const std::string& route) { out.text(route); });
        out.u32(static_cast<std::uint32_t>(call.methods.size()));
        for (const auto& method : call.methods) out.text(method);
    }
    void operator()(const DeleteEndpoint& call) const { out.text(call.name); }
    void operator()(const SetTraffic& call) const { out.text(call.endpoint), traffic(call.traffic); }
    void operator()(const ShadowTraffic& call) const {
        out.text(call.endpoint), out.text(call.backend), put_real(out, call.proportion);
    }
    void operator()(const Shutdown&) const {}
    void operator()(const WaitForGoal& call) const { out.id(call.goal), limit(call.limit_ms); }
    void operator()(const ListenForChange& call) const {
        out.u32(static_cast<std::uint32_t>(call.keys.size()));
        for (const auto& [key, id] : call.keys) out.text(key), out.u64(static_cast<std::uint64_t>(id));
        limit(call.limit_ms);
    }
    void operator()(const GetBackendConfig& call) const { out.text(call.tag); }
    void operator()(const ListBackends&) const {}
    void operator()(const ListEndpoints&) const {}
    void operator()(const ListReplicas&) const {}
    void operator()(const CountPendingGoals&) const {}
};

void put_scaling(Writer& out, const AutoscalingConfig& scaling) {
    BackendConfig carrier;  // The codec of a whole config is the one place that knows these fields.
    carrier.autoscaling = scaling;
    put(out, carrier);
}

void Put::operator()(const UpdateBackendConfig& call) const {
    const auto& set = call.options;
    out.text(call.tag);
    number(set.num_replicas);
    maybe(set.max_batch_size, [this](const auto& one) { number(one); });
    real(set.batch_wait_timeout);
    maybe(set.max_concurrent_queries, [this](const auto& one) { number(one); });
    maybe(set.user_config, [this](const std::string& one) { out.text(one); });
    real(set.graceful_shutdown_wait_loop_s);
    real(set.graceful_shutdown_timeout_s);
    maybe(set.accepts_batches, [this](bool one) { flag(one); });
    maybe(set.autoscaling, [this](const auto& one) {
        maybe(one, [this](const AutoscalingConfig& scaling) { put_scaling(out, scaling); });
    });
}

struct Take {
    Reader& in;
    bool sensible = true;
    bool flag() {
        const auto value = in.u8();
        if (value > 1) sensible = false;
        return value == 1;
    }
    template <class TakeOne>
    auto maybe(TakeOne take_one) -> std::optional<decltype(take_one())> {
        if (!flag()) return std::nullopt;
        return take_one();
    }
    std::optional<std::int64_t> number() {
        return maybe([this] { return static_cast<std::int64_t>(in.u64()); });
    }
    std::optional<double> real() {
        return maybe([this] { return take_real(in); });
    }
    std::optional<std::uint64_t> limit() {
        return maybe([this] { return in.u64(); });
    }
    void traffic(TrafficDict& weights) {
        for (auto left = in.count(kTextSizeMin + 8); left > 0; --left) {
            auto backend = in.text();
            weights.emplace_back(std::move(backend), take_real(in));
        }
    }
    void operator()(CreateBackend& call) {
        call.tag = in.text(), call.config = take_backend_config(in), call.replica_config = in.text();
    }
    void operator()(DeleteBackend& call) { call.tag = in.text(), call.force_kill = flag(); }
    void operator()(UpdateBackendConfig& call) {
        auto& set = call.options;
        call.tag = in.text();
        set.num_replicas = number();
        set.max_batch_size = maybe([this] { return number(); });
        set.batch_wait_timeout = real();
        set.max_concurrent_queries = maybe([this] { return number(); });
        set.user_config = maybe([this] { return in.text(); });
        set.graceful_shutdown_wait_loop_s = real();
        set.graceful_shutdown_timeout_s = real();
        set.accepts_batches = maybe([this] { return flag(); });
        set.autoscaling = maybe([this] {
            return maybe([this] { return take_backend_config(in).autoscaling.value_or(AutoscalingConfig{}); });
        });
    }
    void operator()(CreateEndpoint& call) {
        call.name = in.text();
        traffic(call.traffic);
        call.route = maybe([this] { return in.text(); });
        for (auto left = in.count(kTextSizeMin); left > 0; --left) call.methods.push_back(in.text());
    }
    void operator()(DeleteEndpoint& call) { call.name = in.text(); }
    void operator()(SetTraffic& call) { call.endpoint = in.text(), traffic(call.traffic); }
    void operator()(ShadowTraffic& call) {
        call.endpoint = in.text(), call.backend = in.text(), call.proportion = take_real(in);
    }
    void operator()(Shutdown&) {}
    void operator()(WaitForGoal& call) { call.goal = in.id<GoalId>(), call.limit_ms = limit(); }
    void operator()(ListenForChange& call) {
        for (auto left = in.count(kTextSizeMin + 8); left > 0; --left) {
            auto key = in.text();
            call.keys[std::move(key)] = static_cast<SnapshotId>(in.u64());
        }
        call.limit_ms = limit();
    }
    void operator()(GetBackendConfig& call) { call.tag = in.text(); }
    void operator()(ListBackends&) {}
    void operator()(ListEndpoints&) {}
    void operator()(ListReplicas&) {}
    void operator()(CountPendingGoals&) {}
};

template <class Variant, std::size_t... Index>
std::optional<Variant> make(std::size_t kind, std::index_sequence<Index...>) {
    std::optional<Variant> made;
    (void)((kind == Index && (made.emplace(std::in_place_index<Index>), true)) || ...);
    return made;
}

template <class Variant>
std::optional<Variant> taken(std::size_t kind, Reader& in) {
    auto made = make<Variant>(kind, std::make_index_sequence<std::variant_size_v<Variant>>{});
    if (!made) return std::nullopt;
    Take take{in};
    std::visit([&take](auto& one) { take(one); }, *made);
    if (!take.sensible || !in.finished()) return std::nullopt;
    return made;
}

}  // namespace

Bytes encode(const Call& call) {
    Writer out;
    if (const auto* command = std::get_if<Command>(&call)) {
        out.u8(static_cast<std::uint8_t>(command->index()));
        std::visit(Put{out}, *command);
    } else {
        const auto& question = std::get<Question>(call);
        out.u8(static_cast<std::uint8_t>(kCommands + question.index()));
        std::visit(Put{out}, question);
    }
    return out.take();
}

std::optional<Call> decode_call(std::span<const std::byte> bytes) {
    Reader in(bytes);
    const std::size_t kind = in.u8();
    if (!in.ok()) return std::nullopt;
    if (kind < kCommands) {
        auto command = taken<Command>(kind, in);
        return command ? std::optional<Call>(std::move(*command)) : std::nullopt;
    }
    auto question = taken<Question>(kind - kCommands, in);
    return question ? std::optional<Call>(std::move(*question)) : std::nullopt;
}

}  // namespace muster::core::controller
