// SPDX-License-Identifier: Apache-2.0
#include "core/journal.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace muster::core {

JournalRecord record_of(const message::Copy& copy, JournalKind kind) {
    const auto form = copy.whole ? JournalRecord::snapshot : JournalRecord::entry;
    return {form, {copy.term, copy.index}, kind, copy.bytes};
}

const char* name_of(JournalRecord::Form form) {
    switch (form) {
        case JournalRecord::entry: return "entry";
        case JournalRecord::snapshot: return "snapshot";
        case JournalRecord::term: return "term";
    }
    return "unknown";
}

std::string words_of(const MirrorPosition& position) {
    return "term " + std::to_string(position.term.value) + ", index " + std::to_string(position.index);
}

std::string why_not_next(const MirrorPosition& last, const JournalRecord& next) {
    bool follows = false;
    switch (next.form) {
        case JournalRecord::entry: follows = next.at.term == last.term && next.at.index == last.index + 1; break;
        case JournalRecord::snapshot: follows = next.at >= last; break;
        case JournalRecord::term: follows = next.at.term > last.term && next.at.index == last.index; break;
    }
    // Without a term nobody could say later whose journal counts.
    if (next.at.term == Round{}) return std::string("a record of form ") + name_of(next.form) + " has no term";
    if (next.form == JournalRecord::term && !next.bytes.empty()) return "a record of form term has bytes";
    if (follows) return "";
    return std::string("a record of form ") + name_of(next.form) + " at " + words_of(next.at) + " does not follow " +
           words_of(last);
}

std::string Journal::append(JournalRecord record) {
    if (auto why = why_not_next(position_, record); !why.empty()) return why;
    if (record.form == JournalRecord::snapshot) records_.clear();
    position_ = record.at;
    records_.push_back(std::move(record));
    return "";
}

bool Journal::restore(Mirrored& state) const {
    for (const auto& record : records_) {
        if (record.form == JournalRecord::snapshot && !state.load(record.bytes)) return false;
        if (record.form == JournalRecord::entry && !state.apply(record.bytes)) return false;
    }
    return true;
}

std::optional<std::size_t> best_of(std::span<const MirrorPosition> journals) {
    if (journals.empty()) return std::nullopt;
    return static_cast<std::size_t>(std::distance(journals.begin(), std::ranges::max_element(journals)));
}

}  // namespace muster::core
