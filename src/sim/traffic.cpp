// SPDX-License-Identifier: Apache-2.0
#include "sim/traffic.hpp"

#include <algorithm>

namespace muster::sim {

void Traffic::sent(Rank from, Rank to, std::string_view kind, std::uint64_t now_ms) {
    if (from == to) return;
    const auto number = now_ms / interval_ms_;
    Interval& there = of_[to.value];
    if (there.number != number) there = {.number = number};
    most_ = std::max(most_, ++there.all);
    if (kind != "loads_up") return;
    ++loads_;
    loads_most_ = std::max(loads_most_, ++there.loads);
}

}  // namespace muster::sim
