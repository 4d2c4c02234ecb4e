// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Faults to order, for tests: MUSTER_INJECT="kill:rank=3@point=shrunk;kill:rank=1@point=commit.entered#5".
/// The named rank SIGKILLs itself when it reaches the named point for the n-th time (#n, 1 by default).
/// Points, in order: noticed revoked shrunk gathered planned world_split group_split built agreed handed_over
/// (recovery, agent thread; the first round reaches them too); commit.entered commit.agreed commit.recorded, and for
/// each barrier before.pausing inside.pausing after.pausing (unpausing, suspending ...) (engine thread); for each kind
/// of control message send.tell sent.tell got.tell (submit, deliver, reply ...; agent thread).
/// Costs one load of a bool where nothing is ordered.

#include <string>

#include "muster/types.hpp"

namespace muster::agent {

/// Reads the order. Errors: bad_setup, with the part that makes no sense.
[[nodiscard]] Result<Done> order_faults(const char* order, Rank self);

void reach_point(const char* point);
/// Is any fault ordered for this rank? Saves the work of naming points.
[[nodiscard]] bool faults_ordered();
/// The point "WHERE.WHAT".
void reach_point(const char* where, const char* what);

}  // namespace muster::agent
