// SPDX-License-Identifier: Apache-2.0
/// Whole jobs of Recovery machines under random deaths. One run again: MUSTER_SEED=17 recovery_run_test
#include <gtest/gtest.h>

#include "fake_job.hpp"

namespace muster::core {
namespace {

using testing::FakeJob;
using testing::FakeJobSettings;

constexpr std::uint32_t kTicks = 20'000;

struct Tally {
    std::uint32_t rounds = 0, jobs_ended = 0, jobs_going_on = 0;
};

Tally run(FakeJobSettings settings) {
    Tally tally;
    for (const auto seed : testing::seeds(500)) {
        settings.seed = seed;
        FakeJob job(settings);
        const bool rests = job.run(kTicks);
        EXPECT_EQ(job.violations(), "") << testing::replay(seed);
        EXPECT_TRUE(rests) << "the job hangs; " << testing::replay(seed);
        if (!rests) break;
        tally.rounds += job.rounds();
        ++(job.ended() > 0 ? tally.jobs_ended : tally.jobs_going_on);
    }
    return tally;
}

TEST(RecoveryRun, SurvivorsOfAnyDeathsStandInOneRoundAndOneWorld) {
    const auto tally = run({.deaths = 5});
    if (std::getenv("MUSTER_SEED")) return;
    EXPECT_GT(tally.jobs_going_on, 300u) << "most of these jobs can go on";
    EXPECT_GT(tally.rounds, 500u * 2 * 5) << "and were rebuilt more than once";
}

TEST(RecoveryRun, AJobBelowItsMinEndsEverywhereOrNowhere) {
    const auto tally = run({.engines_min = 6, .deaths = 7});
    if (std::getenv("MUSTER_SEED")) return;
    EXPECT_GT(tally.jobs_ended, 100u);
    EXPECT_GT(tally.jobs_going_on, 20u);
}

TEST(RecoveryRun, OfASplitNetworkOneSideGoesOnAtMost) {
    const auto tally = run({.deaths = 3, .network_splits = true});
    if (std::getenv("MUSTER_SEED")) return;
    EXPECT_GT(tally.jobs_ended, 200u) << "the smaller side stops itself";
}

TEST(RecoveryRun, ClientsAndEnginesOfTwoRanksKeepTheirPlaces) {
    const auto tally = run({.engines = 4, .standbys = 3, .clients = 2, .engine_ranks = 2, .deaths = 6});
    if (std::getenv("MUSTER_SEED")) return;
    EXPECT_GT(tally.jobs_going_on, 300u);
    EXPECT_GT(tally.rounds, 500u * 2 * 5);
}

TEST(RecoveryRun, LockstepGroupsAreWholeWhateverTheirLayout) {
    for (const bool strided : {false, true}) {
        const auto tally = run({.engines = 6,
                                .standbys = 2,
                                .clients = 1,
                                .engine_ranks = 2,
                                .group_size = 2,
                                .strided = strided,
                                .deaths = 7});
        if (std::getenv("MUSTER_SEED")) continue;
        EXPECT_GT(tally.jobs_going_on, 200u);
        EXPECT_GT(tally.rounds, 500u * 2 * 5);
    }
}

TEST(RecoveryRun, WhereNoGroupCanBeMadeOrOnlyClientsAreLeftTheJobEnds) {
    const auto tally =
        run({.engines = 2, .standbys = 1, .clients = 3, .engine_ranks = 2, .group_size = 2, .deaths = 6});
    if (std::getenv("MUSTER_SEED")) return;
    EXPECT_GT(tally.jobs_ended, 300u);
}

TEST(RecoveryRun, AnUndisturbedJobHasOneRound) {
    FakeJob job({.seed = 1, .deaths = 0});
    EXPECT_TRUE(job.run(kTicks));
    EXPECT_EQ(job.violations(), "");
    EXPECT_EQ(job.rounds(), 10u) << "one hand-over for each member";
}

}  // namespace
}  // namespace muster::core
