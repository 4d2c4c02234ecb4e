// SPDX-License-Identifier: Apache-2.0
#include "sim/comms.hpp"

#include <algorithm>

namespace muster::sim {

bool Collective::post(const core::Votes& votes) {
    auto& merged = results_[(completed_ + 1) % 2];
    if (posted_ == 0) merged = votes;
    for (std::size_t i = 0; i < merged.size(); ++i) merged[i] = std::max(merged[i], votes[i]);
    if (++posted_ < size_) return false;
    posted_ = 0;
    ++completed_;
    return true;
}

}  // namespace muster::sim
