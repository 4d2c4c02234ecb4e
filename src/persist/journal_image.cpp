// SPDX-License-Identifier: Apache-2.0
#include "persist/journal_image.hpp"

#include <algorithm>
#include <bit>
#include <utility>
#include <variant>

#include "persist/crc32c.hpp"

namespace muster::persist {
namespace {

using core::Bytes;
using core::JournalRecord;
using Span = std::span<const std::byte>;

constexpr std::uint64_t kMagic = 0x4c4a524554'53554dULL;  // "MUSTERJL", read as it lies in the file.
constexpr std::uint32_t kMark = 0x4345524d;               // "MREC".
constexpr std::size_t kHeaderCheckedFrom = 16;
constexpr std::size_t kHeadChecked = kJournalHeadSize - sizeof(std::uint32_t);  // All but its checksum.
constexpr std::size_t kSector = 512;  // No disk leaves less than this half written.

void put(Bytes& bytes, const Bytes& more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

std::string number(std::uint64_t value) { return std::to_string(value); }

/// What a record's head says, as it lies there.
struct Head {
    std::uint32_t mark = 0, checksum = 0, size = 0, payload_checksum = 0;
    JournalRecord record;
    std::uint32_t difference = 0;  ///< From the checksum that it should have.
    [[nodiscard]] bool fits() const { return mark == kMark && difference == 0; }
    [[nodiscard]] std::uint64_t end() const { return kJournalHeadSize + std::uint64_t{size}; }
};

/// A head's checksum covers where it stands and in which file.
std::uint32_t head_checksum(Span head, std::uint64_t offset, std::uint64_t salt) {
    core::Writer place;
    place.u64(salt);
    place.u64(offset);
    Bytes checked = place.take();
    checked.insert(checked.end(), head.begin(), head.begin() + 4);
    checked.insert(checked.end(), head.begin() + 8, head.begin() + kJournalHeadSize);
    return crc32c(checked);
}

/// `offset` + kJournalHeadSize is within the file.
Head head_at(Span file, std::uint64_t offset, std::uint64_t salt) {
    const Span bytes = file.subspan(offset, kJournalHeadSize);
    core::Reader in(bytes);
    Head head;
    head.mark = in.u32();
    head.checksum = in.u32();
    head.size = in.u32();
    head.payload_checksum = in.u32();
    head.record.at.index = in.u64();
    head.record.at.term = in.id<Round>();
    head.record.kind = in.id<core::JournalKind>();
    head.record.form = static_cast<JournalRecord::Form>(in.u8());
    head.difference = head_checksum(bytes, offset, salt) ^ head.checksum;
    return head;
}

/// Looks for a head that fits, behind one that does not.
std::optional<std::uint64_t> next_head(Span file, std::uint64_t offset, std::uint64_t salt) {
    for (++offset; offset + kJournalHeadSize <= file.size(); ++offset) {
        core::Reader in(file.subspan(offset, sizeof kMark));
        if (in.u32() == kMark && head_at(file, offset, salt).fits()) return offset;
    }
    return std::nullopt;
}

/// From where on a file holds nothing but zeros that a disk may have left; the file's size: it does not.
/// `offset`: where the record begins, whose first bytes share a sector with older ones.
std::uint64_t unwritten_from(Span file, std::uint64_t offset) {
    std::uint64_t zeros = file.size();
    while (zeros > offset && file[zeros - 1] == std::byte{0}) --zeros;
    if (zeros == offset) return offset;
    return std::min<std::uint64_t>(file.size(), (zeros + kSector - 1) / kSector * kSector);
}

/// What is at `offset` is no whole record.
struct Verdict {
    bool torn = false;
    std::string text;
};

/// `what` does not fit its checksum; all of it lies before `end`. `is_one_bit_off`: asked where it matters, it may take
/// long.
template <class OneBit>
Verdict judge(Span file, std::uint64_t offset, std::uint64_t salt, const std::string& what, std::uint64_t end,
              OneBit is_one_bit_off) {
    const std::string wrong = "the " + what + " of a record do not fit their checksum";
    if (const auto next = next_head(file, offset, salt))
        return {false, wrong + ", and another record follows at offset " + number(*next)};
    const auto zeros = unwritten_from(file, offset);
    if (zeros >= end) return {false, wrong};
    if (is_one_bit_off()) return {false, wrong + ": one bit is turned"};
    return {true, "the last record was not written from offset " + number(zeros) + " on: nothing but zeros"};
}

/// The whole record at `offset`, or why there is none.
std::variant<JournalRecord, Verdict> record_at(Span file, std::uint64_t offset, std::uint64_t salt) {
    const std::uint64_t rest = file.size() - offset;
    if (rest < kJournalHeadSize)
        return Verdict{
            true, "the last record has " + number(rest) + " of the " + number(kJournalHeadSize) + " bytes of its head"};
    Head head = head_at(file, offset, salt);
    if (!head.fits())
        return judge(file, offset, salt, "first bytes", offset + kJournalHeadSize,
                     [&] { return std::popcount(head.difference) == 1 || is_one_bit(head.difference, kHeadChecked); });
    if (rest < head.end())
        return Verdict{true, "the last record has " + number(rest) + " of its " + number(head.end()) + " bytes"};
    const auto payload = file.subspan(offset + kJournalHeadSize, head.size);
    if (const auto difference = crc32c(payload) ^ head.payload_checksum; difference != 0)
        return judge(file, offset, salt, "bytes", offset + head.end(),
                     [&] { return is_one_bit(difference, payload.size()); });
    head.record.bytes.assign(payload.begin(), payload.end());
    return std::move(head.record);
}

/// The offset behind it; 0 where it is none, and `scan` says why.
std::uint64_t take_header(Span file, JournalScan& scan) {
    core::Reader in(file);
    const auto magic = in.u64();
    const auto format = in.u32();
    const auto checksum = in.u32();
    scan.header.salt = in.u64();
    const auto size = in.u32();
    const auto refuse = [&](std::uint64_t offset, const std::string& text) {
        scan.damaged = JournalFault{offset, text};
        return 0;
    };
    if (file.size() >= sizeof kMagic && magic != kMagic) return refuse(0, "it does not begin as a journal of muster's");
    if (!in.ok()) return refuse(file.size(), "it ends in its header");
    if (format != kJournalFormat)
        return refuse(8, "it is of format " + number(format) + "; this muster reads format " + number(kJournalFormat));
    if (size > kJournalRunIdMax) return refuse(24, "a run id of " + number(size) + " bytes");
    const std::uint64_t end = kJournalHeaderSize + size;
    if (file.size() < end) return refuse(file.size(), "it ends in its header");
    if (crc32c(file.first(end).subspan(kHeaderCheckedFrom)) != checksum)
        return refuse(kHeaderCheckedFrom, "its header does not fit its checksum");
    for (const auto b : file.first(end).subspan(kJournalHeaderSize)) scan.header.run_id += static_cast<char>(b);
    return end;
}

}  // namespace

Bytes encode(const JournalHeader& header) {
    core::Writer body;
    body.u64(header.salt);
    body.text(header.run_id);
    const Bytes rest = body.take();
    core::Writer head;
    head.u64(kMagic);
    head.u32(kJournalFormat);
    head.u32(crc32c(rest));
    Bytes bytes = head.take();
    put(bytes, rest);
    return bytes;
}

Bytes encode(const JournalRecord& record, std::uint64_t offset, std::uint64_t salt) {
    core::Writer rest;
    rest.u32(static_cast<std::uint32_t>(record.bytes.size()));
    rest.u32(crc32c(record.bytes));
    rest.u64(record.at.index);
    rest.id(record.at.term);
    rest.id(record.kind);
    rest.u8(record.form);
    rest.u8(0);
    core::Writer mark;
    mark.u32(kMark);
    mark.u32(0);  // The checksum's place.
    Bytes head = mark.take();
    put(head, rest.take());
    core::Writer checksum;
    checksum.u32(head_checksum(head, offset, salt));
    const Bytes four = checksum.take();
    std::copy(four.begin(), four.end(), head.begin() + 4);
    put(head, record.bytes);
    return head;
}

JournalScan scan_journal(Span file) {
    JournalScan scan;
    scan.size = file.size();
    scan.end = take_header(file, scan);
    if (scan.damaged) return scan;
    while (scan.end < file.size()) {
        auto found = record_at(file, scan.end, scan.header.salt);
        if (const auto* verdict = std::get_if<Verdict>(&found)) {
            (verdict->torn ? scan.torn : scan.damaged) = JournalFault{scan.end, verdict->text};
            return scan;
        }
        auto& record = std::get<JournalRecord>(found);
        if (auto why = core::why_not_next(scan.position(), record); !why.empty()) {
            scan.damaged = JournalFault{scan.end, why};
            return scan;
        }
        const auto size = kJournalHeadSize + record.bytes.size();
        scan.records.push_back({scan.end, std::move(record)});
        scan.end += size;
    }
    return scan;
}

}  // namespace muster::persist
