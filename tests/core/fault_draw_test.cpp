// SPDX-License-Identifier: Apache-2.0
#include "core/fault_draw.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace muster::core {
namespace {

FaultOrder order(const std::string& text) { return parse_fault_orders(text)->at(0); }

std::vector<FaultDraw::Drawn> all(const std::string& text, std::uint32_t ranks, std::size_t most = 1000) {
    FaultDraw draw(order(text), ranks);
    std::vector<FaultDraw::Drawn> drawn;
    while (drawn.size() < most) {
        const auto next = draw.next();
        if (!next) break;
        drawn.push_back(*next);
    }
    return drawn;
}

TEST(FaultDraw, TheSameSeedGivesTheSameFaults) {
    const auto first = all("kill:rank=any@rate=0.5/s,seed=7", 6);
    EXPECT_EQ(first, all("kill:rank=any@rate=0.5/s,seed=7", 6));
    EXPECT_NE(first, all("kill:rank=any@rate=0.5/s,seed=8", 6));
}

/// Neighbouring seeds have nothing in common: they differ by more than when the first fault comes.
TEST(FaultDraw, AnotherSeedGivesOtherFaults) {
    std::set<std::vector<std::uint64_t>> gaps;
    for (int seed = 1; seed <= 20; ++seed) {
        const auto job = all("kill:rank=any@rate=0.5/s,seed=" + std::to_string(seed), 4);
        gaps.insert({job[1].after_us - job[0].after_us, job[2].after_us - job[1].after_us});
    }
    EXPECT_EQ(gaps.size(), 20u);
}

/// Each member keeps its own; together they are the job's, and no more than `max`.
TEST(FaultDraw, MembersAgreeWithoutAWord) {
    const auto job = all("stop:rank=any@rate=2/s,seed=3,max=20:0.1", 5);
    ASSERT_EQ(job.size(), 20u);
    std::vector<FaultDraw::Drawn> together;
    for (std::uint32_t self = 0; self < 5; ++self) {
        FaultDraw draw(order("stop:rank=any@rate=2/s,seed=3,max=20:0.1"), 5);
        while (const auto mine = draw.next_of(Rank{self})) together.push_back(*mine);
    }
    std::sort(together.begin(), together.end());
    EXPECT_EQ(together, job);
}

TEST(FaultDraw, WhoIsDeadIsNotDrawnAgain) {
    const auto job = all("kill:rank=any@rate=10/s,seed=1", 8);
    std::set<Rank> ranks;
    for (const auto& drawn : job) ranks.insert(drawn.rank);
    EXPECT_EQ(job.size(), 8u);
    EXPECT_EQ(ranks.size(), 8u);
    EXPECT_EQ(all("slow:rank=2@rate=10/s,max=3:5", 8), all("slow:rank=2@rate=10/s,max=3:5", 3));
    for (const auto& drawn : all("stop:rank=2@rate=10/s,max=3:1", 8)) EXPECT_EQ(drawn.rank, Rank{2});
}

/// All ranks of a node draw the same moments, whoever they are; a node dies once.
TEST(FaultDraw, ANodeIsDrawnAsOne) {
    EXPECT_EQ(all("link:n1@rate=2/s,seed=3,max=20:0.1", 8), all("link:n1@rate=2/s,seed=3,max=20:0.1", 2));
    EXPECT_EQ(all("link:n1@rate=2/s,seed=3,max=20:0.1", 8).size(), 20u);
    EXPECT_EQ(all("node:n1@rate=2/s,seed=3", 8).size(), 1u);
}

/// 1000 gaps of 0.5 s in the mean: their sum is 500 s with a deviation of 16 s. Five of those.
TEST(FaultDraw, TheRateIsKept) {
    const auto job = all("stop:rank=any@rate=2/s,seed=11:0.1", 4);
    ASSERT_EQ(job.size(), 1000u);
    EXPECT_NEAR(static_cast<double>(job.back().after_us) * 1e-6, 500, 80);
    EXPECT_TRUE(std::is_sorted(job.begin(), job.end()));
}

TEST(FaultDraw, ItEndsAfterADay) {
    const auto job = all("stop:rank=0@rate=0.001/s:1", 1);
    ASSERT_FALSE(job.empty());
    EXPECT_LT(job.size(), 200u);
    EXPECT_LE(job.back().after_us, 86'400'000'000u);
}

}  // namespace
}  // namespace muster::core
