// SPDX-License-Identifier: Apache-2.0
#include "core/rendezvous_state.hpp"

#include <algorithm>

#include "core/assert.hpp"

namespace muster::core::rendezvous {

namespace {

/// The survivors, if any, are in the next round as if they had just joined it. Their heartbeats stay: nobody has heard
/// of them.
void begin_next_round(State& state, const Settings& settings, Time now) {
    state.complete = false;
    state.round = Round{state.round.value + 1};
    for (auto& [node, rank] : state.participants) rank = Slot{};
    const bool enough = std::cmp_greater_equal(state.participants.size(), settings.min_nodes);
    state.deadline = enough ? std::optional(now + settings.timeouts.last_call) : std::nullopt;
}

/// Whoever keeps its place takes it; the others are returned: newcomers first, then the movers from the highest down.
std::vector<Node> take_seats(const State& state, std::vector<std::optional<Node>>& places) {
    std::vector<Node> others;
    std::map<Slot, Node> movers;
    for (const auto& [node, rank] : state.participants) {
        const auto seat = state.seats.find(node);
        if (seat == state.seats.end())
            others.push_back(node);
        else if (seat->second.value < places.size())
            places[seat->second.value] = node;
        else
            movers.emplace(seat->second, node);
    }
    for (auto mover = movers.rbegin(); mover != movers.rend(); ++mover) others.push_back(mover->second);
    return others;
}

}  // namespace

std::vector<Node> dead_nodes(const State& state, const Settings& settings, Time now) {
    std::vector<Node> dead;
    const Time expired = expiry(settings, now);
    for (const auto& [node, heard] : state.last_heartbeats)
        if (heard < expired) dead.push_back(node);
    return dead;
}

void remove_dead(State& state, const std::vector<Node>& dead, const Settings& settings, Time now) {
    bool participant_removed = false;
    for (const auto& node : dead) {
        state.last_heartbeats.erase(node);
        participant_removed = state.participants.erase(node) > 0 || participant_removed;
        state.wait_list.erase(node);
        state.redundancy_list.erase(node);
    }
    if (!participant_removed) return;
    if (settings.replace_dead_participants && state.complete)
        begin_next_round(state, settings, now);
    else
        after_removal(state, settings);
}

void after_removal(State& state, const Settings& settings) {
    if (state.complete && state.participants.empty()) {
        state.complete = false;
        state.round = Round{state.round.value + 1};
    } else if (!state.complete && std::cmp_less(state.participants.size(), settings.min_nodes)) {
        state.deadline.reset();
    }
}

void assign_ranks(State& state, SlotOrder order) {
    std::uint32_t next = 0;
    if (order == SlotOrder::sorted) {
        for (auto& [node, rank] : state.participants) rank = Slot{next++};
        return;
    }
    std::vector<std::optional<Node>> places(state.participants.size());
    for (const auto& node : take_seats(state, places)) {
        while (places[next]) ++next;
        places[next] = node;
    }
    for (std::uint32_t place = 0; place < places.size(); ++place) state.participants[*places[place]] = Slot{place};
    state.seats = state.participants;
}

std::vector<Node> world_of(const State& state) {
    MUSTER_ASSERT(state.complete);
    std::vector<std::pair<Slot, Node>> by_rank;
    for (const auto& [node, rank] : state.participants) by_rank.emplace_back(rank, node);
    std::sort(by_rank.begin(), by_rank.end());
    std::vector<Node> world;
    for (auto& [rank, node] : by_rank) world.push_back(std::move(node));
    return world;
}

}  // namespace muster::core::rendezvous
