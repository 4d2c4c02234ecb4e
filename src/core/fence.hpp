// SPDX-License-Identifier: Apache-2.0
#pragma once
/// May these survivors go on, or could there be another half of the job that goes on too?
/// Intuition: count heads of the last complete round; those proven dead cannot be anywhere else.
/// Source: ours. Open MPI's shrink says success to a cut-off minority (DESIGN.md, "Fence").

#include <cstdint>
#include <string>

#include "muster/config.hpp"

namespace muster::core {

struct FenceInput {
    std::uint32_t last_complete = 0;  ///< Members of the last complete round, standbys and clients included.
    std::uint32_t present = 0;        ///< Of those, how many are here.
    std::uint32_t proven_dead = 0;    ///< Of the missing, how many are known to be dead or to have left.
    bool holds_tie =
        false;  ///< The first member is here, of those not proven dead: on mpirun's node first, then by Rank.
};

struct FenceVerdict {
    bool go_on = false;
    std::string reason;  ///< Where go_on is false: the count, in words.
};

[[nodiscard]] FenceVerdict fence(Quorum quorum, const FenceInput& input);

}  // namespace muster::core
