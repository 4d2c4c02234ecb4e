// SPDX-License-Identifier: Apache-2.0
/// The journal's file, byte for byte: cut anywhere, turned anywhere, it is the state of whole records or a refusal.
#include "persist/journal_image.hpp"

#include <gtest/gtest.h>

#include <random>

#include "journal_support.hpp"
#include "persist/crc32c.hpp"

namespace muster::persist {
namespace {

using testing::at;
using testing::bytes_of;
using testing::entry;
using testing::Image;
using testing::JournalRecord;
using testing::snapshot;
using testing::story;
using testing::term;
using testing::text_of;

using Span = std::span<const std::byte>;

std::vector<JournalRecord> records_of(const JournalScan& scan) {
    std::vector<JournalRecord> records;
    for (const auto& located : scan.records) records.push_back(located.record);
    return records;
}

/// The first `count` records of the story, and the offset behind them.
void expect_prefix(const JournalScan& scan, const Image& image, std::size_t count) {
    const auto all = story();
    EXPECT_EQ(records_of(scan), std::vector(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)));
    EXPECT_EQ(scan.end, image.ends[count]);
}

TEST(JournalImage, ComesBackAsItWas) {
    const Image image(story());
    const auto scan = scan_journal(image.bytes);
    EXPECT_FALSE(scan.torn || scan.damaged);
    EXPECT_EQ(scan.header.run_id, "job");
    EXPECT_EQ(scan.header.salt, 0x0123456789abcdefULL);
    EXPECT_EQ(scan.size, image.bytes.size());
    EXPECT_EQ(scan.position(), at(3, 45));
    expect_prefix(scan, image, story().size());
    for (std::size_t i = 0; i < scan.records.size(); ++i) EXPECT_EQ(scan.records[i].offset, image.ends[i]);
}

/// As DESIGN.md's tables have it; tests/cli/journal_test.py writes the same bytes by itself.
TEST(JournalImage, LiesInTheFileAsDocumented) {
    const Image image({entry(1, 1, "")});
    EXPECT_EQ(text_of(image.bytes).substr(0, 8), "MUSTERJL");
    EXPECT_EQ(kJournalHeaderSize + 3, image.ends[0]);
    EXPECT_EQ(text_of(image.bytes).substr(28, 3), "job");
    EXPECT_EQ(text_of(image.bytes).substr(image.ends[0], 4), "MREC");
    EXPECT_EQ(image.ends[1] - image.ends[0], kJournalHeadSize);
}

TEST(JournalImage, CutAnywhereItIsTheLastWholeRecordsState) {
    const Image image(story());
    for (std::size_t size = 0; size <= image.bytes.size(); ++size) {
        SCOPED_TRACE("cut to " + std::to_string(size) + " bytes");
        const auto scan = scan_journal(Span(image.bytes).first(size));
        if (size < image.ends[0]) {
            ASSERT_TRUE(scan.damaged && !scan.torn) << "a file is never begun without its header";
            EXPECT_EQ(scan.damaged->offset, size);
            EXPECT_TRUE(scan.records.empty());
            continue;
        }
        const std::size_t whole = image.whole_within(size);
        expect_prefix(scan, image, whole);
        EXPECT_FALSE(scan.damaged);
        ASSERT_EQ(scan.torn.has_value(), size != image.ends[whole]);
        EXPECT_EQ(scan.torn.value_or(JournalFault{image.ends[whole], ""}).offset, image.ends[whole]);
    }
}

TEST(JournalImage, OneTurnedBitAnywhereIsRefusedByItsRecordsOffset) {
    const Image image(story());
    for (std::size_t bit = 0; bit < 8 * image.bytes.size(); ++bit) {
        SCOPED_TRACE("bit " + std::to_string(bit % 8) + " of byte " + std::to_string(bit / 8));
        Bytes turned = image.bytes;
        turned[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        const auto scan = scan_journal(turned);
        ASSERT_TRUE(scan.damaged) << "also in the last record: its writer may know it to be safe";
        EXPECT_FALSE(scan.torn);
        if (bit / 8 < image.ends[0]) {
            EXPECT_TRUE(scan.records.empty());
            continue;
        }
        const std::size_t whole = image.whole_within(bit / 8);
        expect_prefix(scan, image, whole);
        EXPECT_EQ(scan.damaged->offset, image.ends[whole]);
    }
}

/// The last record is cut as well: whole records or a refusal, never less than what stands before both.
TEST(JournalImage, OneTurnedBitInATornFile) {
    const Image image(story());
    const std::size_t cut = image.bytes.size() - 5, whole = image.whole_within(cut);
    for (std::size_t bit = 8 * image.ends[0]; bit < 8 * cut; ++bit) {
        SCOPED_TRACE("bit " + std::to_string(bit));
        Bytes turned(image.bytes.begin(), image.bytes.begin() + static_cast<std::ptrdiff_t>(cut));
        turned[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        const auto scan = scan_journal(turned);
        expect_prefix(scan, image, std::min(whole, image.whole_within(bit / 8)));
        EXPECT_TRUE(scan.torn || scan.damaged);
        EXPECT_TRUE(scan.damaged || bit / 8 >= image.ends[whole]) << "not the torn record: it is in the middle";
    }
}

/// A length that points beyond the end looks like a torn tail, but whole records follow.
TEST(JournalImage, ALengthBeyondTheEndIsNoTornTail) {
    const Image image(story());
    Bytes bytes = image.bytes;
    bytes[image.ends[1] + 10] ^= std::byte{0x7f};
    const auto scan = scan_journal(bytes);
    ASSERT_TRUE(scan.damaged);
    EXPECT_EQ(scan.damaged->text,
              "the first bytes of a record do not fit their checksum, and another record follows at "
              "offset " +
                  std::to_string(image.ends[2]));
}

/// A machine's crash: the file has its length, what was not written yet is zeros, from a sector's begin on.
TEST(JournalImage, AnUnwrittenTailIsTorn) {
    auto records = story();
    records.push_back(entry(3, 46, std::string(3'000, 'y')));
    const Image image(records);
    const auto last = image.ends[image.ends.size() - 2];
    for (std::uint64_t from = 0; from < image.bytes.size(); ++from) {
        if (from != last && (from < last || from % 512 != 0)) continue;
        SCOPED_TRACE("zeros from " + std::to_string(from));
        Bytes bytes = image.bytes;
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(), std::byte{0});
        const auto scan = scan_journal(bytes);
        expect_prefix(scan, image, story().size());
        ASSERT_TRUE(scan.torn && !scan.damaged);
        EXPECT_EQ(scan.torn->offset, last);
        bytes.back() = std::byte{1};
        EXPECT_TRUE(scan_journal(bytes).damaged) << "something was written behind it";
    }
    Bytes longer = image.bytes;
    longer.resize(longer.size() + 5'000);
    EXPECT_TRUE(scan_journal(longer).torn) << "nothing of the next one was written";
    EXPECT_EQ(scan_journal(longer).records.size(), records.size());
}

/// A record that ends in zeros by itself: a turned bit in front of them is still no crash.
TEST(JournalImage, ATurnedBitBeforeZerosIsDamage) {
    Bytes payload(2'000);
    payload[0] = std::byte{1};
    const Image image({term(1, 0), {JournalRecord::entry, at(1, 1), {}, payload}});
    for (std::size_t bit = 8 * image.ends[1]; bit < 8 * image.bytes.size(); ++bit) {
        Bytes turned = image.bytes;
        turned[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        const auto scan = scan_journal(turned);
        ASSERT_TRUE(scan.damaged && !scan.torn) << "bit " << bit;
    }
}

/// The same where a sector ends in the record's head, so that zeros could explain the head, too.
TEST(JournalImage, ATurnedBitInAHeadBeforeZerosIsDamage) {
    const Image before({term(1, 0)});
    const std::size_t until = 512 + 512 - 31, own = before.ends[1] + kJournalHeadSize;
    const Image image(
        {term(1, 0), entry(1, 1, std::string(until - own, 'x')), {JournalRecord::entry, at(1, 2), {}, Bytes(40)}});
    ASSERT_EQ(image.ends[2], until);
    for (std::size_t bit = 8 * until; bit < 8 * (until + kJournalHeadSize); ++bit) {
        Bytes turned = image.bytes;
        turned[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        const auto scan = scan_journal(turned);
        ASSERT_TRUE(scan.damaged && !scan.torn) << "bit " << bit;
    }
}

/// Zeros that begin in the middle of a sector were written: what is wrong before them is no crash.
TEST(JournalImage, DamageBeforeAFewZerosIsDamage) {
    const Image image({term(1, 0), entry(1, 1, std::string("damaged") + std::string(20, '\0'))});
    Bytes bytes = image.bytes;
    bytes[image.ends[1] + kJournalHeadSize] ^= std::byte{0x81};
    bytes[image.ends[1] + kJournalHeadSize + 3] ^= std::byte{0x42};
    EXPECT_TRUE(scan_journal(bytes).damaged);
}

TEST(JournalImage, RecordsInsideARecordAreItsBytes) {
    const Image inner(story());
    const Image outer({term(1, 0), entry(1, 1, text_of(inner.bytes)), entry(1, 2, "next")});
    EXPECT_EQ(scan_journal(outer.bytes).records.size(), 3u);
    Bytes turned = outer.bytes;
    turned[outer.ends[1] + kJournalHeadSize] ^= std::byte{6};
    EXPECT_EQ(scan_journal(turned).damaged->text,
              "the bytes of a record do not fit their checksum, and another record follows at offset " +
                  std::to_string(outer.ends[2]));
    turned.resize(outer.ends[2]);
    EXPECT_EQ(scan_journal(turned).damaged->text, "the bytes of a record do not fit their checksum")
        << "records of another file, or at another place, are none";
}

TEST(JournalImage, WholeRecordsOutOfOrderAreRefused) {
    const Image image({term(1, 0), entry(1, 1, "a"), entry(1, 3, "c")});
    const auto scan = scan_journal(image.bytes);
    ASSERT_TRUE(scan.damaged);
    EXPECT_EQ(scan.damaged->offset, image.ends[2]);
    EXPECT_EQ(scan.damaged->text, "a record of form entry at term 1, index 3 does not follow term 1, index 1");
    EXPECT_EQ(scan.records.size(), 2u);
}

TEST(JournalImage, ARecordOfAnotherFileIsNone) {
    const Image one({term(1, 0)}, 1), other({term(1, 0)}, 2);
    Bytes bytes(one.bytes.begin(), one.bytes.begin() + static_cast<std::ptrdiff_t>(one.ends[0]));
    bytes.insert(bytes.end(), other.bytes.begin() + static_cast<std::ptrdiff_t>(other.ends[0]), other.bytes.end());
    EXPECT_TRUE(scan_journal(bytes).damaged);
}

TEST(JournalImage, WhatIsNoJournalSaysWhy) {
    const Image image(story());
    EXPECT_EQ(scan_journal(bytes_of("somebody's notes")).damaged->text, "it does not begin as a journal of muster's");
    Bytes other = image.bytes;
    other[8] = std::byte{2};
    EXPECT_EQ(scan_journal(other).damaged->text, "it is of format 2; this muster reads format 1");
    EXPECT_EQ(scan_journal(other).damaged->offset, 8u);
    other = image.bytes;
    other[28] = std::byte{'J'};
    EXPECT_EQ(scan_journal(other).damaged->text, "its header does not fit its checksum");
}

/// Anything over anything: what comes out is a prefix of what was written, or a refusal behind such a prefix.
TEST(JournalImage, RandomDamageNeverMakesAnotherState) {
    const Image image(story());
    const auto all = story();
    const std::uint64_t seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 dice(seed);
    for (int round = 0; round < 20'000 && !::testing::Test::HasFailure(); ++round) {
        Bytes bytes = image.bytes;
        const std::size_t from = dice() % bytes.size(), length = 1 + dice() % 64;
        for (std::size_t i = from; i < std::min(bytes.size(), from + length); ++i)
            bytes[i] = dice() % 4 == 0 ? std::byte{0} : static_cast<std::byte>(dice());
        if (dice() % 3 == 0) bytes.resize(dice() % (bytes.size() + 100));
        const auto records = records_of(scan_journal(bytes));
        ASSERT_LE(records.size(), all.size());
        EXPECT_TRUE(std::equal(records.begin(), records.end(), all.begin()));
    }
}

TEST(Crc32c, OneTurnedBitIsTold) {
    const Bytes whole = bytes_of("what a record holds");
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
        Bytes turned = whole;
        turned[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        const auto one = crc32c(whole) ^ crc32c(turned);
        EXPECT_TRUE(is_one_bit(one, whole.size()));
        turned[(bit / 8 + 5) % whole.size()] ^= std::byte{0x20};
        EXPECT_FALSE(is_one_bit(crc32c(whole) ^ crc32c(turned), whole.size())) << "two bits";
    }
    EXPECT_FALSE(is_one_bit(0, 1'000)) << "no bit";
    EXPECT_FALSE(is_one_bit(crc32c(bytes_of("ab")) ^ crc32c(bytes_of("cb")), 1)) << "before those that are asked for";
}

}  // namespace
}  // namespace muster::persist
