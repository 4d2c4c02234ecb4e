// SPDX-License-Identifier: Apache-2.0
/// Waking, asking who is where, and the trees that calls go down.
#include <gtest/gtest.h>

#include "fake_members.hpp"

namespace muster::core {
namespace {

using testing::FakeMembers;
using testing::ranks;

/// 8 engines in 2 groups of 4: 0 to 3 and 4 to 7.
struct CallsTest : ::testing::Test {
    FakeMembers job{{.engines = 8, .standbys = 0, .clients = 1, .group_size = 4}};
    void wake(std::uint32_t rank, std::uint64_t number, WakeScope scope = WakeScope::group) {
        job.carry_out(rank, job.board(rank).wake(scope, number));
    }
    std::vector<std::size_t> wakes() {
        std::vector<std::size_t> counts;
        for (std::uint32_t rank = 0; rank < 8; ++rank) counts.push_back(job.at(rank).wakes.size());
        return counts;
    }
};

using Counts = std::vector<std::size_t>;

TEST_F(CallsTest, AWakeReachesAllOfTheGroupAndNobodyElse) {
    wake(6, 3);
    job.settle();
    EXPECT_EQ(wakes(), (Counts{0, 0, 0, 0, 1, 1, 1, 1}));
    EXPECT_EQ(job.at(7).wakes[0].number, 3u);
    EXPECT_EQ(job.at(7).wakes[0].scope, WakeScope::group);
}

TEST_F(CallsTest, WhoeverWakesForTheSameNumberWakesOnce) {
    for (std::uint32_t rank = 4; rank < 8; ++rank) wake(rank, 3);
    job.settle();
    EXPECT_EQ(wakes(), (Counts{0, 0, 0, 0, 1, 1, 1, 1}));
    wake(5, 2);  // Late.
    job.settle();
    EXPECT_EQ(wakes(), (Counts{0, 0, 0, 0, 1, 1, 1, 1}));
    wake(5, 4);
    job.settle();
    EXPECT_EQ(wakes(), (Counts{0, 0, 0, 0, 2, 2, 2, 2}));
}

TEST_F(CallsTest, ScopesCountForThemselves) {
    wake(5, 3);
    wake(5, 3, WakeScope::engine);
    job.settle();
    EXPECT_EQ(wakes(), (Counts{0, 0, 0, 0, 1, 2, 1, 1})) << "an engine of one rank wakes itself";
}

TEST_F(CallsTest, NumbersBeginAgainWithARound) {
    wake(4, 9);
    job.settle();
    job.rebuild();
    wake(5, 1);
    job.settle();
    EXPECT_EQ(wakes(), (Counts{0, 0, 0, 0, 2, 2, 2, 2}));
}

TEST_F(CallsTest, AWakeOfABrokenRoundWakesNobody) {
    wake(6, 9);  // On its way to 4.
    job.rebuild();
    job.settle();
    EXPECT_EQ(wakes(), (Counts{0, 0, 0, 0, 0, 0, 0, 0}));
    job.carry_out(6, job.board(6).interrupted());
    wake(6, 10);
    EXPECT_TRUE(job.at(6).wakes.empty());
}

TEST_F(CallsTest, AWakeFromOutsideTheGroupIsDropped) {
    const Bytes packet =
        encode({job.view().round, Rank{1}, 1, 0, message::Wake{job.view().round, WakeScope::group, 5}});
    job.carry_out(4, job.board(4).received(Rank{1}, packet));
    job.settle();
    EXPECT_EQ(wakes(), (Counts(8)));
    EXPECT_EQ(job.at(4).notes.size(), 1u);
    // A client is in no group: whatever it hears, it passes nothing on.
    job.carry_out(8, job.board(8).received(Rank{1}, packet));
    wake(8, 1);
    EXPECT_TRUE(job.at(8).wakes.empty());
}

TEST_F(CallsTest, WhereAsksAllEnginesAndSaysWhoIsSilent) {
    job.carry_out(2, job.board(2).where(1'000));
    job.settle();
    ASSERT_EQ(job.at(2).asked_position.size(), 1u) << "itself, too";
    for (std::uint32_t rank = 0; rank < 8; ++rank) {
        if (rank == 5) continue;
        const auto asked = job.at(rank).asked_position.at(0);
        EXPECT_EQ(asked.to, Rank{2});
        const Position position{job.view().round, rank, 0, Position::voting};
        job.carry_out(rank, job.board(rank).position(asked.to, asked.query, position));
    }
    job.settle();
    EXPECT_TRUE(job.at(2).whereabouts.empty());
    job.tick(1'999);
    EXPECT_TRUE(job.at(2).whereabouts.empty());
    job.tick(2'000);
    ASSERT_EQ(job.at(2).whereabouts.size(), 1u);
    EXPECT_EQ(job.at(2).whereabouts[0].silent, ranks({5}));
    EXPECT_EQ(job.at(2).whereabouts[0].known.size(), 7u);
    const auto late = job.at(5).asked_position.at(0);
    job.carry_out(5, job.board(5).position(late.to, late.query, {}));
    job.settle();
    EXPECT_EQ(job.at(2).whereabouts.size(), 1u);
}

TEST_F(CallsTest, WhereIsAnsweredAtOnceWhereAllSpeak) {
    job.carry_out(8, job.board(8).where(0));  // A client may ask.
    job.settle();
    for (std::uint32_t rank = 0; rank < 8; ++rank)
        job.carry_out(rank, job.board(rank).position(Rank{8}, 1, {Round{1}, rank, 0, Position::resting}));
    job.settle();
    ASSERT_EQ(job.at(8).whereabouts.size(), 1u);
    EXPECT_TRUE(job.at(8).whereabouts[0].silent.empty());
}

TEST_F(CallsTest, AnAnswerToAnEarlierQuestionDoesNotCount) {
    job.carry_out(2, job.board(2).where(0));
    job.carry_out(2, job.board(2).where(0));
    job.settle();
    for (std::uint32_t rank = 0; rank < 8; ++rank) job.carry_out(rank, job.board(rank).position(Rank{2}, 1, {}));
    job.settle();
    EXPECT_TRUE(job.at(2).whereabouts.empty());
    for (std::uint32_t rank = 0; rank < 8; ++rank) job.carry_out(rank, job.board(rank).position(Rank{2}, 2, {}));
    job.settle();
    EXPECT_EQ(job.at(2).whereabouts.size(), 1u);
}

TEST_F(CallsTest, WhereEndsWithTheRound) {
    job.carry_out(2, job.board(2).where(0));
    job.rebuild();
    ASSERT_EQ(job.at(2).whereabouts.size(), 1u);
    EXPECT_EQ(job.at(2).whereabouts[0].silent.size(), 8u);
}

TEST_F(CallsTest, LeavingReachesTheCoordinatorAlsoANewOne) {
    job.carry_out(3, job.board(3).leaving());
    job.kill(0);
    job.rebuild();
    job.settle();
    EXPECT_EQ(job.at(1).leavers_heard, ranks({3}));
    job.carry_out(1, job.board(1).leaving());
    EXPECT_EQ(job.at(1).leavers_heard, ranks({3, 1}));
}

TEST(Tree, ReachesEachPlaceOnceFromAnyRoot) {
    for (const std::uint32_t fan_out : {1u, 2u, 4u, 7u})
        for (std::uint32_t size = 1; size < 40; ++size)
            for (const std::uint32_t root : {0u, size / 2, size - 1}) {
                std::vector<std::uint32_t> reached(size), next{root};
                while (!next.empty()) {
                    const auto place = next.back();
                    next.pop_back();
                    ++reached[place];
                    const auto children = tree_children(place, root, size, fan_out);
                    EXPECT_LE(children.size(), fan_out);
                    for (const auto child : children) {
                        EXPECT_EQ(tree_parent(child, root, size, fan_out), place);
                        next.push_back(child);
                    }
                    ASSERT_LE(reached[place], 1u);
                }
                EXPECT_EQ(reached, std::vector<std::uint32_t>(size, 1));
                EXPECT_FALSE(tree_parent(root, root, size, fan_out));
            }
    EXPECT_TRUE(tree_children(3, 0, 3, 2).empty());
    EXPECT_EQ(tree_children(0, 0, 3, 0).size(), 1u) << "a fan-out of 0 is a chain";
}

}  // namespace
}  // namespace muster::core
