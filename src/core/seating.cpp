// SPDX-License-Identifier: Apache-2.0
#include "core/seating.hpp"

#include <algorithm>

#include "core/assert.hpp"

namespace muster::core {
namespace {

namespace rdzv = rendezvous;

class Names {
public:
    explicit Names(std::string run_id) : run_id_(std::move(run_id)) {}
    [[nodiscard]] rdzv::Node node(Rank rank) const { return {run_id_, 0, rank.value}; }
    [[nodiscard]] std::vector<rdzv::Node> nodes(const std::vector<Rank>& ranks) const {
        std::vector<rdzv::Node> list;
        list.reserve(ranks.size());
        for (const Rank rank : ranks) list.push_back(node(rank));
        return list;
    }
    static Rank rank(const rdzv::Node& node) { return Rank{static_cast<std::uint32_t>(node.local_id)}; }

private:
    std::string run_id_;
};

/// A job's rounds count from 1. Who has left or died meanwhile is not live and goes by that.
rdzv::State state_of(const LastRound& last, const Names& names) {
    rdzv::State state{
        .round = Round{std::max(last.round.value, 1U)}, .complete = last.round.value > 0, .closed = last.closed};
    if (!state.complete) return state;
    for (std::uint32_t slot = 0; slot < last.world.size(); ++slot)
        state.participants.emplace(names.node(last.world[slot]), Slot{slot});
    return state;
}

void sort_by_standing(const rdzv::BatchRound& round, SeatedRound& seated) {
    for (const auto& [node, standing] : round.members) {
        const Rank rank = Names::rank(node);
        switch (standing) {
            case rdzv::Standing::participant: break;  // By rank: world_of().
            case rdzv::Standing::waiting: seated.waiting.push_back(rank); [[fallthrough]];
            case rdzv::Standing::redundant: seated.standbys.push_back(rank); break;
            case rdzv::Standing::closed:
            case rdzv::Standing::graceful_exit: seated.dismissed.push_back(rank); break;
        }
    }
    for (auto* list : {&seated.standbys, &seated.waiting, &seated.dismissed}) std::sort(list->begin(), list->end());
}

}  // namespace

SeatedRound seat(const SeatingSettings& settings, const LastRound& last, const std::vector<Rank>& placed,
                 const std::vector<Rank>& live, bool close) {
    const Names names(settings.run_id);
    const auto in_job = rdzv::in_job(settings.run_id, settings.members_min, settings.members_max);
    const rdzv::Seating seating{.by_rank = names.nodes(placed), .then_close = close};
    auto round =
        rdzv::batch_round(state_of(last, names), names.nodes(live), in_job, rdzv::Time{0}, seating, settings.record);
    SeatedRound seated{.world = {},
                       .standbys = {},
                       .waiting = {},
                       .dismissed = {},
                       .closed = round.state.closed,
                       .waits = round.waits,
                       .events = std::move(round.events)};
    if (!round.state.complete) return seated;
    MUSTER_ASSERT(round.state.round == Round{last.round.value + 1});
    for (const auto& node : rdzv::world_of(round.state)) seated.world.push_back(Names::rank(node));
    sort_by_standing(round, seated);
    return seated;
}

}  // namespace muster::core
