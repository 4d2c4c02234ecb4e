// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How many packets each member is sent in one load interval: what a tree of loads must keep small.
/// Intuition: time is cut into intervals; a packet counts where it was sent, for whom it was sent to, since each sender
/// keeps its distance from its own last one and the network's delays are nobody's doing.
/// Units: virtual milliseconds. Thread safety: none.

#include <cstdint>
#include <string_view>
#include <vector>

#include "muster/types.hpp"

namespace muster::sim {

class Traffic {
public:
    Traffic(std::size_t members, std::uint32_t interval_ms) : interval_ms_(interval_ms), of_(members) {}

    void sent(Rank from, Rank to, std::string_view kind, std::uint64_t now_ms);
    [[nodiscard]] std::uint64_t loads() const { return loads_; }            ///< Packets of loads, all in all.
    [[nodiscard]] std::uint64_t loads_most() const { return loads_most_; }  ///< To one member in one interval.
    [[nodiscard]] std::uint64_t most() const { return most_; }              ///< The same, of all packets.

private:
    struct Interval {  ///< The present one of a member.
        std::uint64_t number = 0, loads = 0, all = 0;
    };
    std::uint64_t interval_ms_;
    std::vector<Interval> of_;
    std::uint64_t loads_ = 0, loads_most_ = 0, most_ = 0;
};

}  // namespace muster::sim
