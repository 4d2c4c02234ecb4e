// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One member's part in bringing all engines' words to the coordinator, up a tree.
/// Intuition: a member keeps the newest word of each engine below it and hands all that has changed to its parent in
/// one message, at most one an interval. So nobody receives more than its fan-out in messages an interval, a quiet job
/// sends none, and the first change after a quiet interval goes up at once. A word is at the coordinator after at most
/// depth x interval.
/// Units: milliseconds of any clock that never goes back. Errors: words of another than a child are refused.
/// Thread safety: none. Source: ours; vLLM's engines all report to the coordinator itself.

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/load_message.hpp"

namespace muster::core {

class LoadTree {
public:
    LoadTree(Rank self, std::uint64_t interval_ms) : self_(self), interval_ms_(interval_ms) {}

    /// A new round: what was collected is void, whoever is an engine says its word anew. No parent: this is the top,
    /// and due() gives at once whatever has come.
    void enter(std::optional<Rank> parent, std::vector<Rank> children);

    void own(const EngineWord& word);                               ///< As it is now; nothing new is no message.
    [[nodiscard]] bool heard(Rank from, const EngineWords& words);  ///< False: not a child.
    [[nodiscard]] EngineWords due(std::uint64_t now_ms);            ///< For the parent; empty: nothing, or not yet.
    [[nodiscard]] std::optional<Rank> parent() const { return parent_; }

private:
    Rank self_;
    std::uint64_t interval_ms_;
    std::optional<Rank> parent_;
    std::vector<Rank> children_;
    std::map<Rank, EngineWord> pending_;  ///< By engine: changed since it was handed up.
    std::optional<EngineWord> told_;      ///< This member's own, as it was handed up.
    std::optional<std::uint64_t> sent_ms_;
};

}  // namespace muster::core
