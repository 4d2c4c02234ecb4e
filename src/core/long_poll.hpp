// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Who wants to hear of which change: clients say what they have last seen, and are answered once that is old.
/// Intuition: a notice board. Each key has a value and a snapshot id that moves with it; a listener names keys and the
/// ids it knows. Anything outdated is answered at once, otherwise the listener waits for the first change.
///
///     listen({key: id}) -> outdated: answer now            publish()/retire() -> answers whoever waits for that key
///                       -> all current: waits              tick() -> answers with nothing whose time is over
///
/// Shape: a board begins closed: listeners wait, whatever they know, until open() says that its contents are whole, so
/// that a successor never shows an empty or half a map. Ids come from a seed, differ between incarnations, and are
/// never -1: to whoever comes from an older board, or for the first time with -1, everything looks changed.
/// Values are shared, never copied: 10,000 answers hold one value. A change costs as much as the listeners of its key.
/// Units: milliseconds. Errors: a key that is not there is ignored until it is published; but whoever brings an id that
/// a board has given out (they are kIdMin and above) has seen it, and is told that it is gone. A listener that is named
/// again replaces its older call. Thread safety: none. Source: acceptance R17, R18.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/dice.hpp"
#include "core/store_message.hpp"

namespace muster::core {

using ListenerId = Id<struct ListenerTag, std::uint64_t>;
using SnapshotId = std::int64_t;  ///< From kIdMin to below 2^53, so that JSON holds it; -1: has never seen it.
constexpr SnapshotId kIdMin = SnapshotId{1} << 32;
constexpr SnapshotId kNeverSeen = -1;

struct Snapshot {
    SnapshotId id = 0;
    Value value;  ///< Null: the key is gone, and its id is kNeverSeen.
};

struct LongPollAnswer {
    ListenerId listener;
    std::map<std::string, Snapshot> changed;  ///< Empty: its time is over and nothing has changed.
};
using LongPollAnswers = std::vector<LongPollAnswer>;

class LongPoll {
public:
    struct Listen {
        std::map<std::string, SnapshotId> keys;
        std::optional<std::uint64_t> until_ms{};  ///< When it is answered with nothing; nothing: never.
    };
    using Change = std::pair<std::string, Value>;

    /// `seed`: another one for each incarnation.
    explicit LongPoll(std::uint64_t seed) : dice_(seed) {}

    [[nodiscard]] LongPollAnswers listen(ListenerId listener, Listen listen);
    /// Listeners of several of these keys get one answer with all of them. A null value retires its key.
    [[nodiscard]] LongPollAnswers publish(const std::vector<Change>& changes);
    /// The contents are whole from now on; whoever came too early is answered.
    [[nodiscard]] LongPollAnswers open();
    [[nodiscard]] LongPollAnswers tick(std::uint64_t now_ms);
    void forget(ListenerId listener);  ///< The client is gone.

    [[nodiscard]] std::size_t waiting() const { return listeners_.size(); }
    [[nodiscard]] std::optional<SnapshotId> id_of(const std::string& key) const;
    /// Listeners that have been looked at since the beginning: what changes have cost.
    [[nodiscard]] std::uint64_t work() const { return work_; }

private:
    [[nodiscard]] std::map<std::string, Snapshot> outdated(const Listen& listen) const;
    void keep(ListenerId listener, Listen listen);
    void replace(const Change& change);
    void answer(ListenerId listener, LongPollAnswers& out);
    [[nodiscard]] SnapshotId fresh();

    Dice dice_;
    bool open_ = false;
    std::map<std::string, Snapshot> board_;
    std::map<ListenerId, Listen> listeners_;
    std::unordered_map<std::string, std::set<ListenerId>> by_key_;
    std::set<std::pair<std::uint64_t, ListenerId>> by_time_;
    std::uint64_t work_ = 0;
};

}  // namespace muster::core
