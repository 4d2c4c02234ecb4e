// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A job at the moment of a decision, for the tests of decide(): defaults that a test changes where it tells its story.
/// Four engines (ranks 0 .. 3) and two standbys (4, 5), two on each of the nodes n1 n2 n3; round 1 is complete, and
/// step 6 was committed in it.

#include <map>

#include "core/plan.hpp"
#include "support.hpp"

namespace muster::core::testing {

struct Survivors {
    PlanSettings settings{.placement = {.engines = 4}, .launcher_node = {}};
    std::vector<Member> launch = launch_at({"n1", "n1", "n2", "n2", "n3", "n3"});
    std::vector<Rank> complete = ranks_up_to(6);
    std::vector<Rank> previous = ranks_up_to(4);
    std::map<Round, std::vector<Rank>> worlds{{Round{1}, ranks_up_to(4)}};
    std::map<Rank, Facts> present;

    /// All but `dead` survive; where `proven`, the lowest survivor has seen each of the dead.
    explicit Survivors(const std::vector<Rank>& dead, bool proven = true) {
        for (const Rank rank : complete) {
            Facts facts;
            facts.rank = rank;
            if (rank.value < 4) {
                facts.committed = Step{6};
                facts.committed_in = Round{1};
            }
            present[rank] = facts;
        }
        for (const Rank rank : dead) present.erase(rank);
        if (proven && !present.empty()) present.begin()->second.proven_dead = dead;
    }

    Facts& of(std::uint32_t rank) { return present.at(Rank{rank}); }

    /// Exits in the middle of its work, saying why.
    void goes(std::uint32_t rank, const std::string& why) {
        of(rank).leaving = true;
        of(rank).going = why;
    }

    /// Has the result of `step` in place and does not know whether the others have.
    void attempted(std::uint32_t rank, std::uint64_t step) { of(rank).attempted = Step{step}; }

    void committed(std::uint32_t rank, std::uint64_t step, std::uint32_t round = 1) {
        of(rank).committed = Step{step};
        of(rank).committed_in = Round{round};
        of(rank).attempted.reset();
    }

    [[nodiscard]] Plan decide() const {
        std::vector<Facts> facts;
        for (const auto& [rank, one] : present) facts.push_back(one);
        const PlanInput input{settings, launch, Round{2}, complete, previous, worlds, facts};
        return core::decide(input);
    }
};

}  // namespace muster::core::testing
