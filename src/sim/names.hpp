// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The names that simulated programs give to what they ask the controller for. Few, so that calls meet.

#include <array>
#include <string>

namespace muster::sim {

inline const std::array<std::string, 3> kBackendTags{"b0", "b1", "b2"};
inline const std::array<std::string, 2> kEndpointNames{"e0", "e1"};

}  // namespace muster::sim
