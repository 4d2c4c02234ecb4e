// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The shared state of a rendezvous: who is in which round, who waits, who was heard of when.
/// Intuition: one small value that everybody reads, changes in a copy and writes back under a fencing token.
/// Shape: participants, wait_list and redundancy_list have no node in common; ranks of a complete round differ, of an
/// incomplete one they are 0. Units: Time. Errors: decode() of anything else is nothing. Thread safety: plain values.
/// Source: acceptance T5, T9, T10, T14; `seats` and the start of a round by a death are ours (DESIGN.md, "Rendezvous").

#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "core/codec.hpp"
#include "core/rendezvous_node.hpp"
#include "core/rendezvous_settings.hpp"
#include "core/rendezvous_time.hpp"
#include "muster/types.hpp"

namespace muster::core::rendezvous {

struct State {
    Round round{};  ///< From 0. +1 when a complete round is over.
    bool complete = false;
    std::optional<Time> deadline{};  ///< Last call: from then on the round may be completed without max nodes.
    bool closed = false;             ///< Takes nobody any more, for good.
    std::map<Node, Slot> participants{};
    std::set<Node> wait_list{};        ///< Wait for the next round; make those inside come out for it.
    std::set<Node> redundancy_list{};  ///< More than max: wait for a place without disturbing anybody.
    std::map<Node, Time> last_heartbeats{};
    std::map<Node, Slot> seats{};  ///< Ranks of the last complete round. Kept with SlotOrder::stable only.
    bool operator==(const State&) const = default;
};

/// The same state gives the same bytes.
[[nodiscard]] Bytes encode(const State& state);
[[nodiscard]] std::optional<State> decode_state(std::span<const std::byte> bytes);

/// Whose last heartbeat is older than expiry(); exactly as old is alive, and so is whoever has none.
[[nodiscard]] std::vector<Node> dead_nodes(const State& state, const Settings& settings, Time now);

/// Takes nodes off all lists. Where a participant goes, what follows for the round follows.
void remove_dead(State& state, const std::vector<Node>& dead, const Settings& settings, Time now);

/// A participant is gone: nobody left in a complete round is the next round; too few in an incomplete one end its
/// last call.
void after_removal(State& state, const Settings& settings);

/// Ranks 0, 1 ... by slot order. Stable: who had a rank that still exists keeps it, newcomers take the lowest holes,
/// the rest is filled from the highest ranks.
void assign_ranks(State& state, SlotOrder order);

/// Participants by rank; of a complete round.
[[nodiscard]] std::vector<Node> world_of(const State& state);

}  // namespace muster::core::rendezvous
