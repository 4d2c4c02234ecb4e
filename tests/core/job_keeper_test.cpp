// SPDX-License-Identifier: Apache-2.0
/// Coordinator and followers with journals that can fail: what is written before what, and how a file catches up.
#include "core/job_keeper.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace muster::core {
namespace {

/// A journal in memory that can be full.
struct FakeJournal : JobJournal {
    Journal journal;
    bool full = false, long_tail = false;
    std::size_t appends = 0;
    std::optional<std::string> append(const JournalRecord& record) override {
        if (full) return "no space left";
        if (auto why = journal.append(record); !why.empty()) return why;
        ++appends;
        return std::nullopt;
    }
    MirrorPosition position() override { return journal.position(); }
    bool wants_snapshot() override { return long_tail; }
    [[nodiscard]] Bytes folded() const {
        JobState state;
        EXPECT_TRUE(journal.restore(state));
        return state.snapshot();
    }
};

struct Kept : ::testing::Test {
    FakeJournal journals[2];
    JobKeeper coordinator{Rank{0}}, follower{Rank{1}};
    JobKeeper* members[2] = {&coordinator, &follower};
    bool follower_wrote_first = true;

    void SetUp() override {
        for (int i = 0; i < 2; ++i) members[i]->write_to(journals[i]);
    }
    void deliver(int from, const MirrorEffects& effects) {
        for (const auto& effect : effects) {
            const auto* sent = std::get_if<MirrorSend>(&effect);
            if (sent == nullptr) continue;
            const auto to = sent->to.value;
            const Rank sender{static_cast<std::uint32_t>(from)};
            if (std::holds_alternative<message::Kept>(sent->message))
                follower_wrote_first =
                    follower_wrote_first && (journals[1].full || journals[1].position() == follower.position());
            std::visit([&](const auto& one) { deliver(static_cast<int>(to), members[to]->received(sender, one)); },
                       sent->message);
        }
    }
    void begin(std::uint32_t round, std::optional<Rank> source = std::nullopt) {
        const auto wait = follower.complete(Round{round}, Rank{0}, {Rank{1}}, source);
        deliver(0, coordinator.complete(Round{round}, Rank{0}, {Rank{1}}, source));
        deliver(1, wait);
    }
    std::optional<std::string> count(std::uint64_t signals) {
        MirrorEffects out;
        auto why = coordinator.append(JobState::entry(Counters{0, signals, State::running}), out);
        deliver(0, out);
        return why;
    }
};

TEST_F(Kept, BothFilesFoldToWhatBothMembersHave) {
    begin(1);
    EXPECT_EQ(count(1), std::nullopt);
    EXPECT_EQ(count(2), std::nullopt);
    EXPECT_EQ(coordinator.safe(), 2u);
    EXPECT_TRUE(follower_wrote_first);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(journals[i].position(), (MirrorPosition{Round{1}, 2}));
        EXPECT_EQ(journals[i].folded(), coordinator.state().snapshot());
    }
    EXPECT_EQ(journals[0].journal.records().front().form, JournalRecord::term);
    begin(2, Rank{0});
    EXPECT_EQ(journals[0].position(), (MirrorPosition{Round{2}, 2}));
    EXPECT_EQ(journals[1].folded(), coordinator.state().snapshot());
}

TEST_F(Kept, WhatCannotBeWrittenHasNotHappened) {
    begin(1);
    EXPECT_EQ(count(1), std::nullopt);
    const auto before = coordinator.state().snapshot();
    journals[0].full = true;
    EXPECT_EQ(count(2), "no space left");
    EXPECT_EQ(coordinator.state().snapshot(), before);
    EXPECT_EQ(follower.state().snapshot(), before);
    journals[0].full = false;
    EXPECT_EQ(count(3), std::nullopt);
    EXPECT_EQ(journals[0].folded(), follower.state().snapshot());
}

TEST_F(Kept, ACoordinatorWhoseTermCouldNotBeWrittenRefusesUntilItCan) {
    journals[0].full = true;
    begin(1);
    EXPECT_EQ(coordinator.take_complaint(), "no space left");
    EXPECT_EQ(coordinator.take_complaint(), std::nullopt);
    EXPECT_EQ(count(1), "no space left");
    journals[0].full = false;
    EXPECT_EQ(count(2), std::nullopt);
    EXPECT_EQ(journals[0].folded(), coordinator.state().snapshot());
}

TEST_F(Kept, AFollowerThatCannotWriteSaysSoOnceKeepsTheCopyAndCatchesUp) {
    begin(1);
    journals[1].full = true;
    EXPECT_EQ(count(1), std::nullopt);
    EXPECT_EQ(count(2), std::nullopt);
    EXPECT_EQ(follower.take_complaint(), "no space left");
    EXPECT_EQ(follower.take_complaint(), std::nullopt);
    EXPECT_EQ(coordinator.safe(), 2u);
    journals[1].full = false;
    EXPECT_EQ(count(3), std::nullopt);
    EXPECT_EQ(journals[1].position(), (MirrorPosition{Round{1}, 3}));
    EXPECT_EQ(journals[1].folded(), coordinator.state().snapshot());
}

TEST_F(Kept, ALongJournalBeginsAnewAndAnEntryDoesNotDependOnThat) {
    begin(1);
    EXPECT_EQ(count(1), std::nullopt);
    journals[0].long_tail = true;
    EXPECT_EQ(count(2), std::nullopt);
    ASSERT_EQ(journals[0].journal.records().size(), 2u);
    EXPECT_EQ(journals[0].journal.records()[0].form, JournalRecord::snapshot);
    coordinator.compact();
    EXPECT_EQ(journals[0].journal.records().size(), 1u);
    EXPECT_EQ(journals[0].folded(), coordinator.state().snapshot());
}

/// The files still name the callers of the launch before; the state that goes on does not, and its file says so.
TEST_F(Kept, ARestartGoesOnWithoutTheCallersOfTheLaunchBefore) {
    JobState old;
    ASSERT_TRUE(old.apply(JobState::entry({CallBook::Call{Rank{5}, CallId{1}, CallId{1}, {}}, {}})));
    ASSERT_TRUE(old.apply(JobState::entry(Counters{9, 1, State::paused})));
    ASSERT_TRUE(follower.restore({{Round{6}, 2}, old.snapshot()}));
    EXPECT_FALSE(follower.restore({{Round{6}, 2}, Bytes{std::byte{1}}}));
    begin(7, Rank{1});
    EXPECT_EQ(coordinator.position(), (MirrorPosition{Round{7}, 2}));
    EXPECT_EQ(coordinator.state().counters().wave, 9);
    EXPECT_EQ(coordinator.state().calls().find(Rank{5}, CallId{1}), std::nullopt);
    EXPECT_EQ(journals[0].folded(), coordinator.state().snapshot());
    EXPECT_EQ(journals[1].folded(), coordinator.state().snapshot());
}

TEST_F(Kept, ACoordinatorThatWasRestoredItselfWritesASnapshotAndNoBareTerm) {
    JobState old;
    ASSERT_TRUE(old.apply(JobState::entry({CallBook::Call{Rank{5}, CallId{1}, CallId{1}, {}}, {}})));
    ASSERT_TRUE(journals[0].journal.append({JournalRecord::snapshot, {Round{6}, 1}, {}, old.snapshot()}).empty());
    ASSERT_TRUE(coordinator.restore({{Round{6}, 1}, old.snapshot()}));
    begin(7, Rank{0});
    EXPECT_EQ(journals[0].folded(), coordinator.state().snapshot());
    EXPECT_EQ(journals[0].position(), (MirrorPosition{Round{7}, 1}));
}

}  // namespace
}  // namespace muster::core
