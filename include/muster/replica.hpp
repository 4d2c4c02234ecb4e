// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a member runs where the job has a controller: one replica of one backend.
/// Intuition: a member that is chosen for a replica is told what it is to be while the others serve on
/// (Hooks::prepare); when all of the replica's members have said yes, a new round brings them into the world, and
/// Session::replica() says the same until it goes again.
/// Thread safety: a plain value. Source: Ray Serve's replicas; DESIGN.md, "Replicas".

#include <cstdint>
#include <string>

#include "muster/types.hpp"

namespace muster {

struct ReplicaInfo {
    ReplicaId id;
    std::string backend;
    std::uint64_t version = 0;  ///< Of the backend; +1 when its replica_config changes.
    std::string config;         ///< The backend's replica_config: JSON, as its creator wrote it.
    bool operator==(const ReplicaInfo&) const = default;
};

}  // namespace muster
