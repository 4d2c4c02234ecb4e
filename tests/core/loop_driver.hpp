// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One engine's loop with the smallest driver: peers that say what they are told to say.

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "core/engine_loop.hpp"

namespace muster::core::testing {

constexpr inline LoopSettings kOverlapped{.mode = ConsensusMode::overlapped};
constexpr inline LoopSettings kOff{.mode = ConsensusMode::off};

/// What the peers of the group say in a vote; they are always in the same turn.
struct Peers {
    std::int64_t work = 0;
    bool all_pause = true;
};

/// Carries out orders for one engine until the program has its turn, the engine rests, or the loop is over; a barrier
/// is crossed at once. Signals wait in `signals` and are handed out one a batch.
class Driver {
public:
    explicit Driver(LoopSettings settings = {}) : loop(settings) {}

    Order next() {
        Order order = resting_ ? loop.woken() : loop.begin();
        resting_ = false;
        while (!is_answered_by_others(order.kind)) order = answer(order);
        resting_ = order.kind == Order::rest;
        return order;
    }
    Order next(Signal signal) {
        signals.push_back(signal);
        return next();
    }
    /// From the start through a pause.
    void pause() {
        work = 0;
        ASSERT_EQ(next(Signal::pause).kind, Order::rest);
        ASSERT_EQ(loop.lifecycle().state(), State::paused);
    }

    EngineLoop loop;
    std::deque<Signal> signals;
    std::uint64_t work = 0;
    Peers peers;
    std::vector<Order::Kind> seen;  ///< All orders, in order.
    std::vector<Votes> votes;       ///< Given, in order.
    Votes posted{};                 ///< What the next read_vote reads; tests put it here.

private:
    static bool is_answered_by_others(Order::Kind kind) {
        return kind == Order::forward || kind == Order::dummy_forward || kind == Order::suspend ||
               kind == Order::resume || kind == Order::rest || kind == Order::finish || kind == Order::drift;
    }
    Order answer(const Order& order) {
        seen.push_back(order.kind);
        switch (order.kind) {
            case Order::take_batch: {
                Batch batch{.signal = {}, .work = work};
                if (!signals.empty()) {
                    batch.signal = signals.front();
                    signals.pop_front();
                }
                return loop.batch(batch);
            }
            case Order::vote: votes.push_back(order.votes); return loop.counted(result_of(order.votes));
            case Order::read_vote: return loop.counted(result_of(posted));
            case Order::barrier: return loop.crossed();
            default: ADD_FAILURE() << "an order that nobody answers"; return order;
        }
    }
    [[nodiscard]] Votes result_of(const Votes& mine) const {
        return {std::max(mine[0], peers.work), std::max<std::int64_t>(mine[1], peers.all_pause ? -1 : 0), mine[2],
                mine[3]};
    }

    bool resting_ = false;
};

}  // namespace muster::core::testing
