// SPDX-License-Identifier: Apache-2.0
#include "core/signal_log.hpp"

#include <algorithm>

namespace muster::core {

void put(Writer& out, const LifecycleFacts& facts) {
    out.u64(facts.crossed);
    out.u8(static_cast<std::uint8_t>(facts.state));
    out.u32(static_cast<std::uint32_t>(facts.pending.size()));
    for (const auto& entry : facts.pending) {
        out.u64(entry.number);
        out.u8(static_cast<std::uint8_t>(entry.signal));
        out.id(entry.origin);
        out.id(entry.operation);
    }
}

std::optional<LifecycleFacts> take_lifecycle(Reader& in) {
    LifecycleFacts facts;
    facts.crossed = in.u64();
    const auto state = in.u8();
    const auto count = in.count(8 + 1 + 4 + 8);
    if (!in.ok() || state >= kStates || !is_stable(static_cast<State>(state)) || count > kPendingMax)
        return std::nullopt;
    facts.state = static_cast<State>(state);
    for (std::uint32_t i = 0; i < count; ++i) {
        SignalEntry entry;
        entry.number = in.u64();
        const auto signal = in.u8();
        entry.origin = in.id<Rank>();
        entry.operation = in.id<OperationId>();
        if (!in.ok() || signal >= kSignals || entry.number != facts.crossed + 1 + i) return std::nullopt;
        entry.signal = static_cast<Signal>(signal);
        facts.pending.push_back(entry);
    }
    return facts;
}

LifecycleFacts agree_on_lifecycle(const std::vector<LifecycleFacts>& all) {
    LifecycleFacts agreed;
    std::uint64_t last = 0;
    for (const auto& facts : all)
        if (facts.crossed > agreed.crossed) agreed.crossed = facts.crossed;
    for (const auto& facts : all)
        if (facts.crossed == agreed.crossed) agreed.state = facts.state;
    for (const auto& facts : all) {
        if (facts.crossed + facts.pending.size() <= last) continue;
        last = facts.crossed + facts.pending.size();
        agreed.pending.clear();
        for (const auto& entry : facts.pending)
            if (entry.number > agreed.crossed) agreed.pending.push_back(entry);
    }
    return agreed;
}

State wanted_state(const LifecycleFacts& facts) {
    State state = facts.state;
    for (const auto& entry : facts.pending) state = after(state, entry.signal);
    return state;
}

bool SignalLog::append(const SignalEntry& entry) {
    if (entry.number != last() + 1 || facts_.pending.size() >= kPendingMax) return false;
    facts_.pending.push_back(entry);
    auto& newest = newest_[entry.origin];
    newest = std::max(newest, entry.operation);
    return true;
}

void SignalLog::crossed(std::uint64_t number) {
    std::size_t done = 0;
    for (; done < facts_.pending.size() && facts_.pending[done].number <= number; ++done) {
        facts_.state = after(facts_.state, facts_.pending[done].signal);
        recent_.push_back(facts_.pending[done]);
    }
    facts_.crossed += done;
    facts_.pending.erase(facts_.pending.begin(), facts_.pending.begin() + static_cast<std::ptrdiff_t>(done));
    if (recent_.size() > kRecentMax)
        recent_.erase(recent_.begin(), recent_.end() - static_cast<std::ptrdiff_t>(kRecentMax));
}

void SignalLog::adopt(const LifecycleFacts& agreed) {
    crossed(agreed.crossed);  // Remembers what others have crossed; what only this member had is pending again.
    facts_ = agreed;
    for (const auto& entry : facts_.pending) {
        auto& newest = newest_[entry.origin];
        newest = std::max(newest, entry.operation);
    }
}

std::optional<SignalEntry> SignalLog::entry_of(Rank origin, OperationId operation) const {
    const auto of_operation = [&](const SignalEntry& entry) {
        return entry.origin == origin && entry.operation == operation;
    };
    const auto& pending = facts_.pending;
    const auto waiting = std::find_if(pending.rbegin(), pending.rend(), of_operation);
    if (waiting != pending.rend()) return *waiting;
    const auto done = std::find_if(recent_.rbegin(), recent_.rend(), of_operation);
    if (done != recent_.rend()) return *done;
    return std::nullopt;
}

std::optional<std::uint64_t> SignalLog::number_of(Rank origin, OperationId operation) const {
    const auto entry = entry_of(origin, operation);
    return entry ? std::optional(entry->number) : std::nullopt;
}

bool SignalLog::judged(Rank origin, OperationId operation) const {
    const auto newest = newest_.find(origin);
    return newest != newest_.end() && operation < newest->second;
}

}  // namespace muster::core
