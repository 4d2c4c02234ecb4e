// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What one slot sends to (or has from) every slot in one all-to-all.

#include <numeric>
#include <vector>

namespace moe {

struct Parcel {
    std::vector<int> counts;    ///< Shape: one per slot. Units: floats.
    std::vector<float> values;  ///< One slot's values after the other's, in slot order.

    /// Where each slot's values begin.
    [[nodiscard]] std::vector<int> offsets() const {
        std::vector<int> offsets(counts.size());
        std::exclusive_scan(counts.begin(), counts.end(), offsets.begin(), 0);
        return offsets;
    }
};

}  // namespace moe
