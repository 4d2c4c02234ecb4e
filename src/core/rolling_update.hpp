// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How replicas of an old version are replaced by those of a new one, a part of them at a time.
/// Intuition: start a batch of new ones beside the old, and let an old one go for each new one that runs. Where there
/// is no room beside them, old ones make room first, never more than a batch of them. New ones that cannot start end
/// it: the old ones stay.
/// Shape: a pure function of counts, asked at every turn. Units: replicas. Thread safety: pure.
/// Source: later Ray (20 % at a time; old ones are kept after a failed update); ray#43228: start before stopping.

#include <cstdint>
#include <optional>

namespace muster::core {

struct RollingUpdate {
    std::uint32_t wanted = 0;
    std::uint32_t old_live = 0;  ///< Of another version: running, or still to be started.
    std::uint32_t new_running = 0;
    std::uint32_t new_starting = 0;
    std::optional<std::uint32_t> room{};  ///< How many more can be started; nothing: as many as one likes.
    bool failed = false;                  ///< New ones have failed to start too often.
};

struct RollingStep {
    std::uint32_t start_new = 0;
    std::uint32_t stop_old = 0;
    bool drop_new = false;  ///< Stop those of the new version that do not run yet.
    bool operator==(const RollingStep&) const = default;
};

constexpr std::uint32_t kRollingPercent = 20;

/// 20 % of the wanted ones, but one at least.
[[nodiscard]] std::uint32_t rolling_batch(std::uint32_t wanted);

[[nodiscard]] RollingStep next_step(const RollingUpdate& update);

}  // namespace muster::core
