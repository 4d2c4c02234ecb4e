// SPDX-License-Identifier: Apache-2.0
/// What goes on when the whole job is started again: the wanted lifecycle, signals and waves; and that a journal that
/// takes nothing refuses what it would have had to remember.
#include <gtest/gtest.h>

#include "controller_job.hpp"

namespace muster::core {
namespace {

using namespace controller;
using testing::ControllerJob;

struct FakeJournal : JobJournal {
    Journal journal;
    bool full = false;
    std::optional<std::string> append(const JournalRecord& record) override {
        if (full) return "no space left";
        const auto why = journal.append(record);
        return why.empty() ? std::nullopt : std::optional(why);
    }
    MirrorPosition position() override { return journal.position(); }
    bool wants_snapshot() override { return false; }
};

Call created(const std::string& tag) {
    BackendConfig config;
    config.num_replicas = 0;
    return Command{CreateBackend{tag, config, "null"}};
}

/// 4 engines, 2 standbys, 1 client (6); rank 0 coordinates, 1 and 2 follow. Journals come before the second round.
struct WithJournals : ::testing::Test {
    FakeJournal journals[7];
    ControllerJob job{{.engines = 4, .standbys = 2, .clients = 1}};
    void SetUp() override {
        for (std::uint32_t rank = 0; rank < 7; ++rank) job.board(rank).write_to(journals[rank]);
        job.rebuild();
        job.pass();
    }
    /// Another launch of the same shape, which has read what rank `holder` has written.
    [[nodiscard]] RestoredJob read(std::uint32_t holder) const {
        JobState state;
        EXPECT_TRUE(journals[holder].journal.restore(state));
        return {journals[holder].journal.position(), state.snapshot()};
    }
};

TEST_F(WithJournals, APausedJobIsPausedAgainAndItsNumbersGoOn) {
    ASSERT_TRUE(job.now<CallDone>(6, created("b")));
    const auto pause = job.ask(6, Wanted::pause);
    job.pass();
    ASSERT_EQ(job.outcome(6, pause), "done");
    for (const std::uint32_t holder : {0u, 1u, 2u}) {
        Switchboard next(Rank{5}, {});
        ASSERT_TRUE(next.restore(read(holder)));
        EXPECT_EQ(next.facts().state, muster::State::paused) << holder;
        EXPECT_EQ(next.facts().crossed, 1u);
        EXPECT_GE(next.facts().wave, std::int64_t{1} << 19);
        EXPECT_EQ(next.mirror(), job.board(0).mirror());
        EXPECT_EQ(next.job_state().controller().state().last_goal, GoalId{1});
    }
}

TEST_F(WithJournals, AJobThatWasStoppedRunsWhenItIsStartedAgain) {
    (void)job.ask(6, Wanted::stopped);
    job.pass();
    Switchboard next(Rank{5}, {});
    ASSERT_TRUE(next.restore(read(0)));
    EXPECT_EQ(next.facts().state, muster::State::running);
    EXPECT_EQ(next.facts().crossed, 2u);
}

TEST_F(WithJournals, AFullDiskRefusesCallsAndSignalsAndLeavesTheStateAsItWas) {
    ASSERT_TRUE(job.now<CallDone>(6, created("b")));
    const auto before = job.board(0).job_state().snapshot();
    journals[0].full = true;
    EXPECT_FALSE(job.now<CallDone>(6, created("c")));
    EXPECT_EQ(job.error, "nothing has changed, since it could not be written down: no space left");
    const auto pause = job.ask(6, Wanted::pause);
    job.pass();
    EXPECT_EQ(job.outcome(6, pause), "it could not be written down: no space left");
    EXPECT_EQ(job.board(0).job_state().snapshot(), before);
    EXPECT_EQ(job.board(0).facts().crossed, 0u);
    EXPECT_TRUE(job.now<Viewed>(6, Question{ListBackends{}})) << "what there is can be looked at";
    journals[0].full = false;
    EXPECT_EQ(job.now<CallDone>(6, created("c"))->goal, GoalId{2}) << "the number was not used up";
}

TEST_F(WithJournals, WavesAreReservedAndNotWrittenOneByOne) {
    const auto before = job.board(0).mirror().index;
    job.board(0).wave_seen(Wave{1'000});
    job.pass();
    EXPECT_EQ(job.board(0).mirror().index, before);
    job.board(0).wave_seen(Wave{900'000});
    job.pass();
    EXPECT_EQ(job.board(0).mirror().index, before + 1);
    EXPECT_GT(job.board(0).job_state().counters().wave, 1'400'000);
}

}  // namespace
}  // namespace muster::core
