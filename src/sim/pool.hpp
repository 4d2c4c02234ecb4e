// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One communicator of the pool: who is in it, and how far its members have come with what they do on it together.
/// As over ULFM: gathering, broadcasting and building fail on some and succeed on others where somebody dies on the
/// way; shrink and agreement wait for all who live and give all of them the same answer.

#include <optional>
#include <vector>

#include "core/plan.hpp"
#include "muster/types.hpp"

namespace muster::sim {

struct Arrival {
    Rank rank;
    bool shrinks = false;  ///< Else it agrees.
    bool yes = false;
};

struct Pool {
    std::vector<Rank> members;  ///< As they were when it was made.
    bool revoked = false;
    std::vector<core::Facts> facts;
    std::optional<core::Plan> plan;
    std::uint32_t built = 0;
    std::vector<Arrival> arrivals;           ///< At the present shrink or agreement.
    std::optional<std::uint32_t> successor;  ///< The round's own pool, where members were dismissed.
};

}  // namespace muster::sim
