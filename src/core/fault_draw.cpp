// SPDX-License-Identifier: Apache-2.0
#include "core/fault_draw.hpp"

#include "core/assert.hpp"

namespace muster::core {

namespace {

constexpr std::uint64_t kLongestMs = 86'400'000;

const AtRandom& random_of(const FaultOrder& order) {
    const auto* random = std::get_if<AtRandom>(&order.when);
    MUSTER_ASSERT(random != nullptr && random->per_second > 0);
    return *random;
}

}  // namespace

FaultDraw::FaultDraw(const FaultOrder& order, std::uint32_t ranks)
    : dice_(Dice(random_of(order).seed).next()),  // Dice of neighbouring seeds throw the same, one throw later.
      chance_(random_of(order).per_second / 1000),
      ends_(ends_the_process(order.kind)),
      left_(random_of(order).most) {
    if (order.rank || is_of_a_node(order.kind))
        ranks_.push_back(order.rank.value_or(Rank{0}));
    else
        for (std::uint32_t rank = 0; rank < ranks; ++rank) ranks_.push_back(Rank{rank});
}

std::optional<FaultDraw::Drawn> FaultDraw::next() {
    if (ranks_.empty() || (left_ && *left_ == 0)) return std::nullopt;
    if (left_) --*left_;
    do {
        if (++now_ms_ > kLongestMs) return std::nullopt;
    } while (!dice_.chance(chance_));
    const auto place = ranks_.begin() + dice_.below(ranks_.size());
    const Drawn drawn{now_ms_ * 1000, *place};
    if (ends_) ranks_.erase(place);
    return drawn;
}

std::optional<FaultDraw::Drawn> FaultDraw::next_of(Rank self) {
    while (const auto drawn = next())
        if (drawn->rank == self) return drawn;
    return std::nullopt;
}

}  // namespace muster::core
