// SPDX-License-Identifier: Apache-2.0
/// Replicas in a job: from a call of the controller to a group that serves, and back.
#include <gtest/gtest.h>

#include "core/ranks.hpp"
#include "replica_job.hpp"

namespace muster::core {
namespace {

using namespace controller;
using testing::ReplicaJob;

/// Groups of two. Ranks 0 and 1 are an idle group, 2 to 7 standbys, 8 and 9 clients.
struct ReplicasTest : ::testing::Test {
    ReplicaJob job{{.engines = 8, .clients = 2, .group_size = 2}};

    std::set<std::uint32_t> who_has_requests() {
        std::set<std::uint32_t> ranks;
        for (std::uint32_t rank = 0; rank < job.client(); ++rank)
            if (!job.at(rank).in_hand.empty()) ranks.insert(rank);
        return ranks;
    }
    std::string outcome(RequestId request) { return job.outcome(job.client(), request); }
};

TEST_F(ReplicasTest, ABackendsReplicasPrepareComeInAndServe) {
    const auto request = job.request("a");
    job.go_on(200);
    EXPECT_EQ(outcome(request), "Backend a is not registered.");
    job.engines_prepare = false;
    (void)job.create("a", 2);
    job.go_on(200);
    const auto early = job.request("a");
    job.go_on(200);
    EXPECT_EQ(outcome(early), "");
    job.engines_prepare = true;
    job.go_on();
    EXPECT_EQ(job.serving("a"), 2u);
    EXPECT_EQ(job.rounds_had, 1u) << "both came in one round";
    EXPECT_EQ(job.view().world.size(), 4u);
    EXPECT_EQ(outcome(early), "reply 2") << "it waited for the first of them";
    job.engines_reply = false;
    for (std::uint8_t i = 0; i < 8; ++i) (void)job.request("a", i);
    job.pass();
    EXPECT_EQ(who_has_requests(), (std::set<std::uint32_t>{0, 1, 2, 3}));
    EXPECT_TRUE(job.state().pending.empty()) << "the goal is reached";
}

TEST_F(ReplicasTest, TwoBackendsKeepToTheirOwn) {
    (void)job.create("a", 1);
    (void)job.create("b", 1);
    job.go_on();
    job.engines_reply = false;
    for (std::uint8_t i = 0; i < 6; ++i) (void)job.request("b", i);
    job.pass();
    for (const auto rank : who_has_requests()) EXPECT_EQ(job.backend_of(rank), "b") << rank;
    EXPECT_EQ(who_has_requests().size(), 2u);
}

TEST_F(ReplicasTest, AFailingPrepareLeavesTheOldWorldServing) {
    (void)job.create("a", 1);
    job.go_on();
    const auto round = job.view().round;
    for (std::uint32_t rank = 0; rank < 8; ++rank) job.at(rank).cannot_prepare = {"b"};
    (void)job.create("b", 1);
    job.go_on(3'000);
    EXPECT_EQ(job.view().round, round) << "no round happened";
    EXPECT_EQ(job.serving("b"), 0u);
    EXPECT_TRUE(job.state().pending.empty()) << "its goal has failed";
    const auto request = job.request("a");
    job.go_on();
    EXPECT_EQ(outcome(request), "reply 2");
    for (std::uint32_t rank = 0; rank < 8; ++rank) job.at(rank).cannot_prepare = {};
    const auto waits = job.request("b");
    (void)job.scale("b", 1);
    job.go_on(3'000);
    EXPECT_EQ(outcome(waits), "reply 2") << "once it can be, it is";
}

TEST_F(ReplicasTest, R13AReplicaDrainsBeforeItLeaves) {
    (void)job.create("a", 2);
    job.go_on();
    job.engines_reply = false;
    std::vector<RequestId> requests;
    for (std::uint8_t i = 0; i < 8; ++i) requests.push_back(job.request("a"));
    job.pass();
    const auto round = job.view().round;
    (void)job.scale("a", 1);
    job.go_on();
    EXPECT_EQ(job.view().round, round) << "it has requests";
    const auto before = who_has_requests();
    for (std::uint8_t i = 0; i < 4; ++i) requests.push_back(job.request("a"));
    job.pass();
    std::size_t most = 0;
    for (const auto rank : before) most = std::max(most, job.at(rank).in_hand.size());
    EXPECT_EQ(most, 4u) << "new ones go to the one that stays";
    job.engines_reply = true;
    job.go_on();
    EXPECT_EQ(job.view().world.size(), 2u);
    EXPECT_EQ(job.seats(), 1u);
    for (const auto request : requests) EXPECT_EQ(outcome(request), "reply 2");
    EXPECT_EQ(job.rounds_had, 2u);
}

TEST_F(ReplicasTest, AGraceTimeEndsADrainAndItsRequestsGoToTheOthers) {
    (void)job.create("a", 2);
    job.go_on();
    job.engines_reply = false;
    std::vector<RequestId> requests;
    for (std::uint8_t i = 0; i < 8; ++i) requests.push_back(job.request("a"));
    (void)job.scale("a", 1);
    job.go_on(22'000);
    EXPECT_EQ(job.view().world.size(), 2u);
    EXPECT_EQ(who_has_requests().size(), 2u);
    job.engines_reply = true;
    job.go_on();
    for (const auto request : requests) EXPECT_EQ(outcome(request), "reply 2");
}

TEST_F(ReplicasTest, R11ADeletedBackendsReplicasFinishAndGo) {
    (void)job.create("a", 2);
    job.go_on();
    job.engines_reply = false;
    const auto mine = job.request("a");
    job.pass();
    (void)job.remove("a");
    job.go_on();
    const auto late = job.request("a");
    job.go_on(200);
    EXPECT_EQ(outcome(late), "Backend a is not registered.");
    EXPECT_EQ(outcome(mine), "");
    job.engines_reply = true;
    job.go_on();
    EXPECT_EQ(outcome(mine), "reply 2");
    EXPECT_EQ(job.seats(), 0u);
    EXPECT_TRUE(job.state().replicas.empty());
}

TEST_F(ReplicasTest, MoreThanThereIsRoomForIsRefused) {
    const auto id = job.create("a", 5);
    job.go_on();
    EXPECT_FALSE(job.answer<CallDone>(job.client(), id));
    EXPECT_NE(job.error, "");
    EXPECT_TRUE(job.state().backends.empty());
    (void)job.create("a", 4);
    job.go_on();
    EXPECT_EQ(job.serving("a"), 4u);
}

TEST_F(ReplicasTest, ANewVersionReplacesTheOldOnePartByPart) {
    (void)job.create("a", 2, "1");
    job.go_on();
    const auto old = job.view().seats;
    std::vector<RequestId> requests;
    (void)job.create("a", 2, "2");
    for (int i = 0; i < 60; ++i) {
        requests.push_back(job.request("a"));
        job.go_on(100);
    }
    for (const auto request : requests) EXPECT_EQ(outcome(request), "reply 2");
    EXPECT_EQ(job.serving("a"), 2u);
    for (const auto seat : job.view().seats)
        EXPECT_TRUE(std::find(old.begin(), old.end(), seat) == old.end()) << seat.value << " is of the old version";
    EXPECT_TRUE(job.state().pending.empty());
}

TEST_F(ReplicasTest, WhoIsDeadIsReplacedByAStandbyThatIsToldWhatToBe) {
    (void)job.create("a", 1);
    job.go_on();
    job.engines_prepare = false;
    job.kill(1);
    job.rebuild();
    job.pass();
    const auto newcomer = job.view().world[1];
    EXPECT_EQ(job.at(newcomer.value).to_prepare.size(), 1u);
    const auto request = job.request("a");
    job.go_on(300);
    EXPECT_EQ(outcome(request), "") << "until it works nothing new is given";
    job.engines_prepare = true;
    job.go_on(300);
    EXPECT_EQ(outcome(request), "reply 2");
    EXPECT_EQ(job.state().last_replica.value, 1u) << "it is the same replica";
}

TEST_F(ReplicasTest, R6AFreshCoordinatorGoesOnWithWhatIsThere) {
    (void)job.create("a", 2);
    job.go_on();
    job.engines_reply = false;
    std::vector<RequestId> requests;
    for (std::uint8_t i = 0; i < 8; ++i) requests.push_back(job.request("a"));
    job.pass();
    job.kill(0);
    job.rebuild();
    EXPECT_NE(job.coordinator(), 0u);
    job.engines_reply = true;
    job.go_on();
    for (const auto request : requests) EXPECT_EQ(outcome(request), "reply 2");
    EXPECT_EQ(job.serving("a"), 2u);
    EXPECT_EQ(job.state().last_replica.value, 2u) << "nothing was started again";
}

TEST_F(ReplicasTest, R4AStartThatItsCoordinatorBeganIsFinishedByTheNext) {
    job.engines_prepare = false;
    (void)job.create("a", 2);
    job.pass(300);
    job.kill(0);
    job.rebuild();
    job.engines_prepare = true;
    job.go_on(3'000);
    EXPECT_EQ(job.serving("a"), 2u);
    EXPECT_EQ(job.seats(), 2u);
}

TEST_F(ReplicasTest, WhoHasPreparedInTheMiddleOfARebuildSaysSoAfterIt) {
    job.engines_prepare = false;
    (void)job.create("a", 1);
    job.pass(300);
    for (const std::uint32_t rank : {0U, 1U}) {
        ASSERT_EQ(job.at(rank).to_prepare.size(), 1u);
        job.carry_out(rank, job.board(rank).interrupted());
        job.carry_out(rank, job.board(rank).replica_prepared(job.at(rank).to_prepare.front().spec.seat, std::nullopt));
        job.at(rank).to_prepare.clear();
    }
    job.rebuild();
    job.go_on();
    EXPECT_EQ(job.serving("a"), 1u);
}

TEST_F(ReplicasTest, R3RequestsGoByWhatIsSafeOnly) {
    BackendConfig config;
    const auto call = encode(Call{Command{CreateBackend{"a", config, "{}"}}});
    job.carry_out(0, job.board(0).controller_call({CallId{1}, call, CallId{1}, {}}));
    EXPECT_TRUE(job.state().backends.contains("a")) << "here it is, and no follower has heard of it";
    const auto early = job.submit(0, 1, {Target::backend, "a"});
    EXPECT_EQ(job.outcome(0, early), "Backend a is not registered.");
    job.go_on();
    const auto late = job.submit(0, 1, {Target::backend, "a"});
    job.go_on(200);
    EXPECT_EQ(job.outcome(0, late), "reply 2");
}

TEST_F(ReplicasTest, AnUnhealthyReplicaIsReplaced) {
    (void)job.create("a", 1);
    job.go_on();
    const auto was = job.view().seats.at(0);
    job.at(job.view().world[1].value).is_well = false;
    job.go_on(45'000);
    EXPECT_EQ(job.serving("a"), 1u);
    EXPECT_NE(job.view().seats.at(0), was);
}

TEST_F(ReplicasTest, R15CopiesReachTheShadowAndNobodyHearsOfThem) {
    (void)job.create("a", 1);
    (void)job.create("b", 1);
    job.go_on();
    (void)job.call(job.client(), Command{CreateEndpoint{"e", {{"a", 1.0}}, std::nullopt, {}}});
    job.go_on(200);
    (void)job.call(job.client(), Command{ShadowTraffic{"e", "b", 1.0}});
    job.go_on(200);
    job.engines_reply = false;
    const auto request = job.submit(job.client(), 1, {Target::endpoint, "e"});
    job.pass();
    std::size_t copies = 0;
    for (const auto rank : who_has_requests())
        if (job.backend_of(rank) == "b") copies += job.at(rank).in_hand.size();
    EXPECT_EQ(copies, 1u);
    job.engines_reply = true;
    job.go_on(200);
    EXPECT_EQ(outcome(request), "reply 2");
    for (const auto& note : job.at(job.coordinator()).notes)
        EXPECT_EQ(note.find("who is not there"), std::string::npos);
}

TEST_F(ReplicasTest, R20AfterAShutdownTheWorldIsIdle) {
    (void)job.create("a", 2);
    job.go_on();
    (void)job.call(job.client(), Command{Shutdown{}});
    job.go_on();
    EXPECT_EQ(job.seats(), 0u);
    EXPECT_EQ(job.view().world.size(), 2u) << "the minimum";
    (void)job.create("b", 1);
    job.go_on();
    EXPECT_EQ(job.serving("b"), 1u);
}

}  // namespace
}  // namespace muster::core
