// SPDX-License-Identifier: Apache-2.0
#include "core/router.hpp"

#include <gtest/gtest.h>

#include "router_support.hpp"

namespace muster::core {
namespace {

using testing::Lines;
using testing::lines;
using testing::ranks;

const Bytes kBytes = {std::byte{5}};

struct RouterTest : ::testing::Test {
    Router router{RouterSettings{}};
    std::vector<Rank> members = testing::ranks_up_to(10);

    Lines submit(std::uint64_t id, std::uint32_t client = 8) {
        return lines(router.submit(Rank{client}, {RequestId{id}, kBytes}));
    }
    Lines reply(std::uint32_t engine, std::uint64_t id, std::uint32_t client = 8) {
        return lines(router.reply(Rank{engine}, {Rank{client}, RequestId{id}, kBytes}));
    }
    Lines complete(std::initializer_list<std::uint32_t> engines) {
        return lines(router.complete(ranks(engines), members));
    }
};

TEST_F(RouterTest, M16NextEngineIsTheIndexModuloTheListAndTheIndexMovesOn) {
    EXPECT_EQ(complete({0, 1, 2}), Lines{});
    EXPECT_EQ(submit(1), Lines{"8/1>0"});
    EXPECT_EQ(submit(2), Lines{"8/2>1"});
    EXPECT_EQ(submit(3), Lines{"8/3>2"});
    EXPECT_EQ(submit(4), Lines{"8/4>0"});
    EXPECT_EQ(lines(router.engine_registers(Rank{7})), Lines{});  // A late engine: index 4 modulo 4.
    EXPECT_EQ(submit(5), Lines{"8/5>0"});
    EXPECT_EQ(submit(6), Lines{"8/6>1"});
    EXPECT_EQ(submit(7), Lines{"8/7>2"});
    EXPECT_EQ(submit(8), Lines{"8/8>7"});
    EXPECT_EQ(lines(router.engine_registers(Rank{7})), Lines{});  // A repeat.
    EXPECT_EQ(router.engines(), ranks({0, 1, 2, 7}));
}

TEST_F(RouterTest, M16WithoutEnginesTheAnswerComesAtOnce) {
    EXPECT_EQ(complete({}), Lines{});
    EXPECT_EQ(submit(1), Lines{"8/1!No engines connected"});
    EXPECT_EQ(router.open(), 0u);
    EXPECT_EQ(lines(router.engine_registers(Rank{3})), Lines{});
    EXPECT_EQ(submit(1), Lines{"8/1>3"}) << "the id is free again";
}

TEST_F(RouterTest, M17AnEngineThatIsGoneLosesNothing) {
    EXPECT_EQ(complete({0, 1}), Lines{});
    EXPECT_EQ(submit(1), Lines{"8/1>0"});
    EXPECT_EQ(submit(2), Lines{"8/2>1"});
    EXPECT_EQ(lines(router.engine_gone(Rank{0})), Lines{"8/1>1"});
    EXPECT_EQ(router.engines(), ranks({1}));
    EXPECT_EQ(lines(router.engine_gone(Rank{1})), (Lines{"8/1!No engines connected", "8/2!No engines connected"}));
    EXPECT_EQ(router.open(), 0u);
}

TEST_F(RouterTest, RequestsWaitDuringARebuild) {
    EXPECT_EQ(submit(1), Lines{}) << "before the first round, too";
    EXPECT_EQ(complete({4}), Lines{"8/1>4"});
    router.interrupted();
    EXPECT_EQ(submit(2), Lines{});
    EXPECT_EQ(lines(router.engine_gone(Rank{4})), Lines{});
    EXPECT_EQ(complete({5}), (Lines{"8/1>5", "8/2>5"}));
    router.interrupted();
    EXPECT_EQ(submit(3), Lines{});
    EXPECT_EQ(complete({}),
              (Lines{"8/1!No engines connected", "8/2!No engines connected", "8/3!No engines connected"}));
}

TEST_F(RouterTest, ARebuildMovesOnlyWhatLostItsEngine) {
    EXPECT_EQ(complete({0, 1}), Lines{});
    EXPECT_EQ(submit(1), Lines{"8/1>0"});
    EXPECT_EQ(submit(2), Lines{"8/2>1"});
    EXPECT_EQ(submit(3, 9), Lines{"9/3>0"});
    members = testing::ranks_up_to(9);  // Client 9 is gone.
    EXPECT_EQ(complete({1, 2}), Lines{"8/1>2"});
    EXPECT_EQ(router.open(), 2u) << "the vanished client's request is forgotten";
}

TEST_F(RouterTest, ARepeatIsNotRoutedAgain) {
    EXPECT_EQ(complete({0, 1}), Lines{});
    EXPECT_EQ(submit(1), Lines{"8/1>0"});
    EXPECT_EQ(submit(1), Lines{});
    EXPECT_EQ(submit(1, 9), Lines{"9/1>1"}) << "ids are each client's own";
    EXPECT_EQ(reply(0, 1), Lines{"8/1="});
    EXPECT_EQ(router.open(), 1u);
}

TEST_F(RouterTest, TheFirstReplyCountsAndEveryReplyIsPassedOn) {
    EXPECT_EQ(complete({0, 1}), Lines{});
    EXPECT_EQ(submit(1), Lines{"8/1>0"});
    EXPECT_EQ(complete({1}), Lines{"8/1>1"});
    EXPECT_EQ(reply(0, 1), Lines{"8/1="}) << "from the engine that has left the world";
    EXPECT_EQ(router.open(), 0u);
    EXPECT_EQ(reply(1, 1), Lines{"8/1="}) << "the client drops it";
    EXPECT_EQ(reply(1, 77), Lines{"8/77="}) << "given away by an earlier coordinator";
}

TEST_F(RouterTest, M11AfterStopAllThatIsOpenIsAnswered) {
    EXPECT_EQ(complete({0, 1}), Lines{});
    EXPECT_EQ(submit(1), Lines{"8/1>0"});
    EXPECT_EQ(submit(2), Lines{"8/2>1"});
    EXPECT_EQ(lines(router.stopped()), (Lines{"8/1!the engines have stopped", "8/2!the engines have stopped"}));
    EXPECT_EQ(submit(3), Lines{"8/3!No engines connected"});
}

/// Another policy gets the engines and the request's own bytes.
TEST(RouterPolicy, IsAnInterface) {
    struct ByContent : RoutingPolicy {
        std::optional<std::size_t> choose(const std::vector<Candidate>& engines, const RequestFace& request) override {
            return std::to_integer<std::size_t>(request.bytes.at(0)) % engines.size();
        }
    };
    Router router(std::make_unique<ByContent>(), {});
    (void)router.complete(ranks({0, 1, 2}), ranks({0, 1, 2, 8}));
    const auto routed = router.submit(Rank{8}, {RequestId{1}, kBytes});
    EXPECT_EQ(std::get<Routed>(routed.at(0)).engine, Rank{2});
}

}  // namespace
}  // namespace muster::core
