// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What will happen when, in order of time and, within one tick, in the order in which it was arranged.
/// Intuition: nearly everything happens within a few thousand ticks, so those lie in a wheel with a bucket per tick and
/// cost no comparison; the few later ones wait in a heap until they come within reach.
/// Invariant: nothing is arranged before the present tick. Thread safety: none.

#include <array>
#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

namespace muster::sim {

/// What can happen to a member. The meaning of `payload` is beside each.
enum class Happening : std::uint8_t {
    packet,         ///< Index of the packet.
    notice,         ///< Index of the pool that is broken.
    agent_goes_on,  ///< The next effect of the recovery is due.
    agent_hears,    ///< Index of the input that answers the last effect.
    mail,           ///< The agent looks at what engine and client of its process have for it.
    tick,           ///< The agent's clock.
    engine_begins,  ///< A round is to be taken over.
    engine_looks,   ///< Something has come while it rested.
    batch_there,    ///< Its engine's source has published a batch.
    vote_counted,   ///< Number of the vote.
    forward_done,
    hooks_done,
    barrier_crossed,  ///< Number of the barrier within the round's communicator.
    client_acts,
    client_bursts,  ///< It hands in many requests, then none for a while.
    client_aborts,  ///< Number of the request.
    program_calls,  ///< The member's program uses the round's store, or the job's registry.
    program_wishes,
    program_seats,     ///< Where it coordinates, it wants replicas to come and go.
    program_orders,    ///< It calls the controller.
    program_listens,   ///< Again, since it was told something.
    replica_prepared,  ///< Number of the replica.
    call_due,          ///< Number of the call.
    wakes,             ///< Epoch: number of the hang.
    evicted,           ///< Epoch: number of the hang.
    inspection,        ///< No member: the world looks at itself.
};

struct Event {
    std::uint64_t at = 0;
    std::uint32_t member = 0;
    std::uint32_t epoch = 0;  ///< Of the member's engine, agent or hang; an older one's events are void.
    std::uint32_t payload = 0;
    Happening what = Happening::inspection;
};

class EventQueue {
public:
    EventQueue() : wheel_(kSpan) {}
    void push(const Event& event);
    /// The next one not after `until`; nothing, and the present is `until`, where there is none.
    [[nodiscard]] std::optional<Event> pop(std::uint64_t until);
    [[nodiscard]] std::uint64_t now() const { return now_; }
    [[nodiscard]] std::size_t size() const { return near_ + far_.size(); }

private:
    static constexpr std::uint64_t kSpan = 4096;
    struct Far {
        std::uint64_t order;
        Event event;
        bool operator<(const Far& other) const {  // std::priority_queue has the greatest on top.
            return event.at != other.event.at ? event.at > other.event.at : order > other.order;
        }
    };
    void go_to(std::uint64_t tick);
    [[nodiscard]] std::uint64_t next_tick() const;
    void put(const Event& event);

    std::vector<std::vector<Event>> wheel_;         ///< Shape: one per tick of the span, by at % kSpan.
    std::array<std::uint64_t, kSpan / 64> used_{};  ///< Bit per bucket that is not empty.
    std::size_t taken_ = 0;                         ///< Of the present tick's bucket.
    std::size_t near_ = 0;
    std::uint64_t now_ = 0, order_ = 0;
    std::priority_queue<Far> far_;
};

}  // namespace muster::sim
