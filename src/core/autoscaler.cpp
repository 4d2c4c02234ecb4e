// SPDX-License-Identifier: Apache-2.0
#include "core/autoscaler.hpp"

#include <algorithm>
#include <cmath>

namespace muster::core {

namespace {

constexpr double kMillis = 1000;

std::uint32_t enough_for(double ongoing, const AutoscalingConfig& config) {
    const double needed = std::ceil(ongoing / config.target_ongoing_requests);
    const auto bounded = std::min(needed, static_cast<double>(config.max_replicas));  // Before it is made an integer.
    return static_cast<std::uint32_t>(
        std::clamp(static_cast<std::int64_t>(bounded), config.min_replicas, config.max_replicas));
}

}  // namespace

std::uint32_t Autoscaler::observe(const AutoscalingConfig& config, const Seen& seen) {
    const auto mean = mean_over(config.look_back_period_s, seen);
    const auto least = static_cast<std::uint32_t>(config.min_replicas);
    const auto most = static_cast<std::uint32_t>(config.max_replicas);
    // The bounds hold at once, and nobody waits for a delay while there is not one replica to serve the request.
    if (seen.replicas < least || seen.replicas > most) return std::clamp(seen.replicas, least, most);
    if (seen.replicas == 0 && seen.ongoing > 0) return std::max(enough_for(seen.ongoing, config), 1U);
    const auto needed = enough_for(mean, config);
    const int direction = needed > seen.replicas ? 1 : needed < seen.replicas ? -1 : 0;
    if (direction != direction_ || direction == 0) {
        direction_ = direction;
        since_ms_ = seen.now_ms;
    }
    if (direction == 0) return seen.replicas;
    const double delay = direction > 0 ? config.upscale_delay_s : config.downscale_delay_s;
    if (static_cast<double>(seen.now_ms - *since_ms_) < delay * kMillis) return seen.replicas;
    direction_ = 0;
    return needed;
}

double Autoscaler::mean_over(double seconds, const Seen& seen) {
    samples_.push_back({seen.now_ms, seen.ongoing});
    while (static_cast<double>(seen.now_ms - samples_.front().at_ms) > seconds * kMillis) samples_.pop_front();
    double sum = 0;
    for (const auto& sample : samples_) sum += sample.ongoing;
    return sum / static_cast<double>(samples_.size());
}

}  // namespace muster::core
