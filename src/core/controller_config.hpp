// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a user may say about a backend (our word: deployment), and what is wrong with it.
/// Intuition: a config is always whole; an update holds the fields that somebody has set, and only those change it.
/// Units: seconds where the name says _s, else counts. Errors: complaint_about() in one sentence; nothing throws.
/// Thread safety: plain values. Source: acceptance R7, R12; names and defaults are those of the source's BackendConfig.

#include <cstdint>
#include <optional>
#include <string>

#include "core/autoscaler.hpp"
#include "core/codec.hpp"

namespace muster::core::controller {

struct BackendConfig {
    std::int64_t num_replicas = 1;
    std::optional<std::int64_t> max_batch_size{};
    double batch_wait_timeout = 0;  ///< Seconds.
    std::optional<std::int64_t> max_concurrent_queries{};
    std::string user_config = "null";  ///< JSON, passed on as it is.
    double graceful_shutdown_wait_loop_s = 2;
    double graceful_shutdown_timeout_s = 20;
    bool accepts_batches = true;  ///< Of the program's, not of the user's: false forbids a max_batch_size above 1.
    std::optional<AutoscalingConfig> autoscaling{};
    bool operator==(const BackendConfig&) const = default;
};

/// Fields that somebody has set; a set field may be "nothing" where the config's may.
struct BackendConfigUpdate {
    std::optional<std::int64_t> num_replicas{};
    std::optional<std::optional<std::int64_t>> max_batch_size{};
    std::optional<double> batch_wait_timeout{};
    std::optional<std::optional<std::int64_t>> max_concurrent_queries{};
    std::optional<std::string> user_config{};
    std::optional<double> graceful_shutdown_wait_loop_s{};
    std::optional<double> graceful_shutdown_timeout_s{};
    std::optional<bool> accepts_batches{};
    std::optional<std::optional<AutoscalingConfig>> autoscaling{};
};

[[nodiscard]] BackendConfig merged(BackendConfig config, const BackendConfigUpdate& update);

/// Why this whole config cannot be; nothing where it can.
[[nodiscard]] std::optional<std::string> complaint_about(const BackendConfig& config);

/// How many replicas it asks for at first: num_replicas, within the autoscaler's bounds where there is one.
[[nodiscard]] std::uint32_t wanted_by(const BackendConfig& config);

/// How long a replica may drain, in milliseconds.
[[nodiscard]] std::uint64_t grace_ms_of(const BackendConfig& config);

void put(Writer& out, const BackendConfig& config);
[[nodiscard]] BackendConfig take_backend_config(Reader& in);

/// A real number in the codec: its 64 bits.
void put_real(Writer& out, double value);
[[nodiscard]] double take_real(Reader& in);

}  // namespace muster::core::controller
