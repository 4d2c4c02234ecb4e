// SPDX-License-Identifier: Apache-2.0
#include "sim/network.hpp"

#include <algorithm>

namespace muster::sim {

std::uint32_t Network::put(Packet packet) {
    if (free_.empty()) {
        packets_.push_back(std::move(packet));
        return static_cast<std::uint32_t>(packets_.size() - 1);
    }
    const auto index = free_.back();
    free_.pop_back();
    packets_[index] = std::move(packet);
    return index;
}

Packet Network::take(std::uint32_t index) {
    free_.push_back(index);
    return std::move(packets_[index]);
}

std::uint64_t Network::arrival(Rank from, Rank to, std::uint64_t now, Dice& dice) {
    auto& last = last_[(std::uint64_t{from.value} << 32) | to.value];
    last = std::max(last, now + dice.between(delay_min_, delay_max_));
    return last;
}

}  // namespace muster::sim
