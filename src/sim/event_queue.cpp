// SPDX-License-Identifier: Apache-2.0
#include "sim/event_queue.hpp"

#include <bit>

#include "core/assert.hpp"

namespace muster::sim {

void EventQueue::put(const Event& event) {
    const auto bucket = event.at % kSpan;
    wheel_[bucket].push_back(event);
    used_[bucket / 64] |= std::uint64_t{1} << (bucket % 64);
    ++near_;
}

void EventQueue::push(const Event& event) {
    MUSTER_ASSERT(event.at >= now_);
    if (event.at - now_ < kSpan)
        put(event);
    else
        far_.push({order_++, event});
}

/// The earliest tick from now on with something in its bucket. Only called where there is one.
std::uint64_t EventQueue::next_tick() const {
    const auto here = now_ % kSpan;
    for (std::uint64_t step = 0; step <= kSpan / 64; ++step) {
        const auto word = (here / 64 + step) % (kSpan / 64);
        std::uint64_t bits = used_[word];
        if (step == 0) bits &= ~std::uint64_t{0} << (here % 64);
        if (bits == 0) continue;
        const auto bucket = word * 64 + static_cast<std::uint64_t>(std::countr_zero(bits));
        return now_ + (bucket + kSpan - here) % kSpan;
    }
    MUSTER_ASSERT(false);
    return now_;
}

/// Later events come into the wheel before anything new can be arranged for their tick: so their order stays.
void EventQueue::go_to(std::uint64_t tick) {
    now_ = tick;
    taken_ = 0;
    while (!far_.empty() && far_.top().event.at - now_ < kSpan) {
        put(far_.top().event);
        far_.pop();
    }
}

std::optional<Event> EventQueue::pop(std::uint64_t until) {
    for (;;) {
        const auto bucket = now_ % kSpan;
        auto& present = wheel_[bucket];
        if (taken_ < present.size()) {
            if (now_ > until) return std::nullopt;
            --near_;
            return present[taken_++];
        }
        present.clear();
        taken_ = 0;
        used_[bucket / 64] &= ~(std::uint64_t{1} << (bucket % 64));
        const bool nothing = near_ == 0 && far_.empty();
        const auto next = nothing ? until : near_ > 0 ? next_tick() : far_.top().event.at;
        if (nothing || next > until) {
            if (until > now_) go_to(until);
            return std::nullopt;
        }
        go_to(next);
    }
}

}  // namespace muster::sim
