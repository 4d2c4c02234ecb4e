// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The coordinator's side of the store: takes calls, answers them, and says what followers are to fold.
/// Intuition: a call that can be answered now is; one that waits for keys, or for its round to be complete, stays open
/// until a change, a round or its deadline ends it. Exactly one answer for each call, in any case by its deadline.
/// Order: effects are to be carried out in order. Each change is mirrored before any answer that depends on it;
/// StoreReply::after says how many entries of the round followers must have before the answer may leave.
/// Fence: a call names its client's round. One of an older round is refused by name, whatever it asks for; one of a
/// round that is not complete here waits until it is. A round begins with an empty store.
/// Repeats: a call that was done is answered again from memory; one that is open stays open; one whose answer the
/// client has said to have is dropped. Waits are answered when all of their keys are there at the same moment.
/// Cost: a change looks at the open calls that name its key, a tick at those that are due, nobody at all of them but a
/// new round. examined() counts, for tests.
/// Errors: refused and timed_out, as answers; the texts name the keys. Units: milliseconds of any clock that never
/// goes back; bytes. Thread safety: none. Source: torch.distributed's Store; where ours differs: DESIGN.md, "Store".

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/store_message.hpp"
#include "core/store_state.hpp"

namespace muster::core {

struct StoreMirror {
    StoreEntry entry;  ///< To all followers.
};
struct StoreReply {
    Rank client;
    CallId id;
    StoreAnswer answer;
    std::uint64_t after = 0;  ///< Entries of the present round that followers must have first.
};
using StoreEffect = std::variant<StoreMirror, StoreReply>;
using StoreEffects = std::vector<StoreEffect>;

class StoreServer {
public:
    /// `state`: what this member has folded as a follower, where it takes over.
    StoreServer(const StoreSettings& settings, StoreState state) : settings_(settings), state_(std::move(state)) {}
    explicit StoreServer(const StoreSettings& settings) : StoreServer(settings, StoreState(settings)) {}

    [[nodiscard]] StoreEffects call(Rank client, StoreCall call, std::uint64_t now_ms);
    [[nodiscard]] StoreEffects tick(std::uint64_t now_ms);
    /// `round` is complete and this member serves it. A later round than the store's begins with an empty one; the same
    /// round goes on with what was folded. `members`: ascending; nobody else is answered. Rounds never go back.
    [[nodiscard]] StoreEffects complete(Round round, std::vector<Rank> members);
    /// A member is gone before the next round says so: its open calls and what was remembered for it are dropped.
    [[nodiscard]] StoreEffects gone(Rank client);

    [[nodiscard]] const StoreState& state() const { return state_; }
    [[nodiscard]] std::size_t open_calls() const { return open_.size(); }
    [[nodiscard]] std::size_t open_bytes() const { return open_bytes_; }
    [[nodiscard]] std::uint64_t examined() const { return examined_; }  ///< Open calls looked at since the beginning.
    /// Of the earliest open call; nothing where none is open. No tick is needed before.
    [[nodiscard]] std::optional<std::uint64_t> next_deadline_ms() const;

private:
    struct Open {
        Rank client;
        StoreCall call;
        std::uint64_t deadline_ms = 0;
        std::uint64_t bytes = 0;
        std::size_t missing = 0;  ///< Keys that are not there. 0 while held.
        bool held = false;        ///< For a round that is not complete here; not in waiting_.
    };
    using Number = std::uint64_t;  ///< Open calls in the order in which they came.

    void advance(std::uint64_t now_ms, StoreEffects& out);
    void serve(Rank client, StoreCall call, std::uint64_t deadline_ms, StoreEffects& out);
    void execute(Rank client, StoreCall& call, StoreEffects& out);
    void look_up(Rank client, StoreCall call, std::uint64_t deadline_ms, StoreEffects& out);
    void enter(StoreEntry entry, StoreEffects& out);
    void appeared(const std::string& key, StoreEffects& out);
    void vanished(const std::string& key);
    void keep_open(Open open, StoreEffects& out);
    Open close(Number number);
    void reply(Rank client, CallId id, StoreAnswer answer, StoreEffects& out) const;
    void refuse(Rank client, CallId id, std::string text, StoreEffects& out) const;
    [[nodiscard]] bool is_member(Rank client) const;
    [[nodiscard]] StoreAnswer found(const StoreOperation& operation) const;
    [[nodiscard]] std::vector<std::string> missing_of(const Open& open) const;
    [[nodiscard]] std::string late(const Open& open) const;

    StoreSettings settings_;
    StoreState state_;
    bool serving_ = false;       ///< state_.round() is complete and served here.
    std::vector<Rank> members_;  ///< Ascending.
    std::uint64_t now_ms_ = 0;

    Number numbers_ = 0;
    std::map<Number, Open> open_;
    std::map<std::pair<Rank, CallId>, Number> by_call_;
    std::set<std::pair<std::uint64_t, Number>> by_deadline_;
    std::unordered_map<std::string, std::set<Number>> waiting_;  ///< By each key that they name, there or not.
    std::size_t open_bytes_ = 0;
    std::uint64_t examined_ = 0;
};

}  // namespace muster::core
