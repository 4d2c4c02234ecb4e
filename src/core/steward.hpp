// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The coordinator's hand for replicas: carries out what the controller wants of them, and reports what became of it.
/// Intuition: members get ready while the world serves on; only when all of a replica are, one round brings it in. So
/// whatever fails before the round leaves the world as it is.
///
///     start -> waiting -> preparing -> prepared -> (round) committing -> entering -> serving     = started
///                \____________\___________\_______________\____________\_-> rolled back             = start_failed
///     stop  -> draining -> leaving -> (round) -> out of the world                               = gone
///
/// Waiting: there are no members for it yet. Entering: it is in the world, and not all of its members work in it yet;
/// so too when a member was replaced by a standby, which is told what the replica is. One round at a time, for all
/// that are due; who is due waits a moment for others that are about to be. A replica that is missing in a new round is
/// reported gone. A seat that nobody has asked for (left by an earlier coordinator whose call was never safe) is given
/// back.
/// Every start ends: by a no, by a death, by its round, or at the deadline. Every stop ends with its grace time.
/// Shape: kept on all members, so that a successor knows who has been in which replica all the time; works on the
/// coordinator only. Units: milliseconds, members. Errors: what is not known, not asked for or late is dropped.
/// Thread safety: none. Source: design.md sections 1 and 6; prepare and commit of vLLM's elastic resizing.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/controller.hpp"
#include "core/replica_message.hpp"
#include "core/seat.hpp"

namespace muster::core {

struct StewardSettings {
    std::uint32_t unit = 1;                  ///< Members of a replica.
    std::uint64_t start_limit_ms = 100'000;  ///< From the start until it serves. Below the controller's own limit.
    std::uint64_t gather_ms = 100;           ///< Who is due waits so long for others.
};

/// A complete round as the steward sees it.
struct SeatedWorld {
    Round round;
    std::map<SeatId, std::vector<Rank>> seats{};  ///< Members of each replica, by slot.
    std::vector<std::vector<Rank>> idle{};        ///< Groups without one, by number.
    std::vector<Rank> standbys{};                 ///< Ascending.
};

using MemberOrder = std::variant<message::ReplicaPrepare, message::ReplicaCancel, message::ReplicaCheck>;
struct OrderMember {
    Rank to;
    MemberOrder order;
};
struct ReplicasChanged {};  ///< replicas() says something else.
/// In order. Reports are for the controller.
using StewardEffect =
    std::variant<OrderMember, SeatWishes, ReplicasChanged, controller::ReplicaReport, controller::Warn>;
using StewardEffects = std::vector<StewardEffect>;

class Steward {
public:
    explicit Steward(const StewardSettings& settings) : settings_(settings) {}

    /// On every member. `coordinates`: this one does, and has its own way from here on.
    [[nodiscard]] StewardEffects completed(SeatedWorld world, bool coordinates, std::uint64_t now_ms);

    // From the controller. Any of them may be repeated.
    [[nodiscard]] StewardEffects start(ReplicaSpec spec, std::uint64_t now_ms);
    /// Should be there, from an earlier coordinator's time. `is_known`: its config is; else nobody can be told.
    [[nodiscard]] StewardEffects attach(ReplicaSpec spec, bool is_known, std::uint64_t now_ms);
    /// Seats of the world that the controller has not spoken of: it may still do so, or know nothing of them.
    [[nodiscard]] std::vector<SeatId> strangers() const;
    void give_back(SeatId stranger, std::uint64_t now_ms);  ///< The controller knows nothing of it.
    /// Drains, at most so long. 0: at once.
    [[nodiscard]] StewardEffects stop(const controller::ReplicaName& name, std::uint64_t grace_ms,
                                      std::uint64_t now_ms);
    [[nodiscard]] StewardEffects check(const controller::ReplicaName& name);

    // From members.
    [[nodiscard]] StewardEffects heard(Rank from, const message::ReplicaPrepared& prepared, std::uint64_t now_ms);
    [[nodiscard]] StewardEffects heard(Rank from, const message::ReplicaRefused& refused, std::uint64_t now_ms);
    [[nodiscard]] StewardEffects heard(Rank from, const message::ReplicaReady& ready, std::uint64_t now_ms);
    [[nodiscard]] StewardEffects heard(Rank from, const message::ReplicaHealth& health, std::uint64_t now_ms);

    /// Deadlines, and the round that is due. `drained`: those of draining() that have no request any more.
    [[nodiscard]] StewardEffects tick(std::uint64_t now_ms, const std::set<SeatId>& drained = {});

    struct Serving {
        SeatId seat;
        std::string backend;
        std::vector<Rank> members;  ///< By slot.
        bool takes = true;          ///< New requests.
    };
    [[nodiscard]] std::vector<Serving> replicas() const;  ///< Those that have requests, or may get some.
    [[nodiscard]] std::vector<Serving> draining() const;
    /// Replicas that there can be in all: groups of the world, and those that standbys would make.
    [[nodiscard]] std::uint32_t capacity() const;

private:
    enum class Phase : std::uint8_t { waiting, preparing, prepared, committing, entering, serving, draining, leaving };
    struct Replica {
        ReplicaSpec spec;
        Phase phase = Phase::waiting;
        std::vector<Rank> members{};
        std::set<Rank> ready{};      ///< Of these who has prepared, and once it is in the world who works.
        bool is_known = true;        ///< What it is to be.
        bool started = false;        ///< Has been reported so, or was attached.
        bool failed = false;         ///< To be reported as a start that failed.
        bool reports = true;         ///< The controller knows of it.
        std::uint64_t until_ms = 0;  ///< The start's deadline, or the grace time's.
        std::uint64_t due_ms = 0;    ///< Since when it waits for a round.
        bool again = false;          ///< A round has come and has not taken it out.
        bool stops = false;          ///< Is to go as soon as its round is there.
        std::uint64_t check = 0;     ///< Number of the open one; 0: none.
        std::set<Rank> unheard{};    ///< Of the open check.
    };
    using Replicas = std::map<SeatId, Replica>;

    // steward.cpp: the controller's wishes, the members' words.
    [[nodiscard]] Replica* find(SeatId seat);
    Replica& adopt(ReplicaSpec spec, std::vector<Rank> members, std::uint64_t now_ms);
    void order_all(const Replica& replica, StewardEffects& out) const;
    void order(Rank to, const Replica& replica, StewardEffects& out) const;
    void cancel(const Replica& replica, const std::vector<Rank>& members, StewardEffects& out) const;
    void report(const Replica& replica, controller::ReplicaReport::Kind kind, StewardEffects& out) const;
    void roll_back(SeatId seat, const std::string& why, std::uint64_t now_ms, StewardEffects& out);
    void leave(Replica& replica, std::uint64_t now_ms, StewardEffects& out) const;
    void serve_if_ready(Replica& replica, StewardEffects& out) const;

    // steward_rounds.cpp: who is chosen, what a round brings, when one is due.
    void choose(StewardEffects& out);
    [[nodiscard]] std::vector<Rank> free_members() const;
    [[nodiscard]] std::set<Rank> taken() const;
    void trust(const SeatedWorld& world);
    void enter(Replica& replica, const std::vector<Rank>& members, std::uint64_t now_ms, StewardEffects& out);
    [[nodiscard]] bool follow(Replica& replica, std::uint64_t now_ms, StewardEffects& out);
    void expire(std::uint64_t now_ms, const std::set<SeatId>& drained, StewardEffects& out);
    void ask_for_round(std::uint64_t now_ms, StewardEffects& out);

    StewardSettings settings_;
    SeatedWorld world_;
    /// Who has been in each replica of the world since it was first seen there.
    std::map<SeatId, std::vector<Rank>> trusted_;

    // On the coordinator. Emptied elsewhere.
    Replicas replicas_;
    std::set<Rank> out_;  ///< Stay out of the world, until the next round.
    bool coordinates_ = false;
    std::optional<std::uint64_t> asked_ms_;  ///< A round with wishes is on its way since then.
    std::uint64_t checks_ = 0;
};

}  // namespace muster::core
