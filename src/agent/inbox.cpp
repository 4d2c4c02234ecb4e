// SPDX-License-Identifier: Apache-2.0
#include "agent/inbox.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace muster::agent {

template <class Change>
void Inbox::bring(Change change) {
    {
        const std::scoped_lock lock(mutex_);
        change();
        news_.fetch_add(1, std::memory_order_release);
    }
    came_.notify_all();
}

std::optional<core::SignalEntry> Inbox::signal_after(std::uint64_t number) const {
    const std::scoped_lock lock(mutex_);
    const auto next = std::find_if(signals_.begin(), signals_.end(),
                                   [number](const core::SignalEntry& entry) { return entry.number > number; });
    return next == signals_.end() ? std::nullopt : std::optional(*next);
}

void Inbox::forget_signals(std::uint64_t up_to) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(signals_, [up_to](const core::SignalEntry& entry) { return entry.number <= up_to; });
}

void Inbox::take_requests(std::vector<Request>& into) {
    const std::scoped_lock lock(mutex_);
    std::move(requests_.begin(), requests_.end(), std::back_inserter(into));
    requests_.clear();
}

bool Inbox::has_requests() const {
    const std::scoped_lock lock(mutex_);
    return !requests_.empty();
}

std::uint64_t Inbox::woken(core::WakeScope scope) const {
    const std::scoped_lock lock(mutex_);
    return woken_[static_cast<std::size_t>(scope)];
}

void Inbox::wait(std::uint64_t seen, std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, wait, [this, seen] { return news_.load(std::memory_order_relaxed) != seen; });
}

void Inbox::give(Out out) {
    {
        const std::scoped_lock lock(mutex_);
        out_.push_back(std::move(out));
    }
    out_waits_.store(true, std::memory_order_release);
    bell_.wake();
}

void Inbox::signal(const core::SignalEntry& entry) {
    bring([&] { signals_.push_back(entry); });
}

void Inbox::request(Request request) {
    bring([&] { requests_.push_back(std::move(request)); });
}

void Inbox::wake(core::WakeScope scope, std::uint64_t number) {
    bring([&] {
        auto& highest = woken_[static_cast<std::size_t>(scope)];
        highest = std::max(highest, number);
    });
}

void Inbox::poke() {
    bring([] {});
}

void Inbox::new_round(bool engine) {
    bring([&] {
        signals_.clear();
        woken_ = {};
        if (!engine) requests_.clear();
    });
}

std::vector<Inbox::Out> Inbox::take_out() {
    if (!out_waits_.exchange(false, std::memory_order_acquire)) return {};
    const std::scoped_lock lock(mutex_);
    return std::exchange(out_, {});
}

}  // namespace muster::agent
