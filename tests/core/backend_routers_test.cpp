// SPDX-License-Identifier: Apache-2.0
/// Requests by endpoint and backend: each backend has a router over its own replicas' engines.
#include "core/backend_routers.hpp"

#include <gtest/gtest.h>

#include "router_support.hpp"

namespace muster::core {
namespace {

using testing::fault_of;
using testing::Lines;
using testing::lines;
using testing::ranks;
using testing::ranks_up_to;

const Rank kClient{8};

message::Submit to_backend(std::uint64_t id, const std::string& backend) {
    message::Submit submit{RequestId{id}, {std::byte{1}}};
    submit.target = {Target::backend, backend};
    return submit;
}
message::Submit to_endpoint(std::uint64_t id, const std::string& endpoint) {
    message::Submit submit{RequestId{id}, {std::byte{1}}};
    submit.target = {Target::endpoint, endpoint};
    return submit;
}
message::Reply reply_to(std::uint64_t id, Rank client = kClient) { return {client, RequestId{id}, {}, id}; }

/// Engines 0 and 1 are a's, 2 and 3 are b's; 4 and 5 are idle. 8 and 9 are clients.
struct BackendRoutersTest : ::testing::Test {
    BackendRouters routers{{}, true};
    std::vector<ReplicaEngines> both{{"a", ranks({0, 1})}, {"b", ranks({2, 3})}};

    BackendRoutersTest() {
        EXPECT_EQ(lines(routers.plan({{"a", "b", "c"}, {{"e", {{{"a", 1.0}}, {}}}}})), Lines{});
        EXPECT_EQ(lines(routers.serve(both)), Lines{});
        EXPECT_EQ(lines(round()), Lines{});
    }
    Routings round(const std::vector<Rank>& members = ranks_up_to(10)) {
        const auto engines = ranks_up_to(6);
        return routers.complete(engines, members, engines);
    }
    Lines submit(message::Submit submit) { return lines(routers.submit(kClient, std::move(submit))); }
};

TEST_F(BackendRoutersTest, EachBackendHasItsOwnEngines) {
    EXPECT_EQ(submit(to_backend(1, "b")), Lines{"8/1>2"});
    EXPECT_EQ(submit(to_endpoint(2, "e")), Lines{"8/2>0"});
    EXPECT_EQ(submit(to_backend(3, "b")), Lines{"8/3>3"});
    EXPECT_EQ(submit(to_endpoint(4, "e")), Lines{"8/4>1"});
    EXPECT_EQ(submit(to_endpoint(4, "e")), Lines{}) << "a repeat";
    EXPECT_EQ(routers.ongoing(), (std::map<std::string, std::uint64_t>{{"a", 2}, {"b", 2}}));
    EXPECT_EQ(routers.in_flight(Rank{2}), 1u);
    EXPECT_EQ(lines(routers.reply(Rank{2}, reply_to(1))), Lines{"8/1="});
    EXPECT_EQ(routers.in_flight(Rank{2}), 0u);
    EXPECT_EQ(routers.ongoing().at("b"), 1u);
    EXPECT_EQ(routers.open(), 3u);
}

TEST_F(BackendRoutersTest, WhatIsNotThereIsRefusedByName) {
    EXPECT_EQ(submit(to_endpoint(1, "other")), Lines{"8/1!Endpoint other is not registered."});
    EXPECT_EQ(submit(to_backend(2, "other")), Lines{"8/2!Backend other is not registered."});
    EXPECT_NE(submit({RequestId{3}, {}}).at(0).find("must name an endpoint"), std::string::npos);
    EXPECT_EQ(fault_of(routers.submit(kClient, to_backend(4, "other"))), Fault::refused);
    EXPECT_EQ(routers.open(), 0u);
    EXPECT_TRUE(routers.ongoing().empty());
}

TEST_F(BackendRoutersTest, ASlotNamesItsEnginesBackend) {
    message::Submit pinned{RequestId{1}, {}, Slot{3}};
    EXPECT_EQ(submit(pinned), Lines{"8/1>3"});
    pinned = {RequestId{2}, {}, Slot{4}};
    EXPECT_EQ(submit(pinned), Lines{"8/2!the engine at slot 4 serves no backend"});
    pinned = {RequestId{3}, {}, Slot{6}};
    EXPECT_EQ(submit(pinned), Lines{"8/3!slot 6 is not there: the world has 6 slots"});
}

TEST_F(BackendRoutersTest, ABackendWithoutReplicasKeepsItsRequests) {
    EXPECT_EQ(submit(to_backend(1, "c")), Lines{}) << "not busy, not refused";
    EXPECT_EQ(submit(to_backend(2, "c")), Lines{});
    EXPECT_EQ(routers.held(), 2u);
    EXPECT_EQ(lines(round()), Lines{}) << "nor by a round that brings nobody";
    both.push_back({"c", ranks({4})});
    EXPECT_EQ(lines(routers.serve(both)), (Lines{"8/1>4", "8/2>4"}));
}

TEST_F(BackendRoutersTest, R11ADeletedBackendsWaitingRequestsAreRefusedByName) {
    (void)routers.submit(kClient, to_backend(1, "c"));
    (void)routers.submit(kClient, to_backend(2, "a"));
    EXPECT_EQ(lines(routers.plan({{"b"}, {}})), Lines{"8/1!Backend c is not registered."});
    EXPECT_EQ(submit(to_backend(3, "a")), Lines{"8/3!Backend a is not registered."});
    both[0].takes = false;
    EXPECT_EQ(lines(routers.serve(both)), Lines{}) << "what runs is finished";
    EXPECT_EQ(lines(routers.reply(Rank{0}, reply_to(2))), Lines{"8/2="});
    EXPECT_EQ(lines(routers.plan({{"a", "b"}, {}})), Lines{});
    EXPECT_EQ(submit(to_backend(4, "a")), Lines{}) << "created again while the old replicas drain: it waits";
}

TEST_F(BackendRoutersTest, WhatADeletedBackendsReplicaLeavesIsRefusedToo) {
    (void)routers.submit(kClient, to_backend(1, "a"));
    EXPECT_EQ(lines(routers.plan({{"b"}, {}})), Lines{});
    EXPECT_EQ(lines(routers.serve({{"b", ranks({2, 3})}})), Lines{"8/1!Backend a is not registered."});
    EXPECT_EQ(routers.open(), 0u);
}

TEST_F(BackendRoutersTest, AReplicaThatDrainsKeepsWhatItHasAndGetsNothing) {
    both = {{"a", ranks({0})}, {"a", ranks({1})}};
    (void)routers.serve(both);
    EXPECT_EQ(submit(to_backend(1, "a")), Lines{"8/1>0"});
    both[0].takes = false;
    EXPECT_EQ(lines(routers.serve(both)), Lines{});
    EXPECT_EQ(submit(to_backend(2, "a")), Lines{"8/2>1"});
    EXPECT_EQ(submit(to_backend(3, "a")), Lines{"8/3>1"});
    EXPECT_EQ(routers.in_flight(Rank{0}), 1u) << "so it is not drained yet";
    both[1].takes = false;
    (void)routers.serve(both);
    EXPECT_EQ(submit(to_backend(4, "a")), Lines{}) << "waits: nobody takes";
    EXPECT_EQ(lines(routers.reply(Rank{0}, reply_to(1))), Lines{"8/1="}) << "its place is given to nobody";
    both[1].takes = true;
    EXPECT_EQ(lines(routers.serve(both)), Lines{"8/4>1"});
}

TEST_F(BackendRoutersTest, WhatAReplicaHadWhenItWentGoesToAnother) {
    both = {{"a", ranks({0})}, {"a", ranks({1})}};
    (void)routers.serve(both);
    (void)routers.submit(kClient, to_backend(1, "a"));
    both.erase(both.begin());
    EXPECT_EQ(lines(routers.serve(both)), Lines{"8/1>1"});
}

TEST_F(BackendRoutersTest, InARebuildRequestsWaitAndTheNextRoundsReplicasGetThem) {
    (void)routers.submit(kClient, to_backend(1, "a"));
    routers.interrupted();
    EXPECT_EQ(submit(to_backend(2, "b")), Lines{});
    EXPECT_EQ(submit(to_backend(3, "other")), Lines{"8/3!Backend other is not registered."});
    EXPECT_EQ(lines(routers.serve({{"a", ranks({5})}, {"b", ranks({2})}})), Lines{}) << "not before the round";
    EXPECT_EQ(lines(round()), (Lines{"8/1>5", "8/2>2"}));
}

TEST_F(BackendRoutersTest, AClientThatIsGoneIsForgotten) {
    (void)routers.submit(kClient, to_backend(1, "a"));
    (void)routers.submit(kClient, to_backend(2, "c"));
    EXPECT_EQ(lines(round(ranks_up_to(8))), Lines{});
    EXPECT_EQ(routers.open(), 0u);
    EXPECT_TRUE(routers.ongoing().empty());
}

TEST_F(BackendRoutersTest, R15ACopysReplyIsSeenByNobody) {
    (void)routers.plan({{"a", "b", "c"}, {{"e", {{{"a", 1.0}}, {{"b", 1.0}, {"c", 1.0}}}}}});
    const auto copied = routers.submit(kClient, to_endpoint(1, "e"));
    ASSERT_EQ(copied.size(), 2u) << "the one, and a copy to b; c has nobody, and copies do not wait";
    const auto& copy = std::get<Routed>(copied[0]);
    EXPECT_EQ(copy.engine, Rank{2});
    EXPECT_TRUE(is_shadow(copy.deliver.client));
    EXPECT_EQ(copy.deliver.bytes.size(), 1u);
    EXPECT_EQ(routers.in_flight(Rank{2}), 1u);
    EXPECT_EQ(lines(routers.reply(Rank{2}, reply_to(1, copy.deliver.client))), Lines{});
    EXPECT_EQ(routers.in_flight(Rank{2}), 0u);
    EXPECT_EQ(lines(routers.reply(Rank{0}, reply_to(1))), Lines{"8/1="});
    auto again = to_endpoint(2, "e");
    again.again = true;
    EXPECT_EQ(submit(again), Lines{"8/2>1"}) << "what comes again has been copied";
    EXPECT_FALSE(routers.ongoing().contains("b"));
}

TEST_F(BackendRoutersTest, ACopyThatFindsNoRoomIsDroppedInSilence) {
    BackendRouters bounded({.queue_max_per_engine = 1}, true);
    (void)bounded.plan({{"a", "b"}, {{"e", {{{"a", 1.0}}, {{"b", 1.0}}}}}});
    (void)bounded.serve({{"a", ranks({0, 1})}, {"b", ranks({2})}});
    (void)bounded.complete(ranks_up_to(6), ranks_up_to(10), ranks_up_to(6));
    EXPECT_EQ(bounded.submit(kClient, to_endpoint(1, "e")).size(), 2u);
    EXPECT_EQ(lines(bounded.submit(kClient, to_endpoint(2, "e"))), Lines{"8/2>1"});
}

TEST(BackendRouters, UntilItIsKnownWhatThereIsEverythingWaits) {
    BackendRouters routers({}, true);
    (void)routers.serve({{"a", ranks({0})}});
    (void)routers.complete(ranks({0}), ranks_up_to(10), ranks({0}));
    EXPECT_EQ(lines(routers.submit(kClient, to_endpoint(1, "e"))), Lines{});
    EXPECT_EQ(lines(routers.submit(kClient, to_endpoint(1, "e"))), Lines{}) << "a repeat";
    EXPECT_EQ(lines(routers.submit(kClient, to_endpoint(2, "other"))), Lines{});
    EXPECT_EQ(lines(routers.submit(kClient, to_endpoint(3, "e"))), Lines{});
    EXPECT_EQ(lines(routers.abort(kClient, RequestId{3})).size(), 1u);
    EXPECT_EQ(lines(routers.plan({{"a"}, {{"e", {{{"a", 1.0}}, {}}}}})),
              (Lines{"8/1>0", "8/2!Endpoint other is not registered."}));
}

TEST(BackendRouters, AReplyToWhatAnEarlierCoordinatorGaveAwayReachesItsClient) {
    BackendRouters routers({}, true);
    (void)routers.plan({{"a"}, {}});
    (void)routers.complete(ranks({0}), ranks_up_to(10), ranks({0}));
    EXPECT_EQ(lines(routers.reply(Rank{0}, reply_to(1))), Lines{"8/1="});
    EXPECT_EQ(lines(routers.reply(Rank{0}, reply_to(1, shadow_of(kClient)))), Lines{});
}

TEST_F(BackendRoutersTest, M11AStopAnswersEverything) {
    (void)routers.submit(kClient, to_backend(1, "a"));
    (void)routers.submit(kClient, to_backend(2, "c"));
    EXPECT_EQ(routers.stopped().size(), 2u);
    EXPECT_EQ(routers.open(), 0u);
    EXPECT_EQ(submit(to_backend(3, "a")), Lines{std::string("8/3!") + kNoEngines});
}

TEST_F(BackendRoutersTest, ALeaversRequestsGoToItsBackendsOthers) {
    (void)routers.submit(kClient, to_backend(1, "b"));
    EXPECT_EQ(lines(routers.engine_gone(Rank{2})), Lines{"8/1>3"});
    (void)routers.engine_gone(Rank{3});
    EXPECT_EQ(lines(routers.engine_registers(Rank{2})), Lines{"8/1>2"}) << "late (M16)";
}

TEST(BackendRouters, WithoutAControllerThereIsOneRouter) {
    BackendRouters routers({}, false);
    (void)routers.complete(ranks({0, 1}), ranks_up_to(10), ranks({0, 1}));
    EXPECT_EQ(lines(routers.submit(kClient, {RequestId{1}, {}})), Lines{"8/1>0"});
    EXPECT_EQ(lines(routers.submit(kClient, {RequestId{2}, {}})), Lines{"8/2>1"});
    EXPECT_EQ(routers.only().open(), 2u);
    EXPECT_EQ(lines(routers.reply(Rank{0}, reply_to(1))), Lines{"8/1="});
}

TEST(BackendRouters, WithoutAControllerNobodyServesAnEndpoint) {
    BackendRouters routers({}, false);
    (void)routers.complete(ranks({0, 1}), ranks_up_to(10), ranks({0, 1}));
    EXPECT_EQ(lines(routers.submit(kClient, to_endpoint(1, "e"))),
              Lines{"8/1!the job has no controller (Config::controller): nobody serves endpoint e"});
}

}  // namespace
}  // namespace muster::core
