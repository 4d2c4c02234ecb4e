// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A whole rendezvous round at once, for members of a job that have agreed on who is alive.
/// Intuition: the coordinator asks for each member what that member would ask for itself (first exit, then join) and
/// does it to one state, until nobody has anything left to do. Nobody polls, nobody waits for a last call. The order
/// is: participants by rank, wait list, redundancy list, newcomers; so those inside stay inside. Or the caller has a
/// seating: then its nodes come first and sit as it says, and the others come when the round is complete.
/// Shape: `steps` is the serial order that this equals: each is one iteration of that member's executor.
/// Errors: where the round cannot complete, `waits` says why, in words; the state is then the incomplete round's. In a
/// closed rendezvous nobody joins. Thread safety: a pure function. Source: design.md section 6.4.

#include <string>
#include <vector>

#include "core/rendezvous_run.hpp"

namespace muster::core::rendezvous {

/// Where a member stands after the round.
enum class Standing : std::uint8_t {
    participant,
    waiting,        ///< A standby: on the wait list.
    redundant,      ///< A standby: there is no place.
    closed,         ///< The rendezvous is closed: its join fails.
    graceful_exit,  ///< Closed while it was redundant: it ends without an error.
};

struct BatchStep {
    Node node;
    Operation operation = Operation::join;
    Action action = Action::sync;
};

struct BatchRound {
    State state;
    std::vector<std::pair<Node, Standing>> members;  ///< All that were asked, in that order.
    std::vector<Node> dead;                          ///< Were on a list and are not agreed to be alive.
    std::vector<BatchStep> steps;
    Events events;      ///< Each step's record, where `record` was given.
    std::string waits;  ///< "round 3 waits: 2 of at least 4 nodes have joined"; empty: the round is complete.
};

/// Where somebody (placement) has chosen who shall be in the round, and where each of them sits.
struct Seating {
    std::vector<Node> by_rank;  ///< All of them are agreed. Where they are too few, nobody else is asked.
    bool then_close = false;    ///< The round is the last one: closed as soon as it is complete.
};

/// `agreed`: all live members; anybody else in `before` is dead. `seating` needs SlotOrder::stable.
/// `record`: also as the source's event records (T35).
[[nodiscard]] BatchRound batch_round(State before, const std::vector<Node>& agreed, const Settings& settings, Time now,
                                     const std::optional<Seating>& seating = std::nullopt, bool record = false);

}  // namespace muster::core::rendezvous
