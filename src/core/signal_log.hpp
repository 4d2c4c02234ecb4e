// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The numbered list of signals that a job has been given, as every member keeps it, and what all agree on after a
/// loss. Intuition: signal n leads through world barrier n and no other, so "n barriers crossed" says which signals are
/// done, the state is a fold of them, and the wanted state is the fold of all: nothing else need survive a coordinator.
/// Errors: as noted. Thread safety: none.

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/codec.hpp"
#include "core/lifecycle.hpp"
#include "muster/lifecycle.hpp"
#include "muster/types.hpp"

namespace muster::core {

using OperationId = Id<struct OperationTag, std::uint64_t>;  ///< A client's own count, from 1.

/// One accepted signal. Two entries may come of one operation (a compound stop: pause, stop).
struct SignalEntry {
    std::uint64_t number = 0;  ///< From 1, without gaps.
    Signal signal = Signal::pause;
    Rank origin;  ///< Whose operation it was.
    OperationId operation;
};

constexpr std::size_t kRecentMax = 16;   ///< Crossed signals that are remembered, for clients that ask again.
constexpr std::size_t kPendingMax = 16;  ///< Accepted signals whose barrier has not been crossed.

/// What one member knows; the same form is what all have agreed on. Takes at most kLifecycleFactsSize bytes encoded.
struct LifecycleFacts {
    std::uint64_t crossed = 0;           ///< Barriers. On a member that crosses none: of which it has heard.
    State state = State::running;        ///< After `crossed` signals: a stable one.
    std::vector<SignalEntry> pending{};  ///< crossed + 1, crossed + 2, ...; at most kPendingMax.
    std::vector<SignalEntry> recent{};   ///< ..., crossed - 1, crossed; at most kRecentMax.
    std::int64_t wave = 0;               ///< Above every wave of any lockstep group that this member has heard of.
};
constexpr std::size_t kLifecycleFactsSize = 8 + 1 + 8 + 2 * 4 + (kRecentMax + kPendingMax) * 21;

void put(Writer& out, const LifecycleFacts& facts);
/// Errors: the reader's, or nonsense (a gap, a transient state, too many): nothing.
[[nodiscard]] std::optional<LifecycleFacts> take_lifecycle(Reader& in);

/// If any crossed, all had arrived, so the most barriers that anybody crossed count; the longest list of signals is
/// everybody's, since each member's is a beginning of it. Transitions that nobody has completed are repeated. What was
/// crossed lately comes along: whoever coordinates next may never have heard of it, and be asked for it again.
[[nodiscard]] LifecycleFacts agree_on_lifecycle(const std::vector<LifecycleFacts>& all);

/// Where the pending signals lead.
[[nodiscard]] State wanted_state(const LifecycleFacts& facts);

class SignalLog {
public:
    /// True where it was the next one; false for a repeat or a gap (nothing changes).
    bool append(const SignalEntry& entry);
    void crossed(std::uint64_t number);  ///< Forgets signals up to there; only ever forwards.
    void adopt(const LifecycleFacts& agreed);
    void raise_wave(std::int64_t wave) { facts_.wave = std::max(facts_.wave, wave); }
    [[nodiscard]] std::uint64_t last() const { return facts_.crossed + facts_.pending.size(); }
    [[nodiscard]] const LifecycleFacts& facts() const { return facts_; }
    /// The last signal that this operation led to; nothing where it led to none that is known here.
    [[nodiscard]] std::optional<SignalEntry> entry_of(Rank origin, OperationId operation) const;
    [[nodiscard]] std::optional<std::uint64_t> number_of(Rank origin, OperationId operation) const;
    /// A later operation of the same client has led to a signal, so some coordinator has judged this one: clients ask
    /// in order.
    [[nodiscard]] bool judged(Rank origin, OperationId operation) const;

private:
    void remember(const SignalEntry& entry);
    LifecycleFacts facts_;
    std::map<Rank, OperationId> newest_;  ///< Per origin: its newest operation that led to a signal.
};

}  // namespace muster::core
