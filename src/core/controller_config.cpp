// SPDX-License-Identifier: Apache-2.0
#include "core/controller_config.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace muster::core::controller {

namespace {

constexpr std::int64_t kReplicasMax = 1'000'000;  ///< A slip of the finger must not fill the memory.
constexpr double kSecondsMax = 1e9;
constexpr double kMillisPerSecond = 1000;

template <class T>
void set(T& field, const std::optional<T>& value) {
    if (value) field = *value;
}

bool within(double seconds) { return seconds >= 0 && seconds <= kSecondsMax; }  // Not for NaN.

void put_maybe(Writer& out, const std::optional<std::int64_t>& value) {
    out.u8(value ? 1 : 0);
    if (value) out.u64(static_cast<std::uint64_t>(*value));
}

std::optional<std::int64_t> take_maybe(Reader& in) {
    if (in.u8() == 0) return std::nullopt;
    return static_cast<std::int64_t>(in.u64());
}

void put(Writer& out, const AutoscalingConfig& config) {
    out.u64(static_cast<std::uint64_t>(config.min_replicas));
    out.u64(static_cast<std::uint64_t>(config.max_replicas));
    put_real(out, config.target_ongoing_requests);
    put_real(out, config.upscale_delay_s);
    put_real(out, config.downscale_delay_s);
    put_real(out, config.look_back_period_s);
}

AutoscalingConfig take_autoscaling(Reader& in) {
    AutoscalingConfig config;
    config.min_replicas = static_cast<std::int64_t>(in.u64());
    config.max_replicas = static_cast<std::int64_t>(in.u64());
    config.target_ongoing_requests = take_real(in);
    config.upscale_delay_s = take_real(in);
    config.downscale_delay_s = take_real(in);
    config.look_back_period_s = take_real(in);
    return config;
}

std::optional<std::string> complaint_about(const AutoscalingConfig& config) {
    if (config.min_replicas < 0 || config.max_replicas < 1 || config.max_replicas > kReplicasMax)
        return "autoscaling: min_replicas must be 0 or more and max_replicas 1 to 1000000.";
    if (config.min_replicas > config.max_replicas)
        return "autoscaling: min_replicas (" + std::to_string(config.min_replicas) +
               ") must not be greater than max_replicas (" + std::to_string(config.max_replicas) + ").";
    if (!(config.target_ongoing_requests > 0) || !std::isfinite(config.target_ongoing_requests))
        return "autoscaling: target_ongoing_requests must be greater than 0.";
    if (!within(config.upscale_delay_s) || !within(config.downscale_delay_s) || !within(config.look_back_period_s))
        return "autoscaling: delays and the look-back period must be 0 s or more.";
    return std::nullopt;
}

}  // namespace

BackendConfig merged(BackendConfig config, const BackendConfigUpdate& update) {
    set(config.num_replicas, update.num_replicas);
    set(config.max_batch_size, update.max_batch_size);
    set(config.batch_wait_timeout, update.batch_wait_timeout);
    set(config.max_concurrent_queries, update.max_concurrent_queries);
    set(config.user_config, update.user_config);
    set(config.graceful_shutdown_wait_loop_s, update.graceful_shutdown_wait_loop_s);
    set(config.graceful_shutdown_timeout_s, update.graceful_shutdown_timeout_s);
    set(config.accepts_batches, update.accepts_batches);
    set(config.autoscaling, update.autoscaling);
    return config;
}

std::optional<std::string> complaint_about(const BackendConfig& config) {
    if (config.num_replicas < 0) return "Number of replicas must be greater than or equal to 0.";
    if (config.num_replicas > kReplicasMax) return "Number of replicas must not be greater than 1000000.";
    if (config.max_batch_size && *config.max_batch_size < 1) return "max_batch_size must be greater than 0.";
    if (config.max_concurrent_queries && *config.max_concurrent_queries < 1)
        return "max_concurrent_queries must be greater than 0.";
    if (!within(config.batch_wait_timeout)) return "batch_wait_timeout must be 0 s or more.";
    if (!within(config.graceful_shutdown_timeout_s)) return "graceful_shutdown_timeout_s must be 0 s or more.";
    if (!within(config.graceful_shutdown_wait_loop_s) || config.graceful_shutdown_wait_loop_s == 0)
        return "graceful_shutdown_wait_loop_s must be greater than 0 s.";
    if (!config.accepts_batches && config.max_batch_size.value_or(1) > 1)
        return "max_batch_size is set in config but the function or method does not accept batching.";
    return config.autoscaling ? complaint_about(*config.autoscaling) : std::nullopt;
}

std::uint32_t wanted_by(const BackendConfig& config) {
    const auto& scaling = config.autoscaling;
    const auto wanted =
        scaling ? std::clamp(config.num_replicas, scaling->min_replicas, scaling->max_replicas) : config.num_replicas;
    return static_cast<std::uint32_t>(wanted);
}

std::uint64_t grace_ms_of(const BackendConfig& config) {
    return static_cast<std::uint64_t>(config.graceful_shutdown_timeout_s * kMillisPerSecond);
}

void put(Writer& out, const BackendConfig& config) {
    out.u64(static_cast<std::uint64_t>(config.num_replicas));
    put_maybe(out, config.max_batch_size);
    put_real(out, config.batch_wait_timeout);
    put_maybe(out, config.max_concurrent_queries);
    out.text(config.user_config);
    put_real(out, config.graceful_shutdown_wait_loop_s);
    put_real(out, config.graceful_shutdown_timeout_s);
    out.u8(config.accepts_batches ? 1 : 0);
    out.u8(config.autoscaling ? 1 : 0);
    if (config.autoscaling) put(out, *config.autoscaling);
}

BackendConfig take_backend_config(Reader& in) {
    BackendConfig config;
    config.num_replicas = static_cast<std::int64_t>(in.u64());
    config.max_batch_size = take_maybe(in);
    config.batch_wait_timeout = take_real(in);
    config.max_concurrent_queries = take_maybe(in);
    config.user_config = in.text();
    config.graceful_shutdown_wait_loop_s = take_real(in);
    config.graceful_shutdown_timeout_s = take_real(in);
    config.accepts_batches = in.u8() == 1;
    if (in.u8() == 1) config.autoscaling = take_autoscaling(in);
    return config;
}

void put_real(Writer& out, double value) { out.u64(std::bit_cast<std::uint64_t>(value)); }
double take_real(Reader& in) { return std::bit_cast<double>(in.u64()); }

}  // namespace muster::core::controller
