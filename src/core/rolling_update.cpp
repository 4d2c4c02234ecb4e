// SPDX-License-Identifier: Apache-2.0
#include "core/rolling_update.hpp"

#include <algorithm>

namespace muster::core {

namespace {

std::uint32_t less(std::uint32_t from, std::uint32_t by) { return from > by ? from - by : 0; }

}  // namespace

std::uint32_t rolling_batch(std::uint32_t wanted) {
    return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(std::uint64_t{wanted} * kRollingPercent / 100));
}

RollingStep next_step(const RollingUpdate& update) {
    if (update.failed) return {.drop_new = update.new_starting > 0};
    const auto batch = rolling_batch(update.wanted);
    RollingStep step;
    const auto needed = less(update.wanted, update.new_running + update.new_starting);
    step.start_new = std::min(needed, less(batch, update.new_starting));
    if (update.room) step.start_new = std::min(step.start_new, *update.room);
    // As many run as are wanted, whatever their version: what is above that may go.
    step.stop_old = std::min(update.old_live, less(update.old_live + update.new_running, update.wanted));
    // Nothing is starting and nothing can: a batch of old ones has to make room.
    const bool stuck = needed > 0 && step.start_new == 0 && update.new_starting == 0 && step.stop_old == 0;
    const auto missing = less(update.wanted, update.old_live + update.new_running);
    if (stuck) step.stop_old = std::min(update.old_live, less(batch, missing));
    return step;
}

}  // namespace muster::core
