// SPDX-License-Identifier: Apache-2.0
#include "core/signal_log.hpp"

#include <algorithm>

namespace muster::core {

namespace {

void put(Writer& out, const std::vector<SignalEntry>& entries) {
    out.u32(static_cast<std::uint32_t>(entries.size()));
    for (const auto& entry : entries) {
        out.u64(entry.number);
        out.u8(static_cast<std::uint8_t>(entry.signal));
        out.id(entry.origin);
        out.id(entry.operation);
    }
}

/// At most `most` entries without gaps. False where that makes no sense.
bool take(Reader& in, std::size_t most, std::vector<SignalEntry>& entries) {
    entries.resize(std::min(std::size_t{in.count(8 + 1 + 4 + 8)}, most + 1));
    if (!in.ok() || entries.size() > most) return false;
    for (auto& entry : entries) {
        entry.number = in.u64();
        const auto signal = in.u8();
        entry.origin = in.id<Rank>();
        entry.operation = in.id<OperationId>();
        if (!in.ok() || signal >= kSignals || entry.number != entries.front().number + (&entry - entries.data()))
            return false;
        entry.signal = static_cast<Signal>(signal);
    }
    return true;
}

}  // namespace

void put(Writer& out, const LifecycleFacts& facts) {
    out.u64(facts.crossed);
    out.u8(static_cast<std::uint8_t>(facts.state));
    out.u64(static_cast<std::uint64_t>(facts.wave));
    put(out, facts.recent);
    put(out, facts.pending);
}

std::optional<LifecycleFacts> take_lifecycle(Reader& in) {
    LifecycleFacts facts;
    facts.crossed = in.u64();
    const auto state = in.u8();
    if (!in.ok() || state >= kStates || !is_stable(static_cast<State>(state))) return std::nullopt;
    facts.state = static_cast<State>(state);
    facts.wave = static_cast<std::int64_t>(in.u64());
    if (facts.wave < 0) return std::nullopt;
    if (!take(in, kRecentMax, facts.recent) || !take(in, kPendingMax, facts.pending)) return std::nullopt;
    if (!facts.recent.empty() && facts.recent.back().number != facts.crossed) return std::nullopt;
    if (!facts.pending.empty() && facts.pending.front().number != facts.crossed + 1) return std::nullopt;
    return facts;
}

LifecycleFacts agree_on_lifecycle(const std::vector<LifecycleFacts>& all) {
    LifecycleFacts agreed;
    std::uint64_t last = 0;
    for (const auto& facts : all) agreed.wave = std::max(agreed.wave, facts.wave);
    for (const auto& facts : all)
        if (facts.crossed > agreed.crossed) agreed.crossed = facts.crossed;
    for (const auto& facts : all) {
        if (facts.crossed != agreed.crossed) continue;
        agreed.state = facts.state;
        if (facts.recent.size() > agreed.recent.size()) agreed.recent = facts.recent;
    }
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

void SignalLog::remember(const SignalEntry& entry) {
    auto& newest = newest_[entry.origin];
    newest = std::max(newest, entry.operation);
}

bool SignalLog::append(const SignalEntry& entry) {
    if (entry.number != last() + 1 || facts_.pending.size() >= kPendingMax) return false;
    facts_.pending.push_back(entry);
    remember(entry);
    return true;
}

void SignalLog::crossed(std::uint64_t number) {
    auto& [crossed, state, pending, recent, wave] = facts_;
    std::size_t done = 0;
    for (; done < pending.size() && pending[done].number <= number; ++done) {
        state = after(state, pending[done].signal);
        recent.push_back(pending[done]);
    }
    crossed += done;
    pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(done));
    if (recent.size() > kRecentMax)
        recent.erase(recent.begin(), recent.end() - static_cast<std::ptrdiff_t>(kRecentMax));
}

void SignalLog::adopt(const LifecycleFacts& agreed) {
    crossed(agreed.crossed);
    auto recent = std::move(facts_.recent);
    const auto wave = facts_.wave;
    facts_ = agreed;
    raise_wave(wave);
    // Own memory may reach further back.
    if (facts_.crossed > 0 && !recent.empty() && recent.back().number == facts_.crossed &&
        recent.size() > facts_.recent.size())
        facts_.recent = std::move(recent);
    for (const auto* entries : {&facts_.recent, &facts_.pending})
        for (const auto& entry : *entries) remember(entry);
}

std::optional<SignalEntry> SignalLog::entry_of(Rank origin, OperationId operation) const {
    const auto of_operation = [&](const SignalEntry& entry) {
        return entry.origin == origin && entry.operation == operation;
    };
    const auto& pending = facts_.pending;
    const auto waiting = std::find_if(pending.rbegin(), pending.rend(), of_operation);
    if (waiting != pending.rend()) return *waiting;
    const auto& recent = facts_.recent;
    const auto done = std::find_if(recent.rbegin(), recent.rend(), of_operation);
    if (done != recent.rend()) return *done;
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
