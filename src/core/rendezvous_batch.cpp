// SPDX-License-Identifier: Apache-2.0
#include "core/rendezvous_batch.hpp"

#include <algorithm>
#include <set>

#include "core/assert.hpp"

namespace muster::core::rendezvous {

namespace {

std::vector<Node> not_in(const std::set<Node>& agreed, const State& state) {
    std::set<Node> listed(state.wait_list);
    listed.insert(state.redundancy_list.begin(), state.redundancy_list.end());
    for (const auto& [node, rank] : state.participants) listed.insert(node);
    for (const auto& [node, heard] : state.last_heartbeats) listed.insert(node);
    std::vector<Node> dead;
    std::set_difference(listed.begin(), listed.end(), agreed.begin(), agreed.end(), std::back_inserter(dead));
    return dead;
}

std::vector<Node> in_order(const State& state, const std::set<Node>& agreed) {
    std::vector<std::pair<std::pair<int, Slot>, Node>> order;
    for (const auto& node : agreed) {
        const auto inside = state.participants.find(node);
        if (inside != state.participants.end())
            order.push_back({{0, inside->second}, node});
        else
            order.push_back({{state.wait_list.contains(node)         ? 1
                              : state.redundancy_list.contains(node) ? 2
                                                                     : 3,
                              {}},
                             node});
    }
    std::sort(order.begin(), order.end());
    std::vector<Node> nodes;
    for (auto& [place, node] : order) nodes.push_back(std::move(node));
    return nodes;
}

class Pass {
public:
    Pass(BatchRound& result, const Settings& settings, Time now, std::size_t agreed, bool record)
        : result_(result), settings_(settings), now_(now), agreed_(agreed), record_(record) {}

    /// As far as one member gets by itself. True where it has changed anything that others look at.
    bool advance(const Node& node, Operation operation) {
        for (bool changed = false;; changed = true) {
            const auto answer = decide(operation, {node, result_.state, settings_, now_, std::nullopt, agreed_});
            if (std::holds_alternative<Failure>(answer)) return changed;
            const Action action = std::get<Action>(answer);
            const bool rests = action == Action::sync || action == Action::finish || action == Action::error_closed;
            if (rests) return changed;
            apply(action, {node, settings_, now_}, result_.state, record_ ? &result_.events : nullptr);
            result_.steps.push_back({node, operation, action});
            if (action == Action::keep_alive) return changed;  // It goes on resting; nobody's answer depends on it.
        }
    }

    /// Everybody joins in turn, until nobody gets any further.
    void join(const std::vector<Node>& order) {
        for (bool changed = true; changed;) {
            changed = false;
            for (const auto& node : order) changed = advance(node, Operation::join) || changed;
        }
    }

private:
    BatchRound& result_;
    const Settings& settings_;
    Time now_;
    std::size_t agreed_;
    bool record_;
};

Standing standing_of(const State& state, const Node& node) {
    const bool inside = state.participants.contains(node);
    if (inside && (state.complete || !state.closed)) return Standing::participant;
    if (state.closed) return state.redundancy_list.contains(node) ? Standing::graceful_exit : Standing::closed;
    if (state.wait_list.contains(node)) return Standing::waiting;
    MUSTER_ASSERT(state.redundancy_list.contains(node));
    return Standing::redundant;
}

std::string why_it_waits(const State& state, const Settings& settings) {
    if (state.complete) return "";
    if (state.closed) return "the rendezvous '" + settings.run_id + "' is closed";
    const auto count = state.participants.size();
    const auto round = "round " + std::to_string(state.round.value) + " waits: ";
    if (std::cmp_less(count, settings.min_nodes))
        return round + std::to_string(count) + " of at least " + std::to_string(settings.min_nodes) +
               " nodes have joined";
    return round + std::to_string(count) + " nodes have joined, the last call is not over";
}

void take_seats(State& state, const Seating& seating) {
    state.seats.clear();
    for (std::uint32_t rank = 0; rank < seating.by_rank.size(); ++rank)
        state.seats.emplace(seating.by_rank[rank], Slot{rank});
}

}  // namespace

BatchRound batch_round(State before, const std::vector<Node>& agreed, const Settings& settings, Time now,
                       const std::optional<Seating>& seating, bool record) {
    MUSTER_ASSERT(!seating || settings.slot_order == SlotOrder::stable);
    BatchRound result{.state = std::move(before), .members = {}, .dead = {}, .steps = {}, .events = {}, .waits = {}};
    const std::set<Node> alive(agreed.begin(), agreed.end());
    result.dead = not_in(alive, result.state);
    const auto order = in_order(result.state, alive);
    remove_dead(result.state, result.dead, settings, now);
    Pass pass(result, settings, now, seating ? seating->by_rank.size() : alive.size(), record);
    for (const auto& node : order) pass.advance(node, Operation::exit);
    if (seating) {
        take_seats(result.state, *seating);
        pass.join(seating->by_rank);
    }
    const bool all_asked = !seating || result.state.complete;
    if (all_asked) pass.join(order);
    if (seating && seating->then_close && result.state.complete)
        pass.advance(seating->by_rank.front(), Operation::close);
    for (const auto& node : all_asked ? order : seating->by_rank)
        result.members.emplace_back(node, standing_of(result.state, node));
    result.waits = why_it_waits(result.state, settings);
    return result;
}

}  // namespace muster::core::rendezvous
