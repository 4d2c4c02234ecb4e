// SPDX-License-Identifier: Apache-2.0
#include "core/replica_seat.hpp"

#include <utility>

namespace muster::core {
namespace {

ReplicaSeatEffects answer(ReplicaAnswer one) { return {AnswerCoordinator{std::move(one)}}; }

std::string number(SeatId seat) { return std::to_string(seat.value); }

}  // namespace

ReplicaSeatEffects ReplicaSeat::prepare(ReplicaSpec spec, const std::string& stays_out) {
    const SeatId seat = spec.seat;
    if (seat_ && *seat_ != seat) return answer(message::ReplicaRefused{seat, "it is in replica " + number(*seat_)});
    if (!stays_out.empty() && seat_ != seat) return answer(message::ReplicaRefused{seat, stays_out, true});
    ready_due_ = true;
    if (spec_ && spec_->seat == seat) return is_prepared_ ? say_where_it_is() : ReplicaSeatEffects{};
    spec_ = std::move(spec);
    is_prepared_ = false;
    return {PrepareEngine{*spec_}};
}

/// The engine thread may be in the middle of it: its answer finds nobody.
void ReplicaSeat::cancel(SeatId seat) {
    if (!spec_ || spec_->seat != seat || seat_ == seat) return;
    spec_.reset();
    is_prepared_ = ready_due_ = false;
}

ReplicaSeatEffects ReplicaSeat::prepared(SeatId seat, const std::optional<std::string>& error) {
    if (!spec_ || spec_->seat != seat || is_prepared_) return {};  // Another is wanted meanwhile, or none.
    if (error) {
        spec_.reset();
        return answer(message::ReplicaRefused{seat, *error});
    }
    is_prepared_ = true;
    return say_where_it_is();
}

ReplicaSeatEffects ReplicaSeat::say_where_it_is() {
    ready_due_ = !works();
    if (works()) return answer(message::ReplicaReady{spec_->seat});
    return answer(message::ReplicaPrepared{spec_->seat});
}

ReplicaSeatEffects ReplicaSeat::taken(Round round) {
    taken_ = round;
    return ready_due_ && works() ? say_where_it_is() : ReplicaSeatEffects{};
}

void ReplicaSeat::entered(Round round, std::optional<SeatId> seat) {
    round_ = round;
    const bool was_seated = seat_.has_value();
    seat_ = seat;
    // Whoever is only prepared stays so. Who was in a replica and is no more has served its time.
    const bool stays = spec_ && (seat ? *seat == spec_->seat : !was_seated);
    if (stays) return;
    spec_.reset();
    is_prepared_ = ready_due_ = false;
}

ReplicaSeatEffects ReplicaSeat::check(SeatId seat, std::uint64_t number) {
    const bool is_here = is_prepared_ && seat_ == seat;
    if (!is_here) return answer(message::ReplicaHealth{seat, number, false});
    return {CheckEngine{seat, number}};
}

ReplicaSeatEffects ReplicaSeat::checked(SeatId seat, std::uint64_t number, bool well) {
    return answer(message::ReplicaHealth{seat, number, well});
}

}  // namespace muster::core
