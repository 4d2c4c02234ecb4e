// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The side of a member that becomes part of a replica: gets ready beforehand, and says when it works.
/// Intuition: the coordinator names a replica, the engine thread prepares for it while the others serve on, then a
/// round brings this member into the world. Whoever is there without having been told beforehand (it fills a dead
/// member's place) is told afterwards and prepares before it takes a turn.
///
///     ReplicaPrepare -> PrepareEngine -> prepared() -> ReplicaPrepared ... entered(), taken() -> ReplicaReady
///
/// One replica at a time: a new one takes the place of what was prepared before. A member that sits in a replica
/// prepares for no other. Every order is answered, a repeated one too (a coordinator's successor asks again).
/// Errors: refusals are answers, with the reason. Thread safety: none. Source: prepare and commit of vLLM's elastic
/// resizing (acceptance, "Later versions").

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/replica_message.hpp"

namespace muster::core {

// clang-format off
struct PrepareEngine { ReplicaSpec spec; };                         ///< To the engine thread. Answer with prepared().
struct CheckEngine { SeatId seat; std::uint64_t number = 0; };      ///< The same. Answer with checked().
using ReplicaAnswer = std::variant<message::ReplicaPrepared, message::ReplicaRefused, message::ReplicaReady,
                                   message::ReplicaHealth>;
struct AnswerCoordinator { ReplicaAnswer answer; };                 ///< Whoever coordinates now.
// clang-format on
using ReplicaSeatEffect = std::variant<PrepareEngine, CheckEngine, AnswerCoordinator>;
using ReplicaSeatEffects = std::vector<ReplicaSeatEffect>;

class ReplicaSeat {
public:
    // From the coordinator. `stays_out`: why this member wants to be in no world for now; empty: it does not.
    [[nodiscard]] ReplicaSeatEffects prepare(ReplicaSpec spec, const std::string& stays_out);
    void cancel(SeatId seat);
    [[nodiscard]] ReplicaSeatEffects check(SeatId seat, std::uint64_t number);

    // From the engine thread.
    [[nodiscard]] ReplicaSeatEffects prepared(SeatId seat, const std::optional<std::string>& error);
    [[nodiscard]] ReplicaSeatEffects taken(Round round);  ///< Its turns are in this round now.
    [[nodiscard]] ReplicaSeatEffects checked(SeatId seat, std::uint64_t number, bool well);

    /// A round is complete. `seat`: this member's; nothing on a standby and in an idle group.
    void entered(Round round, std::optional<SeatId> seat);

    [[nodiscard]] const std::optional<ReplicaSpec>& spec() const { return spec_; }  ///< Prepared, or about to be.

private:
    [[nodiscard]] bool works() const { return is_prepared_ && seat_ == spec_->seat && taken_ == round_; }
    [[nodiscard]] ReplicaSeatEffects say_where_it_is();

    std::optional<ReplicaSpec> spec_;
    bool is_prepared_ = false;    ///< Only where there is a spec.
    std::optional<SeatId> seat_;  ///< In this round.
    Round round_, taken_;
    bool ready_due_ = false;  ///< The coordinator waits to hear that this member works.
};

}  // namespace muster::core
