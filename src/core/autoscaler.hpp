// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How many replicas a backend should have, from how many requests are under way.
/// Intuition: enough replicas that each has the target number of requests; a change is made only when it has been
/// wanted without a break for its delay: soon upwards, late downwards.
/// Shape: observe() at every turn of the control loop. Units: milliseconds in, seconds in the settings.
/// Errors: none; a clock that stands still changes nothing. Thread safety: none.
/// Source: later Ray (acceptance, "Later versions"): target 2, mean over 30 s, up after 30 s, down after 600 s.

#include <cstdint>
#include <deque>
#include <optional>

#include "muster/deployment.hpp"

namespace muster::core {

using muster::AutoscalingConfig;

class Autoscaler {
public:
    struct Seen {
        std::uint64_t now_ms = 0;
        double ongoing = 0;          ///< Requests under way, of all replicas together.
        std::uint32_t replicas = 0;  ///< As many as are wanted now.
    };

    /// The number that should be wanted from now on; the one that is given in where nothing changes.
    [[nodiscard]] std::uint32_t observe(const AutoscalingConfig& config, const Seen& seen);

private:
    struct Sample {
        std::uint64_t at_ms = 0;
        double ongoing = 0;
    };
    [[nodiscard]] double mean_over(double seconds, const Seen& seen);

    std::deque<Sample> samples_;
    std::optional<std::uint64_t> since_ms_;  ///< A change in `direction_` has been wanted from then on.
    int direction_ = 0;                      ///< 1: more, -1: fewer.
};

}  // namespace muster::core
