// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A job of Recovery machines in one process: the effects are carried out in lock step, members die between any two of
/// them, a network may fall apart in two, and engines commit steps and cross barriers in between.
/// Like the real thing: gathering, broadcasting and building fail on some members and succeed on others where somebody
/// dies on the way; the agreement and the shrink are the same for all. What must hold is in fake_job.cpp, violations().

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/recovery.hpp"
#include "support.hpp"

namespace muster::core::testing {

struct FakeJobSettings {
    std::uint64_t seed = 0;
    std::uint32_t engines = 8, standbys = 2, clients = 0, engines_min = 1;
    std::uint32_t engine_ranks = 1, group_size = 0;
    bool strided = false;         ///< Lockstep groups are dealt out, not consecutive.
    std::uint32_t deaths = 5;     ///< How many members die in a run; all of them on their feet before.
    bool network_splits = false;  ///< Once, between nodes, at a random moment.
};

class FakeJob {
public:
    explicit FakeJob(const FakeJobSettings& settings);

    /// Goes on until all members are at rest, or `ticks` have passed. False where it did not come to rest.
    bool run(std::uint32_t ticks);

    /// What has been broken so far; empty where nothing was.
    [[nodiscard]] const std::string& violations() const { return violations_; }
    [[nodiscard]] std::uint32_t rounds() const { return rounds_; }  ///< Handed over, round 1 included.
    [[nodiscard]] std::uint32_t ended() const;

private:
    /// The pool's communicator: who was in it when it was made, who has come how far.
    struct Pool {
        std::vector<Rank> members;
        bool revoked[2] = {false, false};  ///< On each side of a split.
        std::set<Rank> gathered, built;
        std::vector<Facts> facts;
        std::optional<Plan> plan;
    };
    struct Seat {
        Recovery machine;
        std::shared_ptr<Pool> pool;
        std::deque<Effect> todo;
        bool alive = true, ended = false;
        int side = 0;
        Round round_seen{};
        std::optional<Plan> plan{};  ///< The one that it works by.
        std::optional<Step> committed{}, attempted{};
        Round committed_in{};
        LifecycleFacts lifecycle{};
    };

    [[nodiscard]] Seat& seat(Rank rank) { return seats_[rank.value]; }
    [[nodiscard]] std::vector<Rank> peers(const Seat& seat) const;  ///< Of its pool, whom it can still reach.
    [[nodiscard]] bool broken(const Seat& seat) const;
    [[nodiscard]] bool at_rest() const;
    void fate();
    void work();
    void commit(const Seat& first);
    void signal();  ///< One member hears of a signal, crosses a barrier, or has a new signal.
    void advance(Seat& seat, Rank self);
    void carry_out(Seat& seat, Rank self);
    void meet(Seat& seat);  ///< Shrink or agree: once all who live are there.
    void answer(Seat& seat, const Input& input);
    void hand_over(Seat& seat, Rank self, const Plan& plan);
    void check_hand_over(const Seat& seat, Rank self, const Plan& plan);
    void check_places(const std::string& who, const Plan& plan);
    void check_all();
    void violated(const std::string& what);

    FakeJobSettings settings_;
    PlacementSettings placement_;
    Dice dice_;
    std::vector<Member> launch_;
    std::vector<Seat> seats_;
    std::uint32_t deaths_left_, rounds_ = 0;
    bool split_ = false;
    std::vector<SignalEntry> signals_;  ///< All that anybody who lives has heard of; each knows a beginning of it.
    std::set<int> sides_going_on_;      ///< Which sides have agreed on a round since the split.
    std::string violations_;
};

}  // namespace muster::core::testing
