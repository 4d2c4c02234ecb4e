// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Faults that are ordered for a node: carried out by whichever of its ranks comes first, and told to the launcher.
/// Thread safety: any thread.

#include <cstdint>
#include <span>

#include "agent/process.hpp"
#include "core/fault_order.hpp"

namespace muster::agent {

/// The same on all ranks of the node: the order's place among all orders, and how often it has been due.
struct NodeFaultId {
    std::uint64_t index = 0;
    std::uint32_t nth = 1;
};

/// `ranks`: the node's, this one too. Comes back unless the node has died.
void carry_out_on_node(const core::FaultOrder& order, NodeFaultId id, Rank self, std::span<const ProcessId> ranks);

}  // namespace muster::agent
