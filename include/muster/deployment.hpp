// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What is wanted of a controller, as values: backends (named sets of replicas), endpoints (doors to them), goals.
/// Intuition: a backend's config is always whole; an update holds the fields that somebody has set, and only those
/// change it. An endpoint divides its requests among backends by weight.
/// Units: seconds where the name says _s, else counts. Errors: the calls' (muster/controller.hpp). Thread safety:
/// plain values. Source: acceptance R7 to R16; names and defaults are those of the source.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "muster/types.hpp"

namespace muster {

/// How many replicas a backend should have, from how many requests are under way.
struct AutoscalingConfig {
    std::int64_t min_replicas = 1;  ///< 0: may be scaled to zero; the first request brings it back at once.
    std::int64_t max_replicas = 1;
    double target_ongoing_requests = 2;  ///< Per replica.
    double upscale_delay_s = 30;
    double downscale_delay_s = 600;
    double look_back_period_s = 30;  ///< Ongoing requests are the mean over this time.
    bool operator==(const AutoscalingConfig&) const = default;
};

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

using Weights = std::map<std::string, double>;
struct Endpoint {
    std::optional<std::string> route{};  ///< Nothing: headless, by handle only (R16).
    std::vector<std::string> methods{};
    Weights traffic{};
    Weights shadows{};
    bool operator==(const Endpoint&) const = default;
};

using GoalId = Id<struct GoalTag, std::uint64_t>;  ///< "g1", "g2" ...; for the life of the job's state.

enum class GoalOutcome : std::uint8_t {
    pending,
    reached,
    replaced,  ///< A newer goal for the same backend has taken its place.
    failed,    ///< Its replicas failed to start too often.
};

/// What listeners subscribe to; whole maps, or one entry of them ("BACKEND_CONFIGS:tag").
struct ControllerView {
    std::map<std::string, BackendConfig> backends{};             ///< BACKEND_CONFIGS
    std::map<std::string, std::vector<std::string>> replicas{};  ///< REPLICA_HANDLES: "b#7" ...
    std::map<std::string, Endpoint> endpoints{};                 ///< ROUTE_TABLE, TRAFFIC_POLICIES: their part.
    bool operator==(const ControllerView&) const = default;
};

}  // namespace muster
