// SPDX-License-Identifier: Apache-2.0
#include "agent/node_faults.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "agent/link.hpp"
#include "agent/log.hpp"
#include "agent/node_deeds.hpp"

namespace muster::agent {
namespace {

/// Over the launcher's link where there is one: what this process writes may be lost with the node's daemon.
void tell(Rank self, const std::string& text) {
    if (!LauncherLink(self).send({{"event", "note"}, {"rank", self.value}, {"text", text}})) say(text);
}

void end_links(Rank self, const std::string& order, std::uint64_t for_us) {
    const auto links = links_to_take_down();
    if (links.empty())
        return say(order + ": no network interface of this node has the alias '" + kFaultAlias +
                   "' (ip link set dev e0 alias " + kFaultAlias + "), and unmarked ones are left alone");
    std::string names;
    for (const auto& link : links) names += (names.empty() ? "" : ", ") + link;
    tell(self, order + ": takes down " + names);
    if (const auto wrong = take_down(links, for_us); !wrong.empty()) say(wrong);
}

bool is_first(NodeFaultId id, const ProcessId& daemon) {
    std::string word = "muster";
    for (const auto part : {std::uint64_t{daemon.pid}, daemon.start_time, id.index, std::uint64_t{id.nth}})
        word += "." + std::to_string(part);
    return is_first_on_this_node(word);
}

}  // namespace

void carry_out_on_node(const core::FaultOrder& order, NodeFaultId id, Rank self, std::span<const ProcessId> ranks) {
    const auto daemon = daemon_above();
    if (!is_first(id, daemon.process)) return;
    const std::string text = "a fault to order: " + order.text;
    if (order.kind == core::FaultKind::link) return end_links(self, text, order.amount_us);
    tell(self, text + (daemon.is_mpirun          ? " (this is mpirun's own node: no job outlives that)"
                       : daemon.process.pid == 0 ? " (no launcher's daemon is seen here: its ranks end alone)"
                                                 : ""));
    end_this_node(daemon, ranks);
}

}  // namespace muster::agent
