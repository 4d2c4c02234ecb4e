// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How far a member's copy of the mirrored state has come (core/mirror). The greater one is the better one.

#include <compare>
#include <cstdint>

#include "muster/types.hpp"

namespace muster::core {

struct MirrorPosition {
    Round term{};             ///< In which it last had the whole state from its coordinator. 0: it never had any.
    std::uint64_t index = 0;  ///< Entries folded since the job began.
    auto operator<=>(const MirrorPosition&) const = default;
};

}  // namespace muster::core
