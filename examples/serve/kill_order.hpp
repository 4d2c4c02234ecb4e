// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A death on order: which rank kills itself, and when. For demonstrations and tests; a program that is not one of
/// those has nothing like it.

#include <cstdint>
#include <string>

#include "muster/types.hpp"

namespace serve {

struct KillOrder {
    enum Moment {
        in_request,  ///< In the middle of the all-to-all of the forward that follows its n-th request.
        in_suspend,  ///< When it is told to suspend: the others are in the barrier, or on their way there.
        in_resume,
    };
    muster::Rank rank;
    Moment moment = in_request;
    std::uint64_t request = 0;  ///< The n of in_request.
};

/// Reads RANK@REQUEST, RANK@suspend or RANK@resume. Errors: refused, with what is wrong in words.
[[nodiscard]] muster::Result<KillOrder> parse_kill(const std::string& text);

}  // namespace serve
