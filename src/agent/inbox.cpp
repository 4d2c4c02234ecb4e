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
    taken_ += requests_.size();
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
    bool first = false;
    {
        const std::scoped_lock lock(mutex_);
        first = out_.empty();  // Else the agent has been rung up and has not looked yet.
        out_.push_back(std::move(out));
    }
    out_waits_.store(true, std::memory_order_release);
    if (first) bell_.wake();
}

void Inbox::say_load(Load load) {
    const std::scoped_lock lock(mutex_);
    const auto on_the_way =
        std::count_if(out_.begin(), out_.end(), [](const Out& out) { return std::holds_alternative<Answer>(out); });
    said_ = Said{std::move(load), taken_, answered_ + static_cast<std::uint64_t>(on_the_way)};
}

bool Inbox::call_off(Rank client, RequestId id) {
    const std::scoped_lock lock(mutex_);
    const auto waits = std::find_if(requests_.begin(), requests_.end(), [&](const Request& request) {
        return request.client == client && request.id == id;
    });
    if (waits == requests_.end()) {
        called_off_.insert({client, id});
        return false;
    }
    requests_.erase(waits);
    ++taken_;
    return true;
}

bool Inbox::is_called_off(Rank client, RequestId id) const {
    const std::scoped_lock lock(mutex_);
    return called_off_.contains({client, id});
}

core::EngineSays Inbox::says(std::uint64_t open) const {
    const auto wave = whereabouts.wave.load(std::memory_order_relaxed);
    core::EngineSays says{.wave = core::Wave{wave / 2}, .awake = wave % 2 == 1};
    says.at = {says.wave.value, static_cast<std::int64_t>(whereabouts.vote.load(std::memory_order_relaxed))};
    const std::scoped_lock lock(mutex_);
    auto waiting = std::min<std::uint64_t>(requests_.size(), open);
    auto running = open - waiting;
    if (said_) {
        const auto come = taken_ + requests_.size() - said_->come,
                   gone = answered_ - std::min(answered_, said_->answered);
        waiting = said_->load.waiting + std::min(come, open);
        running = said_->load.running;
        // What was answered is taken off where it is; which of the two it was nobody said.
        const auto off = std::min(gone, running);
        running -= off;
        waiting -= std::min(gone - off, waiting);
        says.capacity = said_->load.capacity;
        says.load.gauges = said_->load.gauges;
    }
    says.load.waiting = static_cast<std::int64_t>(waiting);
    says.load.running = static_cast<std::int64_t>(running);
    return says;
}

void Inbox::signal(const core::SignalEntry& entry) {
    bring([&] { signals_.push_back(entry); });
}

void Inbox::request(Request request) {
    const std::scoped_lock lock(mutex_);
    requests_.push_back(std::move(request));
    news_.fetch_add(1, std::memory_order_release);
    untold_ = true;
}

void Inbox::tell() {
    if (std::exchange(untold_, false)) came_.notify_all();
}

void Inbox::chore(Chore chore) {
    bring([&] {
        chores_.push_back(std::move(chore));
        chores_wait_.store(true, std::memory_order_release);
    });
}

std::vector<Inbox::Chore> Inbox::take_chores() {
    if (!has_chores()) return {};
    const std::scoped_lock lock(mutex_);
    chores_wait_.store(false, std::memory_order_release);
    return std::exchange(chores_, {});
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
        if (engine) return;
        taken_ += requests_.size();
        requests_.clear();
        said_.reset();
        called_off_.clear();
    });
}

std::vector<Inbox::Out> Inbox::take_out() {
    if (!out_waits_.exchange(false, std::memory_order_acquire)) return {};
    const std::scoped_lock lock(mutex_);
    for (const auto& out : out_) {
        const auto* answer = std::get_if<Answer>(&out);
        if (answer == nullptr) continue;
        ++answered_;
        if (!called_off_.empty()) called_off_.erase({answer->client, answer->id});
    }
    return std::exchange(out_, {});
}

}  // namespace muster::agent
