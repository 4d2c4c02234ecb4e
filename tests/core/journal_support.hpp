// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A state that shows every record it has folded, and records in one line each.

#include <string>

#include "core/journal.hpp"

namespace muster::core::testing {

inline Bytes bytes_of(const std::string& text) {
    const auto* begin = reinterpret_cast<const std::byte*>(text.data());
    return {begin, begin + text.size()};
}
inline std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline MirrorPosition at(std::uint32_t term, std::uint64_t index) { return {Round{term}, index}; }

inline JournalRecord term(std::uint32_t number, std::uint64_t index) {
    return {JournalRecord::term, at(number, index), {}, {}};
}
inline JournalRecord entry(std::uint32_t number, std::uint64_t index, const std::string& text) {
    return {JournalRecord::entry, at(number, index), JournalKind{7}, bytes_of(text)};
}
inline JournalRecord snapshot(std::uint32_t number, std::uint64_t index, const std::string& text) {
    return {JournalRecord::snapshot, at(number, index), JournalKind{7}, bytes_of(text)};
}

/// "a;b;c;" after the entries a, b, c. An empty entry and a snapshot without its last ';' are none.
struct Words : Mirrored {
    std::string text;
    bool apply(std::span<const std::byte> bytes) override {
        if (bytes.empty()) return false;
        text += text_of(bytes) + ";";
        return true;
    }
    bool load(std::span<const std::byte> bytes) override {
        if (!bytes.empty() && bytes.back() != std::byte{';'}) return false;
        text = text_of(bytes);
        return true;
    }
    [[nodiscard]] Bytes snapshot() const override { return bytes_of(text); }
};

/// What `state` folds to; "(broken)" where a record is none of its.
inline std::string fold_of(const Journal& journal) {
    Words words;
    return journal.restore(words) ? words.text : "(broken)";
}

}  // namespace muster::core::testing
