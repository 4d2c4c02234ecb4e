// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Engines of a world in one process: EngineLoops, driven in any order by dice, with the collectives that they need.
/// Intuition: a vote is complete when all of the group have given theirs, a barrier when all of the world are in it, a
/// rest when there is news or a wake; whoever cannot go on waits. Everything that happens is written down, so that
/// tests can hold it against a model.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/engine_loop.hpp"
#include "support.hpp"

namespace muster::core::testing {

struct WorldShape {
    std::uint32_t groups = 1;
    std::uint32_t engines = 2;  ///< Per group.
    std::uint32_t ranks = 1;    ///< Per engine.
    LoopSettings loop{};
    bool always_work = false;
};

/// One collective turn of a group, by member.
struct TurnTaken {
    Order::Kind kind;
    std::uint64_t work;  ///< As of this member's batch.
    std::uint64_t vote;  ///< Counted before it.
};

class FakeEngines {
public:
    explicit FakeEngines(const WorldShape& shape, std::uint64_t seed);

    /// Signals in the order in which the coordinator let them pass; engines hear of them by deliver().
    void signal(Signal signal) { signals_.push_back(signal); }
    /// The next signal that engine `engine` has not heard of reaches it. False where there is none.
    bool deliver(std::uint32_t engine);
    void request(std::uint32_t engine, std::uint64_t count = 1) { engines_[engine].pending += count; }
    /// Some member does what it can. False where none can do anything.
    bool proceed();
    void run();  ///< Until none can do anything.

    [[nodiscard]] std::uint32_t engine_count() const { return static_cast<std::uint32_t>(engines_.size()); }
    [[nodiscard]] std::size_t signals() const { return signals_.size(); }
    [[nodiscard]] std::uint64_t crossed() const { return barriers_crossed_; }
    [[nodiscard]] std::uint64_t pending() const;
    /// What was violated on the way or is not as `state` demands, a line each; empty where all is well.
    [[nodiscard]] std::string complaints_when(State state);
    /// Shape: [member of the group][turn].
    [[nodiscard]] std::vector<std::vector<TurnTaken>> turns_of(std::uint32_t group) const;
    /// Votes that were complete, by number: [member of the group].
    [[nodiscard]] const std::map<std::uint64_t, std::vector<Votes>>& votes_of(std::uint32_t group) const {
        return groups_[group].votes;
    }
    /// The engine hears of the first signal only in its batch with this number, from 1.
    void deliver_in_batch(std::uint64_t number) { deliver_in_batch_ = number; }

private:
    struct Engine {
        std::uint64_t pending = 0, seen = 0;  ///< Requests; those that were there in the last batch.
        std::size_t heard = 0, taken = 0;     ///< Signals.
        std::vector<Batch> batches;           ///< As its first rank took them; the others get the same.
    };
    struct Group {
        std::map<std::uint64_t, std::vector<Votes>> votes;
        std::uint64_t wake = 0;
    };
    struct Member {
        std::uint32_t group, engine;
        bool source;
        EngineLoop loop;
        Order order;
        bool posted = false;       ///< Order's votes are given, the result is waited for.
        bool outstanding = false;  ///< A vote was posted with a forward.
        std::size_t batches = 0;
        std::vector<TurnTaken> turns;
    };

    bool step(Member& member);
    bool take_batch(Member& member);
    bool count(Member& member);
    bool leave_rest(Member& member);
    bool cross(Member& member);
    void program(Member& member);
    void give(Member& member, const Votes& votes);
    void next(Member& member, const Order& order);
    void complain(const Member& member, const std::string& text);

    WorldShape shape_;
    Dice dice_;
    std::vector<Engine> engines_;
    std::vector<Group> groups_;
    std::vector<Member> members_;
    std::vector<Signal> signals_;
    std::map<std::uint64_t, std::size_t> arrived_;  ///< Members in barrier n.
    std::uint64_t barriers_crossed_ = 0;
    std::uint64_t deliver_in_batch_ = 0;
    std::string complaints_;
};

}  // namespace muster::core::testing
