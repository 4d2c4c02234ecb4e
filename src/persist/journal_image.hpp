// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a journal's file holds, byte for byte, and what a file is that is not whole.
/// Intuition: a record's head has a checksum of its own, so a head that fits says for certain where its record ends. A
/// file that ends before that is torn: the writer was killed. A head that does not fit is looked for again further
/// behind: where another one fits, the damage is in the middle. What is left, a last record with all its bytes and a
/// wrong checksum, is torn only if it looks like a machine's crash (zeros from a disk sector on to the end, and no
/// single turned bit explains it); else it is damaged, since its writer may have been told that it is safe. Shape: the
/// tables in DESIGN.md, "Journal". Numbers little-endian. Units: bytes, offsets from the file's begin. Errors: as
/// values in the scan; each names its offset. Thread safety: pure.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/journal.hpp"

namespace muster::persist {

constexpr std::uint32_t kJournalFormat = 1;
constexpr std::size_t kJournalHeaderSize = 28;  ///< Before the run id.
constexpr std::size_t kJournalRunIdMax = 4096;
constexpr std::size_t kJournalHeadSize = 32;         ///< Of a record, before its bytes.
constexpr std::size_t kJournalRecordMax = 1U << 30;  ///< Bytes of a record: the largest store's snapshot.

/// What stands at a file's begin. `salt` is drawn for each file: records of another file, in a payload or left on the
/// disk, fit nothing here.
struct JournalHeader {
    std::string run_id;
    std::uint64_t salt = 0;
};

struct JournalFault {
    std::uint64_t offset = 0;
    std::string text;
};

struct JournalScan {
    struct Located {
        std::uint64_t offset = 0;
        core::JournalRecord record;
    };
    JournalHeader header;
    std::vector<Located> records;         ///< Whole, each following the one before, up to a fault.
    std::uint64_t size = 0;               ///< Of the file.
    std::uint64_t end = 0;                ///< Behind the last of `records`.
    std::optional<JournalFault> torn;     ///< The last record was never finished: what is from `end` on may be cut.
    std::optional<JournalFault> damaged;  ///< Somebody has to look at it: what is kept by a cut may not be all.
    [[nodiscard]] core::MirrorPosition position() const {
        return records.empty() ? core::MirrorPosition{} : records.back().record.at;
    }
};

[[nodiscard]] core::Bytes encode(const JournalHeader& header);
/// `offset`: where in the file it will stand; it fits nowhere else.
[[nodiscard]] core::Bytes encode(const core::JournalRecord& record, std::uint64_t offset, std::uint64_t salt);

[[nodiscard]] JournalScan scan_journal(std::span<const std::byte> file);

}  // namespace muster::persist
