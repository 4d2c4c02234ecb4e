// SPDX-License-Identifier: Apache-2.0
/// The journal without a file: what may follow what, what a fold gives, and whose journal counts.
#include "core/journal.hpp"

#include <gtest/gtest.h>

#include <array>

#include "journal_support.hpp"

namespace muster::core {
namespace {

using testing::at;
using testing::bytes_of;
using testing::entry;
using testing::fold_of;
using testing::snapshot;
using testing::term;
using testing::Words;

TEST(Journal, WhatMayFollow) {
    const MirrorPosition last = at(3, 7);
    EXPECT_EQ(why_not_next(last, entry(3, 8, "x")), "");
    EXPECT_EQ(why_not_next(last, entry(3, 9, "x")),
              "a record of form entry at term 3, index 9 does not follow term 3, index 7");
    EXPECT_NE(why_not_next(last, entry(3, 7, "x")), "") << "again";
    EXPECT_NE(why_not_next(last, entry(4, 8, "x")), "") << "of a term that has not begun here";
    EXPECT_NE(why_not_next(last, entry(2, 8, "x")), "") << "of a coordinator that is none any more";
    EXPECT_EQ(why_not_next(last, term(4, 7)), "");
    EXPECT_NE(why_not_next(last, term(3, 7)), "");
    EXPECT_NE(why_not_next(last, term(4, 8)), "") << "a term brings no entry";
    EXPECT_EQ(why_not_next(last, snapshot(3, 7, "s")), "") << "compaction";
    EXPECT_EQ(why_not_next(last, snapshot(3, 9, "s")), "");
    EXPECT_EQ(why_not_next(last, snapshot(4, 5, "s")), "") << "what no follower had is given up";
    EXPECT_NE(why_not_next(last, snapshot(3, 6, "s")), "");
    EXPECT_NE(why_not_next(last, snapshot(2, 9, "s")), "");
    EXPECT_EQ(why_not_next({}, entry(0, 1, "x")), "a record of form entry has no term");
    EXPECT_EQ(why_not_next({}, snapshot(0, 0, "s")), "a record of form snapshot has no term");
    EXPECT_EQ(why_not_next({}, snapshot(2, 0, "s")), "");
    auto with_bytes = term(4, 7);
    with_bytes.bytes = bytes_of("x");
    EXPECT_EQ(why_not_next(last, with_bytes), "a record of form term has bytes");
    auto odd = entry(3, 8, "x");
    odd.form = static_cast<JournalRecord::Form>(9);
    EXPECT_NE(why_not_next(last, odd).find("form unknown"), std::string::npos);
}

TEST(Journal, WhatDoesNotFollowChangesNothing) {
    Journal journal;
    ASSERT_EQ(journal.append(term(1, 0)), "");
    ASSERT_EQ(journal.append(entry(1, 1, "a")), "");
    EXPECT_NE(journal.append(entry(1, 3, "c")), "");
    EXPECT_EQ(journal.position(), at(1, 1));
    EXPECT_EQ(journal.records().size(), 2u);
}

TEST(Journal, TheFoldIsTheState) {
    Journal journal;
    Words live;
    const auto change = [&](std::uint32_t number, std::uint64_t index) {
        const auto record = entry(number, index, "w" + std::to_string(index));
        ASSERT_TRUE(live.apply(record.bytes));
        ASSERT_EQ(journal.append(record), "");
        EXPECT_EQ(fold_of(journal), live.text);
    };
    ASSERT_EQ(journal.append(term(1, 0)), "");
    for (std::uint64_t index = 1; index <= 5; ++index) change(1, index);
    ASSERT_EQ(journal.append({JournalRecord::snapshot, journal.position(), {}, live.snapshot()}), "");
    EXPECT_EQ(journal.records().size(), 1u) << "it stands for all before it";
    change(1, 6);
    ASSERT_EQ(journal.append(term(2, 6)), "");
    change(2, 7);
    EXPECT_NE(journal.append(entry(1, 8, "late")), "") << "of the first term's coordinator";
    EXPECT_EQ(journal.position(), at(2, 7));
    EXPECT_EQ(live.text, "w1;w2;w3;w4;w5;w6;w7;");
}

/// A copy from the coordinator of a later term: what this member had beyond it is gone.
TEST(Journal, ASnapshotTakesThePlaceOfWhatWasThere) {
    Journal journal;
    ASSERT_TRUE(journal.append(term(1, 0)).empty() && journal.append(entry(1, 1, "a")).empty() &&
                journal.append(entry(1, 2, "unsafe")).empty());
    ASSERT_EQ(journal.append(snapshot(2, 1, "a;")), "");
    ASSERT_EQ(journal.append(entry(2, 2, "b")), "");
    EXPECT_EQ(fold_of(journal), "a;b;");
}

TEST(Journal, WhatIsNoneOfTheStatesIsSaid) {
    Journal entries, snapshots;
    ASSERT_TRUE(entries.append(term(1, 0)).empty() && entries.append(entry(1, 1, "")).empty());
    ASSERT_TRUE(snapshots.append(snapshot(1, 1, "no end")).empty());
    Words state;
    EXPECT_FALSE(entries.restore(state));
    EXPECT_FALSE(snapshots.restore(state));
    EXPECT_EQ(state.text, "");
}

/// A coordinator of term 4 dies with an entry that no follower has; term 5 goes on without it, one entry shorter.
TEST(Journal, TheLongestOfTheHighestTermCounts) {
    const std::array journals{at(4, 101), at(5, 99), at(5, 100), at(5, 100), at(3, 500)};
    EXPECT_EQ(best_of(journals), 2u);
    EXPECT_EQ(best_of(std::array{at(0, 0)}), 0u);
    EXPECT_EQ(best_of({}), std::nullopt);
}

}  // namespace
}  // namespace muster::core
