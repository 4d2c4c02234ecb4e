// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a job with a controller promises about seats, told a second time: who is a replica, who idles, who moves.
/// Thread safety: none.

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/plan.hpp"

namespace muster::sim {

struct SeatCounts {
    std::uint64_t seated = 0, unseated = 0, no_room = 0, dissolved = 0;
};

class SeatWitness {
public:
    /// Both outlive the witness.
    SeatWitness(std::string& violations, const core::PlanSettings& settings)
        : violations_(violations), settings_(settings) {}

    /// `willing`: who could be in the world, ascending. `before`: slot -> rank of the round before.
    void round_begins(const core::Plan& plan, const std::vector<core::Facts>& facts, const std::vector<Rank>& willing,
                      const std::vector<Rank>& before);

    /// Which ids may come again: a successor starts once more what was never said to run.
    void returns_if(std::function<bool(core::SeatId)> may_return) { may_return_ = std::move(may_return); }
    void forgets() { ever_.clear(); }  ///< Who counts the ids is gone with all that it knew: they may come again.
    [[nodiscard]] const SeatCounts& counts() const { return counts_; }

private:
    using Ids = std::vector<core::SeatId>;
    /// What the rules look at.
    struct Scene {
        const core::Plan& plan;
        const std::vector<Rank>& willing;
        const std::vector<Rank>& before;
        Ids kept, added, unseated;  ///< Of the last seats those that stay; new names in order; last seats that go.
        std::size_t unit = 1, room = 0;
        [[nodiscard]] std::vector<Rank> group_before(std::size_t group) const;
        [[nodiscard]] std::vector<Rank> group_now(std::size_t group) const;
        [[nodiscard]] bool is_willing(Rank rank) const;
        [[nodiscard]] bool survivors_are_in(std::size_t old, std::size_t now) const;
    };
    [[nodiscard]] Scene scene_of(const core::Plan& plan, const std::vector<core::Facts>& facts,
                                 const std::vector<Rank>& willing, const std::vector<Rank>& before) const;
    void names_are_unique(const Scene& scene);
    void seats_stay_or_were_given_up(const Scene& scene);
    void new_names_have_what_room_there_is(const Scene& scene);
    void idle_only_where_the_minimum_demands(const Scene& scene);
    void survivors_keep_their_places(const Scene& scene);
    void new_names_take_idle_groups_first(const Scene& scene);
    void who_was_unseated_is_a_standby(const Scene& scene);
    void violated(const Scene& scene, const std::string& what);

    std::string& violations_;
    const core::PlanSettings& settings_;
    Ids last_;  ///< Seats of the round before.
    std::set<core::SeatId> ever_;
    std::function<bool(core::SeatId)> may_return_;  ///< Nothing: none.
    SeatCounts counts_;
};

}  // namespace muster::sim
