// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a state has come through, as records that can be folded again: the mirrored state's journal, without a file.
/// Intuition: a term begins when a coordinator takes the chair, each change is an entry, and a snapshot stands for all
/// that went before it. Whoever starts anew folds the last snapshot and the entries behind it. Of several journals the
/// best one counts: of the highest term the longest.
/// Shape: a position is (term, index) as in core/mirror; begins at (0, 0), which is no term. A record is
///   term      index stays, the term is higher; no bytes
///   entry     index + 1, in the term that has begun
///   snapshot  not behind what is there; in a higher term its index may be lower: what no follower had is given up
/// Errors: a record that does not follow is refused in words and nothing has changed. Thread safety: none.
/// Source: design.md sections 6.3 and 7.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/codec.hpp"
#include "core/mirror.hpp"

namespace muster::core {

/// What the bytes of a record are; the choice of whoever writes them. 0: not told.
using JournalKind = Id<struct JournalKindTag, std::uint16_t>;

struct JournalRecord {
    enum Form : std::uint8_t { entry = 1, snapshot = 2, term = 3 };
    Form form = entry;
    MirrorPosition at;
    JournalKind kind;
    Bytes bytes;
    bool operator==(const JournalRecord&) const = default;
};

/// What a follower writes before it says that it has kept the copy.
[[nodiscard]] JournalRecord record_of(const message::Copy& copy, JournalKind kind);

[[nodiscard]] const char* name_of(JournalRecord::Form form);
[[nodiscard]] std::string words_of(const MirrorPosition& position);  ///< "term 3, index 12".

/// Why `next` cannot stand behind a journal that has come to `last`; empty: it can.
[[nodiscard]] std::string why_not_next(const MirrorPosition& last, const JournalRecord& next);

class Journal {
public:
    /// Why not; empty: it is in. A snapshot takes the place of everything before it.
    [[nodiscard]] std::string append(JournalRecord record);

    [[nodiscard]] const MirrorPosition& position() const { return position_; }
    /// From the last snapshot on, if there is one.
    [[nodiscard]] const std::vector<JournalRecord>& records() const { return records_; }

    /// Folds it into a `state` that has folded nothing yet. False: a record is none of that state's, which may then be
    /// half of what it should be.
    [[nodiscard]] bool restore(Mirrored& state) const;

private:
    MirrorPosition position_;
    std::vector<JournalRecord> records_;
};

/// Whose journal counts: of the highest term the longest; of equal ones the first. Nothing where there is none.
[[nodiscard]] std::optional<std::size_t> best_of(std::span<const MirrorPosition> journals);

}  // namespace muster::core
