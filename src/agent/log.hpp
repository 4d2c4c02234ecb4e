// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One line to stderr, whole, with who says it: "muster[rank 3, round 2]: ...". Any thread.

#include <string>

#include "muster/types.hpp"

namespace muster::agent {

void set_log_rank(Rank rank);
void set_log_round(Round round);
void say(const std::string& text);
void trace(const std::string& text);  ///< As say(), where MUSTER_VERBOSE is set.

}  // namespace muster::agent
