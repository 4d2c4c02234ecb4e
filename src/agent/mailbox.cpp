// SPDX-License-Identifier: Apache-2.0
#include "agent/mailbox.hpp"

#include <algorithm>

#include "mpi/ulfm.hpp"

namespace muster::agent {

std::shared_ptr<const Handover> Mailbox::take(std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    // A round that broke before it was taken is passed over: the next one will come with it in `missed`.
    engine_waits_.store(true, std::memory_order_release);
    const auto given = [this] { return next_ != nullptr && !broken_; };
    given_.wait_for(lock, wait, [&] { return given() || nudged_; });
    engine_waits_.store(false, std::memory_order_release);
    nudged_ = false;
    if (!given()) return nullptr;
    ledger.thaw(next_->plan.step);
    crossings.thaw(next_->plan.lifecycle.crossed);
    interrupted_.store(next_->ending.has_value(), std::memory_order_release);
    return std::exchange(next_, nullptr);
}

void Mailbox::nudge() {
    const std::scoped_lock lock(mutex_);
    nudged_ = true;
    given_.notify_all();
}

void Mailbox::retire(std::shared_ptr<const Handover> old) {
    if (!old) return;
    {
        const std::scoped_lock lock(mutex_);
        retired_.push_back(std::move(old));
    }
    bell_.wake();
}

void Mailbox::track(MPI_Comm comm) {
    const std::scoped_lock lock(mutex_);
    tracked_.push_back(comm);
    if (broken_) MPIX_Comm_revoke(comm);
}

void Mailbox::untrack(MPI_Comm comm) {
    const std::scoped_lock lock(mutex_);
    std::erase(tracked_, comm);
}

void Mailbox::forget_tracked() {
    const std::scoped_lock lock(mutex_);
    tracked_.clear();
}

void Mailbox::committed(Step step, Clock::time_point now) {
    last_step_ = step.value;
    const auto count = now.time_since_epoch().count();
    last_commit_.store(count, std::memory_order_relaxed);
    if (first_commit_.load(std::memory_order_relaxed) != 0) return;
    first_commit_.store(count, std::memory_order_relaxed);
    bell_.wake();
}

void Mailbox::complain() {
    // The next turn waits for a new round; where one is on its way already there is nothing to complain about.
    if (interrupted_.exchange(true, std::memory_order_acq_rel)) return;
    complaint_ = true;
    bell_.wake();
}

void Mailbox::look_for_missing(const char* what, std::uint64_t waited_ms, bool fatal) {
    {
        const std::scoped_lock lock(mutex_);
        missing_ = {"waited " + std::to_string(waited_ms) + " ms for " + what, fatal};
    }
    bell_.wake();
}

std::optional<Mailbox::Missing> Mailbox::take_missing() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(missing_, std::nullopt);
}

void Mailbox::leave() {
    leaving_ = true;
    bell_.wake();
}

void Mailbox::wish(core::Wish wish) {
    {
        const std::scoped_lock lock(mutex_);
        if (!wish_) wish_ = std::move(wish);
    }
    wished_ = true;
    bell_.wake();
}

void Mailbox::ask_for_round() {
    {
        const std::scoped_lock lock(mutex_);
        if (next_ && !broken_) return;
        asked_ = true;
    }
    bell_.wake();
}

void Mailbox::park(bool on) {
    {
        const std::scoped_lock lock(mutex_);
        if (parked_.exchange(on) == on) return;
        asked_ = true;
    }
    bell_.wake();
}

void Mailbox::close() {
    {
        const std::scoped_lock lock(mutex_);
        if (closes_.exchange(true)) return;
        asked_ = true;
    }
    bell_.wake();
}

void Mailbox::want_seats(const core::SeatWishes& more) {
    {
        const std::scoped_lock lock(mutex_);
        seats_.seat.insert(seats_.seat.end(), more.seat.begin(), more.seat.end());
        seats_.unseat.insert(seats_.unseat.end(), more.unseat.begin(), more.unseat.end());
        asked_ = true;
    }
    bell_.wake();
}

core::SeatWishes Mailbox::seat_wishes() const {
    const std::scoped_lock lock(mutex_);
    auto wishes = seats_;
    for (auto* seats : {&wishes.seat, &wishes.unseat}) seats->resize(std::min(seats->size(), core::kSeatsMax));
    return wishes;
}

void Mailbox::seats_settled(const core::SeatWishes& told, bool drop) {
    {
        const std::scoped_lock lock(mutex_);
        if (drop) seats_ = {};
        const auto settle = [](std::vector<core::SeatId>& seats, const std::vector<core::SeatId>& done) {
            seats.erase(seats.begin(),
                        seats.begin() + static_cast<std::ptrdiff_t>(std::min(seats.size(), done.size())));
        };
        settle(seats_.seat, told.seat);
        settle(seats_.unseat, told.unseat);
        if (seats_.empty()) return;
        asked_ = true;
    }
    bell_.wake();
}

void Mailbox::ask_again_unless(bool told_parked, bool told_close) {
    {
        const std::scoped_lock lock(mutex_);
        if (parked_ == told_parked && closes_ == told_close) return;
        asked_ = true;
    }
    bell_.wake();
}

void Mailbox::go(std::string why) {
    {
        const std::scoped_lock lock(mutex_);
        going_ = std::move(why);
    }
    leave();
}

std::string Mailbox::going() const {
    if (!leaving()) return {};
    const std::scoped_lock lock(mutex_);
    return going_;
}

void Mailbox::interrupt() {
    const std::scoped_lock lock(mutex_);
    broken_ = true;
    complaint_ = false;
    interrupted_.store(true, std::memory_order_release);
}

void Mailbox::revoke_tracked() {
    const std::scoped_lock lock(mutex_);
    for (const MPI_Comm comm : tracked_) MPIX_Comm_revoke(comm);
}

void Mailbox::give(std::shared_ptr<Handover> handover) {
    const std::scoped_lock lock(mutex_);
    if (next_) {
        handover->missed = next_->missed;
        handover->missed.push_back(std::move(next_));
    }
    next_ = std::move(handover);
    broken_ = asked_ = false;
    first_commit_ = 0;
    given_.notify_all();
}

void Mailbox::free_retired() {
    std::vector<std::shared_ptr<const Handover>> old;
    const std::scoped_lock lock(mutex_);
    old.swap(retired_);
}

std::optional<core::Wish> Mailbox::wish() const {
    const std::scoped_lock lock(mutex_);
    return wish_;
}

}  // namespace muster::agent
