// SPDX-License-Identifier: Apache-2.0
#pragma once
/// When and to whom an order with a rate happens.
/// Intuition: every member draws the whole job's faults from the seed and keeps those that are its own. So they agree
/// without a word, `max` holds for the job, and the same order in a job of as many ranks gives the same faults again.
/// A node is drawn as if it were rank 0 and alone. One throw of the dice a millisecond; a rank whom an earlier fault of
/// this order ended is not drawn again. Thread safety: none.

#include <optional>
#include <vector>

#include "core/dice.hpp"
#include "core/fault_order.hpp"

namespace muster::core {

class FaultDraw {
public:
    struct Drawn {
        std::uint64_t after_us = 0;  ///< Since the first round. Rises.
        Rank rank;
        auto operator<=>(const Drawn&) const = default;
    };

    /// `order.when` must be AtRandom.
    FaultDraw(const FaultOrder& order, std::uint32_t ranks);

    /// The next fault; nothing where there are no more. A day after the first round there are no more.
    [[nodiscard]] std::optional<Drawn> next();
    [[nodiscard]] std::optional<Drawn> next_of(Rank self);  ///< The next one of `self`'s.

private:
    Dice dice_;
    double chance_;  ///< A millisecond's.
    bool ends_;
    std::optional<std::uint32_t> left_;
    std::vector<Rank> ranks_;  ///< That may be drawn.
    std::uint64_t now_ms_ = 0;
};

}  // namespace muster::core
