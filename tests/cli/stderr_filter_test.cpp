// SPDX-License-Identifier: Apache-2.0
#include "launch/stderr_filter.hpp"

#include <gtest/gtest.h>

namespace muster::launch {
namespace {

const std::string kRuler(74, '-');
const std::string kNote =
    kRuler + "\nprterun noticed that process rank 3 with PID 99 on node n1 exited on\nsignal 9 (Killed).\n" + kRuler +
    "\n";

TEST(StderrFilter, HoldsBackTheNoiseOfASurvivedDeath) {
    StderrFilter filter(false);
    EXPECT_EQ(filter.take("[n0:1] Error MPI_ERR_PROC_FAILED; NBC_Progress: an error 75 occurred\nmine\n"), "mine\n");
    EXPECT_EQ(filter.take("[warn] Epoll MOD(1) on fd 31 failed. Old events were 6; read change was 0\n"), "");
    EXPECT_EQ(
        filter.take("[vm:29666] pmix_ptl_base: send_msg: write failed: Connection reset by peer (104) [sd = 39]\n"),
        "");
    EXPECT_EQ(filter.last_words(), "mine");
}

TEST(StderrFilter, PrrtesNoteIsNewsUntilTheJobHasJoined) {
    StderrFilter filter(false);
    EXPECT_EQ(filter.take(kNote), kNote);
    filter.job_joined();
    EXPECT_EQ(filter.take(kNote), "");
}

TEST(StderrFilter, NeverSwallowsALineOfTheProgram) {
    StderrFilter filter(false);
    filter.job_joined();
    auto mixed = kNote;
    mixed.insert(kRuler.size() + 1, "loss 0.25 signal lost\n");
    EXPECT_EQ(filter.take(mixed), "loss 0.25 signal lost\n");
    const auto table = kRuler + "\nstep loss\n" + kRuler + "\n";
    EXPECT_EQ(filter.take(table), table);
    EXPECT_EQ(filter.take(kRuler + "\nopen end\n"), "");
    EXPECT_EQ(filter.flush(), kRuler + "\nopen end\n");
}

TEST(StderrFilter, AnUnfinishedLineComesOutWhenFlushed) {
    StderrFilter filter(false);
    EXPECT_EQ(filter.take("password: "), "");
    EXPECT_TRUE(filter.holds_something());
    EXPECT_EQ(filter.flush(), "password: ");
    EXPECT_FALSE(filter.holds_something());
}

TEST(StderrFilter, LastWordsAreTheLastMessageInOneLine) {
    StderrFilter filter(false);
    const auto text = "mine\n" + kRuler +
                      "\nPRTE has lost communication with a remote daemon.\n\n  HNP daemon on n0\n" + kRuler + "\n";
    EXPECT_EQ(filter.take(text + std::string(1, '\0')), text);
    EXPECT_EQ(filter.take("later\n"), "later\n");
    EXPECT_EQ(filter.last_words(), "PRTE has lost communication with a remote daemon. HNP daemon on n0");
}

/// In PRRTE's own words, and in nobody else's.
TEST(StderrFilter, HearsThatMpirunGivesTheJobUp) {
    StderrFilter filter(false);
    (void)filter.take("therefore will terminate the job.\n");
    EXPECT_FALSE(filter.launcher_gave_up());
    (void)filter.take(kRuler + "\nthe daemon itself. We cannot recover from this failure, and\n");
    EXPECT_FALSE(filter.launcher_gave_up());
    (void)filter.take("therefore will terminate the job.\n" + kRuler + "\n");
    EXPECT_TRUE(filter.launcher_gave_up());
}

TEST(StderrFilter, VerboseShowsEverything) {
    StderrFilter filter(true);
    filter.job_joined();
    EXPECT_EQ(filter.take(kNote + "NBC_Progress: an error 77\n"), kNote + "NBC_Progress: an error 77\n");
}

}  // namespace
}  // namespace muster::launch
