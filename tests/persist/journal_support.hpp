// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Journals in a directory of the test's, and a short story whose state is known after each record.

#include "../core/journal_support.hpp"
#include "persist/journal_file.hpp"
#include "support.hpp"

namespace muster::persist::testing {

using core::JournalRecord;
using core::testing::at;
using core::testing::entry;
using core::testing::fold_of;
using core::testing::snapshot;
using core::testing::term;

/// Each form of record, short and longer ones.
inline std::vector<JournalRecord> story() {
    return {snapshot(2, 40, "old;"),
            entry(2, 41, "first"),
            entry(2, 42, std::string(90, 'x')),
            term(3, 42),
            entry(3, 43, "third"),
            entry(3, 44, "fourth"),
            entry(3, 45, "last")};
}

/// The bytes of a whole journal, and where each of its records ends; ends[0] is the header's.
struct Image {
    Bytes bytes;
    std::vector<std::uint64_t> ends;
    explicit Image(const std::vector<JournalRecord>& records, std::uint64_t salt = 0x0123456789abcdefULL) {
        bytes = encode(JournalHeader{"job", salt});
        ends.push_back(bytes.size());
        for (const auto& record : records) {
            const Bytes more = encode(record, bytes.size(), salt);
            bytes.insert(bytes.end(), more.begin(), more.end());
            ends.push_back(bytes.size());
        }
    }
    /// Whole records within the first `size` bytes.
    [[nodiscard]] std::size_t whole_within(std::uint64_t size) const {
        std::size_t count = 0;
        while (count + 1 < ends.size() && ends[count + 1] <= size) ++count;
        return count;
    }
};

/// A failure's words, or "".
inline std::string complaint(const std::optional<Failure>& failure) { return failure ? failure->text : ""; }
inline std::string complaint(const Or<JournalFile::Opened>& opened) {
    const auto* failure = std::get_if<Failure>(&opened);
    return failure != nullptr ? failure->text : "";
}

class JournalDirectory : public Directory {
protected:
    [[nodiscard]] JournalSettings journal_settings(Durability durability = Durability::fsync) const {
        return {.directory = path,
                .run_id = "job",
                .durability = durability,
                .lock_deadline = std::chrono::milliseconds(50)};
    }
    [[nodiscard]] std::string journal_path() const { return path + "/muster-job.journal"; }
    /// Fails the test where it cannot be opened.
    [[nodiscard]] JournalFile::Opened must_open(const JournalSettings& settings) const {
        auto opened = JournalFile::open(settings);
        EXPECT_EQ(complaint(opened), "");
        return std::move(std::get<JournalFile::Opened>(opened));
    }
    /// What lies there, read beside its owner.
    [[nodiscard]] std::string read_journal_words() const {
        const auto read = read_journal(journal_path());
        if (const auto* failure = std::get_if<Failure>(&read)) return failure->text;
        core::Journal journal;
        for (const auto& located : std::get<JournalScan>(read).records)
            if (auto why = journal.append(located.record); !why.empty()) return why;
        return fold_of(journal);
    }
    [[nodiscard]] JournalFile::Opened must_open() const { return must_open(journal_settings()); }
};

}  // namespace muster::persist::testing
