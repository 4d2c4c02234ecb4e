// SPDX-License-Identifier: Apache-2.0
#include "core/fence.hpp"

#include "core/assert.hpp"

namespace muster::core {

FenceVerdict fence(Quorum quorum, const FenceInput& input) {
    MUSTER_ASSERT(input.present + input.proven_dead <= input.last_complete);
    if (quorum == Quorum::none) return {true, ""};
    const std::uint32_t rest = input.last_complete - input.proven_dead;
    if (2 * input.present > rest) return {true, ""};
    if (2 * input.present == rest && input.holds_tie) return {true, ""};
    return {false, std::to_string(input.present) + " of " + std::to_string(input.last_complete) +
                       " members of the last complete round are here and only " + std::to_string(input.proven_dead) +
                       " are proven dead: the others may be going on elsewhere (--quorum none overrules)"};
}

}  // namespace muster::core
