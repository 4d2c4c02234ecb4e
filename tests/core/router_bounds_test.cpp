// SPDX-License-Identifier: Apache-2.0
/// Bounds, named slots, and requests that are taken back.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "router_support.hpp"

namespace muster::core {
namespace {

using testing::fault_of;
using testing::Lines;
using testing::lines;
using testing::ranks;

const Bytes kBytes = {std::byte{5}};

struct BoundsTest : ::testing::Test {
    Router router{RouterSettings{.queue_max_per_engine = 2, .queue_max = 5}};
    std::vector<Rank> members = testing::ranks_up_to(10);

    Routings submit(std::uint64_t id, std::optional<Slot> pin = {}, bool again = false) {
        return router.submit(Rank{8}, {RequestId{id}, kBytes, pin, {}, again});
    }
    Lines reply(std::uint32_t engine, std::uint64_t id) {
        return lines(router.reply(Rank{engine}, {Rank{8}, RequestId{id}, kBytes}));
    }
    Lines complete(std::initializer_list<std::uint32_t> engines) {
        return lines(router.complete(ranks(engines), members));
    }
};

TEST_F(BoundsTest, BeyondTheEnginesQueuesTheErrorIsBusyAndSaysWhich) {
    EXPECT_EQ(complete({0, 1}), Lines{});
    for (std::uint64_t id = 1; id <= 4; ++id) EXPECT_EQ(fault_of(submit(id)), std::nullopt);
    const auto refused = submit(5);
    EXPECT_EQ(fault_of(refused), Fault::busy);
    EXPECT_EQ(lines(refused),
              Lines{"8/5!busy: each engine has 2 requests, which is queue_max_per_engine; ask again later"});
    EXPECT_EQ(router.open(), 4u) << "nothing of it is left";
    EXPECT_EQ(reply(1, 2), Lines{"8/2="});
    EXPECT_EQ(lines(submit(5)), Lines{"8/5>1"}) << "there is room again";
}

TEST_F(BoundsTest, BeyondTheTableTheErrorIsBusyAlsoDuringARebuild) {
    for (std::uint64_t id = 1; id <= 5; ++id) EXPECT_EQ(lines(submit(id)), Lines{});
    const auto refused = submit(6);
    EXPECT_EQ(fault_of(refused), Fault::busy);
    EXPECT_EQ(lines(refused), Lines{"8/6!busy: 5 requests are open, which is queue_max; ask again later"});
    EXPECT_EQ(complete({0, 1}), (Lines{"8/1>0", "8/2>1", "8/3>0", "8/4>1"}));
    EXPECT_EQ(router.held(), 1u) << "the fifth was accepted: it waits for room";
    EXPECT_EQ(reply(0, 1), (Lines{"8/1=", "8/5>0"}));
}

TEST_F(BoundsTest, WhatADeadEngineHadIsHeldUntilThereIsRoomOldestFirst) {
    EXPECT_EQ(complete({0, 1}), Lines{});
    for (std::uint64_t id = 1; id <= 4; ++id) (void)submit(id);
    router.interrupted();
    EXPECT_EQ(complete({1}), Lines{}) << "1 and 3 were engine 0's";
    EXPECT_EQ(router.held(), 2u);
    EXPECT_EQ(router.in_flight(Rank{1}), 2u);
    EXPECT_EQ(fault_of(submit(5)), Fault::busy) << "who comes later stands behind";
    EXPECT_EQ(reply(1, 2), (Lines{"8/2=", "8/1>1"}));
    EXPECT_EQ(lines(router.engine_registers(Rank{2})), Lines{"8/3>2"});
    EXPECT_EQ(router.held(), 0u);
}

TEST_F(BoundsTest, WhatAnEarlierCoordinatorAcceptedIsNotRefused) {
    EXPECT_EQ(complete({0}), Lines{});
    for (std::uint64_t id = 1; id <= 8; ++id) EXPECT_EQ(fault_of(submit(id, {}, true)), std::nullopt);
    EXPECT_EQ(router.open(), 8u);
    EXPECT_EQ(router.held(), 6u);
    EXPECT_EQ(fault_of(submit(9)), Fault::busy);
}

TEST_F(BoundsTest, ANamedSlotIsTheOnlyChoice) {
    EXPECT_EQ(complete({4, 6}), Lines{});
    EXPECT_EQ(lines(submit(1, Slot{1})), Lines{"8/1>6"});
    EXPECT_EQ(lines(submit(2, Slot{1})), Lines{"8/2>6"});
    const auto full = submit(3, Slot{1});
    EXPECT_EQ(fault_of(full), Fault::busy);
    EXPECT_EQ(lines(full),
              Lines{"8/3!busy: the engine that was named has 2 requests, which is queue_max_per_engine; ask again "
                    "later"});
    const auto nowhere = submit(4, Slot{2});
    EXPECT_EQ(fault_of(nowhere), Fault::refused);
    EXPECT_EQ(lines(nowhere), Lines{"8/4!slot 2 is not there: the world has 2 slots"});
    (void)router.engine_gone(Rank{4});
    EXPECT_EQ(lines(submit(5, Slot{0})),
              Lines{"8/5!the engine at slot 0 takes no requests: it leaves, or has stopped"});
}

TEST_F(BoundsTest, ANamedSlotIsWhoeverHoldsItAndItsEngineWhereThatHasSeveral) {
    EXPECT_EQ(lines(router.complete(ranks({4, 6}), members, ranks({4, 4, 6, 6}))), Lines{});
    EXPECT_EQ(lines(submit(1, Slot{1})), Lines{"8/1>4"});
    EXPECT_EQ(lines(submit(2, Slot{2})), Lines{"8/2>6"});
    router.interrupted();
    EXPECT_EQ(lines(router.complete(ranks({4, 7}), members, ranks({4, 4, 7, 7}))), Lines{"8/2>7"});
    router.interrupted();
    EXPECT_EQ(lines(router.complete(ranks({4}), members, ranks({4, 4}))),
              Lines{"8/2!slot 2 is not there: the world has 2 slots"});
}

TEST_F(BoundsTest, TakenBackBeforeAnEngineHasIt) {
    EXPECT_EQ(lines(submit(1)), Lines{}) << "held during a rebuild";
    const auto taken = router.abort(Rank{8}, RequestId{1});
    EXPECT_EQ(fault_of(taken), Fault::aborted);
    EXPECT_EQ(router.open(), 0u);
    EXPECT_EQ(router.held(), 0u);
    EXPECT_EQ(lines(router.abort(Rank{8}, RequestId{1})), Lines{}) << "its outcome is on its way";
    EXPECT_EQ(complete({0}), Lines{});
}

TEST_F(BoundsTest, TakenBackWhenAnEngineHasItTheEngineSaysHowItEnds) {
    EXPECT_EQ(complete({0, 1}), Lines{});
    (void)submit(1), (void)submit(2);
    EXPECT_EQ(lines(router.abort(Rank{8}, RequestId{1})), Lines{"8/1x0"});
    EXPECT_EQ(lines(router.abort(Rank{8}, RequestId{1})), Lines{}) << "a repeat";
    EXPECT_EQ(router.in_flight(Rank{0}), 1u) << "it has it until it says otherwise";
    EXPECT_EQ(lines(router.dropped(Rank{1}, {Rank{8}, RequestId{1}, 1})), Lines{}) << "not that engine's";
    EXPECT_EQ(fault_of(router.dropped(Rank{0}, {Rank{8}, RequestId{1}, 1})), Fault::aborted);
    EXPECT_EQ(router.in_flight(Rank{0}), 0u);
    EXPECT_EQ(lines(router.abort(Rank{8}, RequestId{2})), Lines{"8/2x1"});
    EXPECT_EQ(reply(1, 2), Lines{"8/2="}) << "it had begun";
}

TEST_F(BoundsTest, TakenBackIsNotGivenToAnotherEngine) {
    EXPECT_EQ(complete({0, 1}), Lines{});
    (void)submit(1), (void)submit(2);
    (void)router.abort(Rank{8}, RequestId{1});
    router.interrupted();
    EXPECT_EQ(complete({1}), Lines{"8/1!taken back before an engine began"});
}

/// Whatever happens: no engine has more than its bound, each request is answered once, nothing is lost.
TEST(RouterBounds, HoldForEveryStory) {
    for (const auto seed : testing::seeds(300)) {
        SCOPED_TRACE(testing::replay(seed));
        testing::Dice dice(seed);
        Router router{RouterSettings{
            .routing = static_cast<Routing>(dice.below(4)), .seed = seed, .queue_max_per_engine = 3, .queue_max = 12}};
        const auto members = testing::ranks_up_to(10);
        std::map<std::uint32_t, std::set<std::uint64_t>> at;  // Engine -> requests that it has.
        std::set<std::uint64_t> open, answered;
        std::uint64_t last = 0;
        const auto hear = [&](const Routings& routings) {
            for (const auto& one : routings) {
                if (const auto* routed = std::get_if<Routed>(&one)) {
                    ASSERT_TRUE(at[routed->engine.value].insert(routed->deliver.id.value).second);
                    ASSERT_LE(at[routed->engine.value].size(), 3u);
                }
                if (const auto* answer = std::get_if<Answered>(&one)) {
                    ASSERT_TRUE(answered.insert(answer->answer.id.value).second) << answer->answer.id.value;
                    open.erase(answer->answer.id.value);
                }
            }
        };
        const auto round = [&] {
            router.interrupted();
            std::vector<Rank> engines;
            for (const Rank rank : testing::ranks_up_to(5))
                if (rank.value == 4 || dice.one_in(2)) engines.push_back(rank);
            for (auto& [engine, has] : at)
                if (!std::binary_search(engines.begin(), engines.end(), Rank{engine})) has.clear();
            hear(router.complete(engines, members));
        };
        const auto some_reply = [&] {
            for (auto& [engine, has] : at) {
                if (has.empty() || dice.one_in(2)) continue;
                const auto id = *has.begin();
                has.erase(has.begin());
                return hear(dice.one_in(4) ? router.dropped(Rank{engine}, {Rank{8}, RequestId{id}})
                                           : router.reply(Rank{engine}, {Rank{8}, RequestId{id}, kBytes}));
            }
        };
        round();
        for (int step = 0; step < 300; ++step) {
            const auto what = dice.below(20);
            if (what < 10) {
                open.insert(++last);
                std::optional<Slot> pin;
                if (dice.one_in(8)) pin = Slot{static_cast<std::uint32_t>(dice.below(6))};
                hear(router.submit(Rank{8}, {RequestId{last}, kBytes, pin, {dice.below(4)}}));
            } else if (what < 17) {
                some_reply();
            } else if (what == 17 && last > 0) {
                hear(router.abort(Rank{8}, RequestId{1 + dice.below(last)}));
            } else if (what == 18) {
                round();
            }
            ASSERT_EQ(router.open(), open.size());
            ASSERT_LE(router.open(), 12u);
        }
        for (int step = 0; step < 500 && !open.empty(); ++step) some_reply();
        ASSERT_TRUE(open.empty()) << *open.begin() << " was not answered";
        ASSERT_EQ(answered.size(), last);
    }
}

}  // namespace
}  // namespace muster::core
