// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Some switchboards with queues between them: a job without MPI, threads or a clock, out of one seed.
/// Intuition: everything that can happen next (a packet arrives, an engine crosses a barrier, an engine replies) is
/// drawn by dice. Engines are the simplest that keep the rules: they cross barrier n once all of the world have heard
/// of signal n. A rebuild loses all packets in flight, lets all agree on the lifecycle and completes the next round in
/// any order; packets of a round wait for a member that has not completed it. Ranks: engines first, then standbys, then
/// clients.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/switchboard.hpp"
#include "support.hpp"

namespace muster::core::testing {

class FakeMembers {
public:
    struct Shape {
        std::uint32_t engines = 4, standbys = 0, clients = 1;
        std::uint32_t group_size = 2;  ///< In engines of one rank.
        std::uint32_t fan_out = 2;
        std::uint64_t seed = 1;
        RouterSettings router{};
        std::size_t followers = 2;
        bool replicas = false;  ///< The first world has one idle group; the other engines are standbys.
        ControllerServerSettings controller{};
    };
    struct Sent {
        Rank from, to;
        std::string kind;
        auto operator<=>(const Sent&) const = default;
    };
    struct Crossed {
        Signal signal;
        Rank origin;
        OperationId operation;
        auto operator<=>(const Crossed&) const = default;
    };
    struct Member {
        std::unique_ptr<Switchboard> board;
        bool alive = true;
        Round round;                               ///< Completed.
        std::vector<SignalEntry> signals;          ///< Of this round, as they arrived.
        std::uint64_t crossed = 0;                 ///< By this engine.
        std::map<std::uint64_t, Crossed> history;  ///< By number.
        std::deque<RequestArrived> in_hand;        ///< Not replied to.
        std::vector<WakeEngine> wakes;
        std::vector<std::string> notes;
        std::vector<SeatWishes> seat_rounds;  ///< Asked for and not had.
        std::deque<PrepareEngine> to_prepare;
        std::deque<CheckEngine> to_check;
        std::set<std::string> cannot_prepare;  ///< Backends that this engine refuses.
        bool is_well = true;
        Round taken;  ///< By the engine.
        std::vector<Whereabouts> whereabouts;
        std::vector<TellPosition> asked_position;
        std::vector<Rank> leavers_heard;
        std::vector<LoadsHeard> loads_heard;
        std::uint32_t connected = 0;
        std::map<OperationId, std::vector<OperationEnded>> operations;  ///< How each ended; more than once is a fault.
        std::map<RequestId, std::vector<RequestEnded>> requests;
        std::map<CallId, std::vector<StoreAnswer>> stored;            ///< How each call on the store ended.
        std::map<CallId, std::vector<message::RegistryTold>> looked;  ///< The same on the registry.
        std::map<CallId, std::vector<message::ControllerTold>> told;  ///< The same on the controller.
    };

    explicit FakeMembers(Shape shape);

    [[nodiscard]] Member& at(std::uint32_t rank) { return members_.at(rank); }
    [[nodiscard]] Switchboard& board(std::uint32_t rank) { return *at(rank).board; }
    [[nodiscard]] const RoundView& view() const { return *view_; }
    [[nodiscard]] std::uint32_t coordinator() const { return view_->coordinator.value; }
    [[nodiscard]] std::uint32_t client(std::uint32_t i = 0) const { return shape_.engines + shape_.standbys + i; }
    [[nodiscard]] bool is_engine(Rank rank) const;
    [[nodiscard]] Dice& dice() { return dice_; }

    void carry_out(std::uint32_t rank, SwitchEffects effects);
    bool step();                                  ///< One thing that can happen. False where there is none.
    void run(std::uint32_t steps);                ///< At most so many.
    void settle();                                ///< Until nothing can happen any more, ticks included.
    void tick(std::uint64_t now_ms = 0);          ///< Everywhere.
    void kill(std::uint32_t rank);                ///< Silently: nothing more comes from or to it.
    void rebuild();                               ///< The next round, of all that live. Standbys fill the holes.
    std::optional<std::vector<Rank>> next_world;  ///< Of the next round, where it shall not be what is left, refilled.
    std::optional<Rank> next_coordinator;         ///< Of the next round, where it shall not be the lowest of the world.
    /// Effects that a test wants to do by hand.
    bool engines_cross = true, engines_reply = true, engines_prepare = true;
    /// The coordinator orders something of a replica. Nobody carries it out unless a test does.
    std::function<void(std::uint32_t rank, const controller::Effect& order)> on_order;
    std::function<void(std::uint32_t rank)> on_crash;  ///< It ordered itself to die (R5).

    /// Looks at each packet before it is handed over; may hand over others.
    std::function<void(Rank from, Rank to, const Bytes& packet)> before_delivery;
    std::vector<Sent> sent;  ///< Everything that was sent, in order.
    [[nodiscard]] std::size_t count(const std::string& kind) const;
    [[nodiscard]] std::uint64_t crossed_by_all() const;

    // What clients do, as one line. Operations and requests are numbered by the harness.
    OperationId ask(std::uint32_t rank, Wanted wanted);
    RequestId submit(std::uint32_t rank, std::uint8_t byte, Target target = {});
    /// How it ended: "" while open, "done", or the error's text; "twice" where it ended more than once.
    [[nodiscard]] std::string outcome(std::uint32_t rank, OperationId operation);
    /// The same; "reply <byte>" for a reply.
    [[nodiscard]] std::string outcome(std::uint32_t rank, RequestId request);

private:
    struct InFlight {
        Round round;
        Bytes packet;
    };
    void next_view();
    [[nodiscard]] std::vector<Rank> next_seats(RoundView& next);
    void engine_can(std::uint32_t rank, std::vector<std::function<void()>>& can);
    void prepare(std::uint32_t rank);
    [[nodiscard]] std::optional<Rank> furthest() const;
    void complete(std::uint32_t rank, const LifecycleFacts& agreed);
    [[nodiscard]] std::vector<std::function<void()>> possible();
    void deliver(Rank from, Rank to);
    void call_off(std::uint32_t rank, const RequestCalledOff& off);
    void cross(std::uint32_t rank);
    void reply(std::uint32_t rank);

    Shape shape_;
    Dice dice_;
    std::vector<Member> members_;
    std::shared_ptr<const RoundView> view_;
    std::vector<core::Member> launch_;
    std::vector<Rank> world_;
    std::map<std::pair<Rank, Rank>, std::deque<InFlight>> in_flight_;
    std::map<std::uint32_t, std::uint64_t> operations_, requests_;
};

}  // namespace muster::core::testing
