// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Keeps what must outlive the coordinator on k other members, before anybody sees an effect of it.
/// Intuition: the coordinator of a round appends entries to a state and copies each to its followers; whatever follows
/// from an entry waits until all followers have it. In the next round the survivors say how far each has come, the one
/// that is furthest hands everything to the new coordinator, and the coordinator to its followers; then it serves.
///
///     complete() -> [whole copy from the source] -> whole copies to the followers -> kept by all -> serving
///     append() -> copy to each follower -> kept by all -> safe
///
/// Promise: what was safe is there as long as one of the coordinator and its followers survives. What was not may be
/// there or not; whoever asked for it asks again.
/// Shape: a position is (term, index): the round in which this member last held the state with its coordinator, and the
/// entries it has folded since the job began. Errors: copies of another round, from others than the coordinator (or its
/// source), and gaps are dropped. Thread safety: none. Source: design.md sections 6.3 and 7.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "core/message.hpp"
#include "core/mirror_position.hpp"
#include "core/placement.hpp"

namespace muster::core {

/// A state that is a fold of its entries.
class Mirrored {
public:
    virtual ~Mirrored() = default;
    /// False, and nothing has changed, where the bytes are no entry.
    [[nodiscard]] virtual bool apply(std::span<const std::byte> entry) = 0;
    [[nodiscard]] virtual Bytes snapshot() const = 0;
    /// Instead of what was there. False, and nothing has changed, where the bytes are no snapshot.
    [[nodiscard]] virtual bool load(std::span<const std::byte> snapshot) = 0;
};

struct MirrorSend {
    Rank to;
    std::variant<message::Copy, message::Kept> message;
};
struct MirrorSafe {};  ///< safe() or serving() have changed.
using MirrorEffect = std::variant<MirrorSend, MirrorSafe>;
using MirrorEffects = std::vector<MirrorEffect>;

class Mirror {
public:
    /// `state` must outlive it. `restored`: where a journal has brought it to (core/journal).
    Mirror(Rank self, Mirrored& state, MirrorPosition restored = {})
        : self_(self), state_(state), position_(restored) {}

    /// A round is complete. `source`: who holds the furthest state; nothing where nobody holds any.
    [[nodiscard]] MirrorEffects complete(Round round, Rank coordinator, std::vector<Rank> followers,
                                         std::optional<Rank> source);
    [[nodiscard]] MirrorEffects append(Bytes entry);  ///< Folded at once. Only while serving().
    [[nodiscard]] MirrorEffects received(Rank from, message::Copy copy);
    [[nodiscard]] MirrorEffects received(Rank from, message::Kept kept);

    [[nodiscard]] const MirrorPosition& position() const { return position_; }
    [[nodiscard]] bool serving() const { return serving_; }     ///< This member coordinates and has the whole state.
    [[nodiscard]] std::uint64_t safe() const { return safe_; }  ///< Entries that all followers have.

private:
    [[nodiscard]] message::Copy whole() const;
    void take_the_chair(MirrorEffects& out);
    void count(MirrorEffects& out);

    Rank self_;
    Mirrored& state_;
    MirrorPosition position_;
    Round round_;
    Rank coordinator_;
    std::optional<Rank> source_;                         ///< On a coordinator that waits for its copy.
    std::map<Rank, std::optional<std::uint64_t>> kept_;  ///< On the coordinator: what each follower has.
    bool serving_ = false;
    std::uint64_t safe_ = 0;
};

/// `count` members that keep copies for the coordinator: of the world first, on nodes of their own as far as there are
/// any. `outside`: standbys.
[[nodiscard]] std::vector<Rank> followers_of(Rank coordinator, const std::vector<Rank>& world,
                                             const std::vector<Rank>& outside, const std::vector<Member>& launch,
                                             std::size_t count);

}  // namespace muster::core
