// SPDX-License-Identifier: Apache-2.0
#include "core/router_policy.hpp"

#include <gtest/gtest.h>

#include <map>

#include "support.hpp"

namespace muster::core {
namespace {

const Bytes kBytes;
using Blocks = std::vector<BlockHash>;

/// Engines 10, 11, 12 ... with these loads.
std::vector<Candidate> engines(std::initializer_list<std::uint64_t> loads, std::uint64_t capacity = 0) {
    std::vector<Candidate> list;
    for (const auto load : loads)
        list.push_back({Rank{static_cast<std::uint32_t>(10 + list.size())}, load, capacity, false});
    return list;
}

std::optional<std::size_t> choose(RoutingPolicy& policy, const std::vector<Candidate>& list,
                                  const Blocks& blocks = {}) {
    return policy.choose(list, {kBytes, blocks});
}

TEST(RoundRobin, M16SkipsWhoIsFullAndGoesOnBehindIt) {
    RoundRobin policy;
    auto list = engines({0, 0, 0});
    list[1].full = true;
    EXPECT_EQ(choose(policy, list), 0u);
    EXPECT_EQ(choose(policy, list), 2u);
    EXPECT_EQ(choose(policy, list), 0u);
    list[0].full = list[2].full = true;
    EXPECT_EQ(choose(policy, list), std::nullopt);
}

TEST(LeastLoaded, TakesTheLowestAndSkipsWhoIsFull) {
    LeastLoaded policy;
    auto list = engines({3, 1, 2});
    EXPECT_EQ(choose(policy, list), 1u);
    list[1].full = true;
    EXPECT_EQ(choose(policy, list), 2u);
    list[0].full = list[2].full = true;
    EXPECT_EQ(choose(policy, list), std::nullopt);
}

/// vllm#47420: a fixed tie-break sends every request of a quiet job to the same engine.
TEST(LeastLoaded, EqualsTakeTurns) {
    LeastLoaded policy;
    std::map<std::size_t, int> times;
    for (int i = 0; i < 12; ++i) ++times[*choose(policy, engines({0, 5, 0, 0}))];
    EXPECT_EQ(times, (std::map<std::size_t, int>{{0, 4}, {2, 4}, {3, 4}}));
}

TEST(PowerOfTwo, TakesTheLessLoadedOfTwoThatDiffer) {
    for (const auto seed : testing::seeds(200)) {
        SCOPED_TRACE(testing::replay(seed));
        PowerOfTwo policy(seed);
        EXPECT_EQ(choose(policy, engines({7, 6})), 1u) << "two engines: both are drawn";
        for (int i = 0; i < 20; ++i) EXPECT_NE(choose(policy, engines({9, 1, 2, 3})), 0u) << "always beaten";
    }
}

TEST(PowerOfTwo, IsTheSameForTheSameSeedAndFavoursNoEqual) {
    PowerOfTwo one(7), other(7);
    std::map<std::size_t, int> times;
    for (int i = 0; i < 4000; ++i) {
        const auto choice = choose(one, engines({1, 1, 1, 1}));
        ASSERT_EQ(choice, choose(other, engines({1, 1, 1, 1})));
        ++times[*choice];
    }
    for (const auto& [index, count] : times) EXPECT_NEAR(count, 1000, 150) << index;
    EXPECT_EQ(times.size(), 4u);
}

TEST(PowerOfTwo, FindsTheOnlyOneWithRoom) {
    PowerOfTwo policy(3);
    auto list = engines({0, 0, 0, 0, 9});
    for (std::size_t i = 0; i < 4; ++i) list[i].full = true;
    for (int i = 0; i < 50; ++i) EXPECT_EQ(choose(policy, list), 4u);
    list[4].full = true;
    EXPECT_EQ(choose(policy, list), std::nullopt);
    EXPECT_EQ(choose(policy, {}), std::nullopt);
}

TEST(PrefixAffinity, ScoreIsHalfMatchAndHalfFreeCapacity) {
    PrefixAffinity policy;
    const Blocks prefix = {1, 2, 3, 4};
    policy.routed(Rank{11}, {kBytes, prefix});
    // Engine 11 has all of it: 0.5 + 0.5 x free. Free 0.1 beats nothing free elsewhere, and loses only to no one.
    EXPECT_EQ(choose(policy, engines({0, 9, 0}, 10), prefix), 1u) << "0.55 against 0.5";
    EXPECT_EQ(choose(policy, engines({0, 10, 0}, 10), prefix), 1u) << "0.5 against 0.5: the one that was asked";
    EXPECT_EQ(choose(policy, engines({0, 6, 0}, 10), {1, 2, 9, 9}), 0u) << "0.25 + 0.2 against 0.5";
    EXPECT_EQ(choose(policy, engines({0, 4, 0}, 10), {1, 2, 9, 9}), 1u) << "0.25 + 0.3 against 0.5";
    EXPECT_EQ(choose(policy, engines({0, 1, 0}, 10), {9, 2, 3, 4}), 0u) << "a chain counts from its first block on";
    EXPECT_EQ(choose(policy, engines({2, 1, 2}, 10)), 1u) << "without blocks: free capacity alone";
}

TEST(PrefixAffinity, TiesGoToTheLastAskedThenToTheLowestIndex) {
    PrefixAffinity policy;
    EXPECT_EQ(choose(policy, engines({1, 1, 1}), {5}), 0u);
    policy.routed(Rank{10}, {kBytes, {5}});
    policy.routed(Rank{12}, {kBytes, {5}});
    EXPECT_EQ(choose(policy, engines({1, 1, 1}), {5}), 2u);
    policy.routed(Rank{10}, {kBytes, {5}});
    EXPECT_EQ(choose(policy, engines({1, 1, 1}), {5}), 0u);
}

TEST(PrefixAffinity, AnEngineThatGoesTakesItsAffinityWithIt) {
    PrefixAffinity policy;
    policy.routed(Rank{11}, {kBytes, {5, 6}});
    EXPECT_EQ(choose(policy, engines({0, 1}, 10), {5, 6}), 1u);
    policy.engine_gone(Rank{11});
    EXPECT_EQ(policy.remembered(Rank{11}), 0u);
    EXPECT_EQ(choose(policy, engines({0, 1}, 10), {5, 6}), 0u);
}

TEST(PrefixAffinity, WhoIsFullIsNotChosenWhateverItHas) {
    PrefixAffinity policy;
    policy.routed(Rank{11}, {kBytes, {5}});
    auto list = engines({9, 0}, 10);
    list[1].full = true;
    EXPECT_EQ(choose(policy, list, {5}), 0u);
}

TEST(AffinityMemory, ForgetsTheLongestUnusedAndAChainFromItsEnd) {
    AffinityMemory memory(4);
    memory.remember({1, 2, 3}, 1);
    memory.remember({7, 8}, 2);
    EXPECT_EQ(memory.size(), 4u);
    EXPECT_EQ(memory.match({1, 2, 3}).blocks, 2u) << "3 stood last";
    EXPECT_EQ(memory.match({7, 8}).blocks, 2u);
    EXPECT_EQ(memory.match({7, 8}).asked, 2u);
    memory.remember({1, 2}, 3);
    memory.remember({9}, 4);
    EXPECT_EQ(memory.match({7, 8}).blocks, 1u);
    EXPECT_EQ(memory.match({1, 2}).blocks, 2u);
    memory.remember({21, 22, 23, 24, 25, 26}, 5);
    EXPECT_EQ(memory.size(), 4u);
    EXPECT_EQ(memory.match({21, 22, 23, 24, 25, 26}).blocks, 4u) << "a chain that is too long keeps its beginning";
}

TEST(AffinityMemory, StaysWithinItsBoundAndAgreesWithANaiveOne) {
    for (const auto seed : testing::seeds(50)) {
        SCOPED_TRACE(testing::replay(seed));
        testing::Dice dice(seed);
        const std::size_t bound = 1 + dice.below(12);
        AffinityMemory memory(bound);
        std::vector<BlockHash> naive;  // The most recent first.
        for (std::uint64_t now = 1; now < 100; ++now) {
            Blocks chain;
            for (auto length = dice.below(8); length > 0; --length) {
                const BlockHash block = 1 + dice.below(20);
                if (std::find(chain.begin(), chain.end(), block) == chain.end()) chain.push_back(block);
            }
            memory.remember(chain, now);
            for (auto block = chain.rbegin(); block != chain.rend(); ++block) {
                std::erase(naive, *block);
                naive.insert(naive.begin(), *block);
            }
            if (naive.size() > bound) naive.resize(bound);
            ASSERT_EQ(memory.size(), naive.size());
            for (BlockHash block = 1; block <= 20; ++block)
                ASSERT_EQ(memory.match({block}).blocks, std::count(naive.begin(), naive.end(), block)) << block;
        }
    }
}

}  // namespace
}  // namespace muster::core
