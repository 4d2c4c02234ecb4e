// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Faults to order: carries out what MUSTER_INJECT (`muster run --inject`) orders for this rank. The grammar:
/// core/fault_order.hpp; the points: core/fault_points.hpp.
/// Intuition: whoever comes past a place says so; an order that waits for it is carried out there and then, once.
/// Orders for a time or at random have a thread of their own. Only exit0 is put off until the engine's thread comes by:
/// exit() from elsewhere would run the program's handlers under its feet. Costs one load of a bool where nothing is
/// ordered. Thread safety: any thread, unless it says otherwise.

#include <string>

#include "muster/lifecycle.hpp"
#include "muster/types.hpp"

namespace muster::agent {

/// Reads the orders for `self`, in place of those of an earlier session. Errors: bad_setup, with the part that makes no
/// sense.
[[nodiscard]] Result<Done> order_faults(const char* orders, Rank self, std::uint32_t ranks);
/// The first round is there: times count from now on.
void begin_timed_faults();
/// The session is over; nothing happens at a time any more.
void end_timed_faults();

void reach_point(const char* point);
/// Is any fault ordered for this rank? Saves the work of naming points.
[[nodiscard]] bool faults_ordered();
/// The point "WHERE.WHAT".
void reach_point(const char* where, const char* what);

/// The chance that this rank is to die of when it coordinates and the controller's state was made safe; 0: never.
[[nodiscard]] double crash_after_checkpoint();
void crash_as_ordered();  ///< It has come to that.

// The engine's thread only.
void reach_step(Step step);     ///< It enters the commit of this step.
void reach_state(State state);  ///< A repetition of the state it is in already does not count.
void reach_turn();              ///< A turn begins: what is slow waits here.
void reach_pause();             ///< It has nothing to do, and comes by at least once a second.

}  // namespace muster::agent
