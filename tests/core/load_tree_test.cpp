// SPDX-License-Identifier: Apache-2.0
#include "core/load_tree.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "core/switchboard.hpp"
#include "support.hpp"

namespace muster::core {
namespace {

using testing::ranks;

EngineWord word(std::uint32_t engine, std::int64_t waiting) { return {.engine = Rank{engine}, .load = {waiting, 0}}; }

std::string text(const EngineWords& words) {
    std::string text;
    for (const auto& one : words)
        text += std::to_string(one.engine.value) + "=" + std::to_string(one.load.waiting) + " ";
    return text;
}

struct LoadTreeTest : ::testing::Test {
    LoadTree tree{Rank{5}, 100};
    void SetUp() override { tree.enter(Rank{1}, ranks({7, 8})); }
};

TEST_F(LoadTreeTest, TheFirstChangeGoesUpAtOnceAndTheNextAfterAnInterval) {
    EXPECT_EQ(text(tree.due(10)), "") << "nothing is no message";
    tree.own(word(5, 1));
    EXPECT_EQ(text(tree.due(10)), "5=1 ");
    tree.own(word(5, 2));
    EXPECT_EQ(text(tree.due(109)), "");
    tree.own(word(5, 3));
    EXPECT_EQ(text(tree.due(110)), "5=3 ") << "only the newest";
    EXPECT_EQ(text(tree.due(999)), "");
}

TEST_F(LoadTreeTest, WhatIsAsItWasToldIsNoMessage) {
    tree.own(word(5, 1));
    EXPECT_EQ(text(tree.due(0)), "5=1 ");
    tree.own(word(5, 1));
    EXPECT_EQ(text(tree.due(500)), "");
    auto counted = word(5, 1);
    counted.given = counted.answered = 9;
    counted.at = {3, 4};
    tree.own(counted);
    EXPECT_EQ(text(tree.due(600)), "") << "one more given and one more answered: whoever gave them knows";
    tree.own(word(5, 2));
    tree.own(word(5, 1));
    EXPECT_EQ(text(tree.due(700)), "") << "it is again as it was";
    auto wave = word(5, 1);
    wave.wave = Wave{1};
    tree.own(wave);
    EXPECT_EQ(text(tree.due(800)), "5=1 ");
}

TEST_F(LoadTreeTest, ChildrensWordsGoUpInOneMessageAndOthersAreRefused) {
    EXPECT_TRUE(tree.heard(Rank{7}, {word(7, 3), word(20, 4)}));
    EXPECT_TRUE(tree.heard(Rank{8}, {word(8, 5)}));
    EXPECT_FALSE(tree.heard(Rank{9}, {word(9, 6)}));
    tree.own(word(5, 1));
    EXPECT_TRUE(tree.heard(Rank{7}, {word(20, 7)}));
    EXPECT_EQ(text(tree.due(0)), "5=1 7=3 8=5 20=7 ");
}

TEST_F(LoadTreeTest, ANewRoundBeginsAnew) {
    tree.own(word(5, 1));
    EXPECT_EQ(text(tree.due(0)), "5=1 ");
    EXPECT_TRUE(tree.heard(Rank{7}, {word(7, 3)}));
    tree.enter(Rank{2}, ranks({}));
    EXPECT_EQ(text(tree.due(500)), "") << "7 says it on its new way";
    tree.own(word(5, 1));
    EXPECT_EQ(text(tree.due(510)), "5=1 ") << "the new coordinator has not heard it";
    EXPECT_EQ(tree.parent(), Rank{2});
}

TEST_F(LoadTreeTest, TheTopWaitsForNothing) {
    tree.enter(std::nullopt, ranks({7}));
    tree.own(word(5, 1));
    EXPECT_EQ(text(tree.due(0)), "5=1 ");
    EXPECT_TRUE(tree.heard(Rank{7}, {word(7, 3)}));
    EXPECT_EQ(text(tree.due(1)), "7=3 ");
}

/// Whatever changes: nobody gets more than its fan-out in messages an interval, the top knows all of it after depth x
/// interval, and a quiet job sends nothing.
class Forest {
public:
    Forest(std::uint32_t size, std::uint32_t fan_out, std::uint64_t seed)
        : dice_(seed), fan_out_(fan_out), got_(size), truth_(size), known_(size) {
        for (std::uint32_t rank = 0; rank < size; ++rank) {
            trees_.emplace_back(Rank{rank}, kInterval);
            std::vector<Rank> children;
            for (const auto child : tree_children(rank, 0, size, fan_out)) children.push_back(Rank{child});
            const auto parent = tree_parent(rank, 0, size, fan_out);
            trees_.back().enter(parent ? std::optional(Rank{*parent}) : std::nullopt, children);
            std::uint32_t depth = 0;
            for (auto above = parent; above; above = tree_parent(*above, 0, size, fan_out)) ++depth;
            depth_ = std::max(depth_, depth);
        }
    }
    void run(std::uint64_t until, bool changes) {
        for (; now_ < until; ++now_) {
            if (changes && dice_.one_in(3)) ++truth_[dice_.below(truth_.size())];
            for (std::uint32_t rank = 0; rank < trees_.size(); ++rank) {
                if (truth_[rank] > 0) trees_[rank].own(word(rank, truth_[rank]));
                const auto words = trees_[rank].due(now_);
                if (rank == 0)
                    for (const auto& one : words) known_[one.engine.value] = one.load.waiting;
                else if (!words.empty())
                    send(rank, words);
            }
        }
    }
    std::uint64_t sent = 0;
    std::vector<std::int64_t> truth() const { return truth_; }
    std::vector<std::int64_t> known() const { return known_; }
    std::uint64_t settle_ms() const { return (depth_ + 1) * kInterval; }
    std::uint64_t now() const { return now_; }

private:
    static constexpr std::uint64_t kInterval = 20;
    void send(std::uint32_t from, const EngineWords& words) {
        ++sent;
        const auto parent = *trees_[from].parent();
        auto& times = got_[parent.value];
        times.push_back(now_);
        while (times.front() + kInterval <= now_) times.pop_front();
        ASSERT_LE(times.size(), fan_out_);
        ASSERT_TRUE(trees_[parent.value].heard(Rank{from}, words));
    }

    testing::Dice dice_;
    std::uint32_t fan_out_, depth_ = 0;
    std::uint64_t now_ = 1'000;
    std::vector<LoadTree> trees_;
    std::vector<std::deque<std::uint64_t>> got_;  ///< When each member got its messages of the last interval.
    std::vector<std::int64_t> truth_, known_;
};

TEST(LoadTree, NobodyGetsMoreThanItsFanOutAnInterval) {
    for (const auto seed : testing::seeds(40)) {
        SCOPED_TRACE(testing::replay(seed));
        testing::Dice dice(seed);
        Forest forest(dice.between(1, 120), dice.between(1, 6), seed);
        forest.run(1'500, true);
        forest.run(forest.now() + forest.settle_ms(), false);
        ASSERT_EQ(forest.known(), forest.truth());
        const auto sent = forest.sent;
        forest.run(forest.now() + 200, false);
        ASSERT_EQ(forest.sent, sent) << "nothing changes any more";
    }
}

}  // namespace
}  // namespace muster::core
