// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How long an engine's turns take, and how long one may take before its engine counts as hung.
/// Intuition: a program that says nothing may compute for hours; one that sets a deadline, or lets it be learned from
/// what it has done so far, is held to it.
/// Units: milliseconds. Thread safety: none.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace muster::core {

struct TurnLimits {
    std::uint32_t deadline_ms = 0;  ///< 0: none.
    std::uint32_t factor = 0;       ///< Of the longest of the last turns. 0: nothing is learned.
};

class TurnHistory {
public:
    static constexpr std::size_t kKept = 32, kNeeded = 8;
    static constexpr std::uint64_t kLearnedLeastMs = 1'000;

    void add(std::uint64_t took_ms) { last_[taken_++ % kKept] = took_ms; }

    [[nodiscard]] std::optional<std::uint64_t> deadline_ms(const TurnLimits& limits) const {
        std::optional<std::uint64_t> deadline;
        if (limits.deadline_ms > 0) deadline = limits.deadline_ms;
        if (limits.factor == 0 || taken_ < kNeeded) return deadline;
        const auto end = last_.begin() + static_cast<std::ptrdiff_t>(std::min(taken_, kKept));
        const auto learned = std::max(kLearnedLeastMs, limits.factor * *std::max_element(last_.begin(), end));
        return std::min(deadline.value_or(learned), learned);
    }

private:
    std::array<std::uint64_t, kKept> last_{};
    std::size_t taken_ = 0;
};

}  // namespace muster::core
