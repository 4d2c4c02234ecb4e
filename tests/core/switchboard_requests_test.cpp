// SPDX-License-Identifier: Apache-2.0
/// Requests from a client to an engine and back, through the coordinator; and what the end of the job leaves of them.
#include <gtest/gtest.h>

#include "fake_members.hpp"

namespace muster::core {
namespace {

using testing::FakeMembers;

/// 3 engines (0 to 2), one standby (3), two clients (4 and 5).
struct RequestsTest : ::testing::Test {
    FakeMembers job{{.engines = 3, .standbys = 1, .clients = 2}};
    const std::uint32_t client = job.client(0), other = job.client(1);

    std::size_t notes_with(std::uint32_t rank, const std::string& part) {
        std::size_t count = 0;
        for (const auto& note : job.at(rank).notes)
            if (note.find(part) != std::string::npos) ++count;
        return count;
    }
    Bytes packet(std::uint32_t from, std::uint64_t sequence, Message message) {
        return encode({job.view().round, Rank{from}, sequence, 0, std::move(message)});
    }
    void receive(std::uint32_t rank, std::uint32_t from, std::uint64_t sequence, Message message) {
        job.carry_out(rank, job.board(rank).received(Rank{from}, packet(from, sequence, std::move(message))));
    }
};

TEST_F(RequestsTest, EachRequestIsAnsweredOnce) {
    std::vector<RequestId> mine, theirs;
    for (std::uint8_t i = 0; i < 20; ++i) {
        mine.push_back(job.submit(client, i));
        theirs.push_back(job.submit(other, static_cast<std::uint8_t>(100 + i)));
        job.run(3);
    }
    job.settle();
    for (std::size_t i = 0; i < 20; ++i) {
        EXPECT_EQ(job.outcome(client, mine[i]), "reply " + std::to_string(i + 1));
        EXPECT_EQ(job.outcome(other, theirs[i]), "reply " + std::to_string(i + 101));
    }
    EXPECT_EQ(job.board(0).router().open(), 0u);
}

TEST_F(RequestsTest, M16RequestsGoRoundThroughTheEngines) {
    job.engines_reply = false;
    for (std::uint8_t i = 0; i < 6; ++i) (void)job.submit(client, i);
    job.settle();
    for (std::uint32_t rank = 0; rank < 3; ++rank) EXPECT_EQ(job.at(rank).in_hand.size(), 2u);
}

TEST_F(RequestsTest, M16WithoutEnginesTheAnswerComesAtOnce) {
    for (std::uint32_t rank = 0; rank < 3; ++rank) {
        job.carry_out(rank, job.board(rank).leaving());
        job.settle();
    }
    const auto request = job.submit(client, 1);
    job.settle();
    EXPECT_EQ(job.outcome(client, request), "No engines connected");
    EXPECT_EQ(job.at(client).requests[request].at(0).error->fault, Fault::refused);
    EXPECT_EQ(job.at(0).leavers_heard, testing::ranks({0, 1, 2}));
}

TEST_F(RequestsTest, M17ALeavingEnginesRequestsGoToTheNextAndItGetsNoMore) {
    job.engines_reply = false;
    std::vector<RequestId> requests;
    for (std::uint8_t i = 0; i < 6; ++i) requests.push_back(job.submit(client, i));
    job.settle();
    job.carry_out(1, job.board(1).leaving());
    job.settle();
    EXPECT_EQ(job.at(0).in_hand.size() + job.at(2).in_hand.size(), 6u);
    job.rebuild();  // Engine 1 is in it still.
    for (std::uint8_t i = 6; i < 9; ++i) requests.push_back(job.submit(client, i));
    job.settle();
    EXPECT_EQ(job.at(1).in_hand.size(), 2u) << "those from before";
    job.at(1).in_hand.clear();
    job.engines_reply = true;
    job.settle();
    for (const auto request : requests) EXPECT_EQ(job.outcome(client, request).substr(0, 5), "reply");
}

TEST_F(RequestsTest, M17ADeadEnginesRequestsAreGivenToAnother) {
    job.engines_reply = false;
    std::vector<RequestId> requests;
    for (std::uint8_t i = 0; i < 6; ++i) requests.push_back(job.submit(client, i));
    job.settle();
    job.kill(2);
    job.rebuild();
    job.engines_reply = true;
    job.settle();
    for (std::uint8_t i = 0; i < 6; ++i) EXPECT_EQ(job.outcome(client, requests[i]), "reply " + std::to_string(i + 1));
    EXPECT_EQ(job.board(0).router().engines(), testing::ranks({0, 1, 3}));
}

TEST_F(RequestsTest, M7RequestsOfAPausedJobWait) {
    (void)job.ask(client, Wanted::pause);
    job.settle();
    job.engines_reply = false;  // As a paused engine does.
    const auto request = job.submit(client, 3);
    job.settle();
    EXPECT_EQ(job.outcome(client, request), "");
    EXPECT_EQ(job.board(0).router().open(), 1u);
    (void)job.ask(client, Wanted::unpause);
    job.engines_reply = true;
    job.settle();
    EXPECT_EQ(job.outcome(client, request), "reply 4");
}

TEST_F(RequestsTest, M11StopEndsWhatIsOpenAndTheIdsAreFreeAgain) {
    job.engines_reply = false;
    for (std::uint8_t i = 0; i < 3; ++i) (void)job.submit(client, i);  // One to each engine.
    job.settle();
    (void)job.ask(other, Wanted::stopped);
    job.settle();
    for (std::uint64_t id = 1; id <= 3; ++id) {
        EXPECT_EQ(job.outcome(client, RequestId{id}), "the engines have stopped");
        EXPECT_EQ(job.at(client).requests[RequestId{id}].at(0).error->fault, Fault::ended);
    }
    for (std::uint32_t rank = 0; rank < 3; ++rank) job.at(rank).in_hand.clear();
    job.at(client).requests.clear();
    job.engines_reply = true;
    (void)job.ask(other, Wanted::start);
    job.settle();
    for (std::uint64_t id = 1; id <= 3; ++id)  // In turn, so each to the engine that had it.
        job.carry_out(client, job.board(client).submit(RequestId{id}, {std::byte{7}}));
    job.settle();
    for (std::uint64_t id = 1; id <= 3; ++id) EXPECT_EQ(job.outcome(client, RequestId{id}), "reply 8");
}

TEST_F(RequestsTest, ADeliveryThatIsInProgressHereIsIgnored) {
    job.engines_reply = false;
    (void)job.submit(client, 1);
    job.settle();
    ASSERT_EQ(job.at(0).in_hand.size(), 1u);
    (void)job.submit(client, 2);
    job.settle();
    ASSERT_EQ(job.at(1).in_hand.size(), 1u);
    const message::Deliver again{Rank{client}, RequestId{2}, {std::byte{2}}};
    receive(1, 0, 2, again);
    EXPECT_EQ(job.at(1).in_hand.size(), 1u);
    receive(1, 0, 3, message::Deliver{Rank{other}, RequestId{2}, {std::byte{2}}});
    EXPECT_EQ(job.at(1).in_hand.size(), 2u) << "another client's";
}

TEST_F(RequestsTest, ADeliveryToAStandbyOrFromAnybodyElseIsDropped) {
    const message::Deliver deliver{Rank{client}, RequestId{1}, {std::byte{1}}};
    receive(3, 0, 1, deliver);
    receive(2, 1, 1, deliver);
    EXPECT_TRUE(job.at(3).in_hand.empty());
    EXPECT_TRUE(job.at(2).in_hand.empty());
    EXPECT_EQ(notes_with(3, "earlier round"), 1u);
    EXPECT_EQ(notes_with(2, "earlier round"), 1u);
}

TEST_F(RequestsTest, ASecondAnswerIsDroppedWithANote) {
    const auto request = job.submit(client, 1);
    job.settle();
    EXPECT_EQ(job.outcome(client, request), "reply 2");
    job.carry_out(1, job.board(1).reply(Rank{client}, request, {std::byte{9}}));
    job.settle();
    EXPECT_EQ(job.outcome(client, request), "reply 2");
    EXPECT_EQ(notes_with(client, "not open"), 1u);
}

TEST_F(RequestsTest, AReplyToNobodyIsDropped) {
    job.carry_out(1, job.board(1).reply(Rank{77}, RequestId{1}, {std::byte{9}}));
    job.settle();
    EXPECT_EQ(notes_with(0, "for rank 77, who is not there"), 1u);
    job.carry_out(1, job.board(1).reply(Rank{2}, RequestId{1}, {std::byte{9}}));  // A member that never asked.
    job.settle();
    EXPECT_EQ(notes_with(2, "not open"), 1u);
    EXPECT_EQ(job.count("answer"), 1u);
}

TEST_F(RequestsTest, AVanishedClientHarmsNobody) {
    job.engines_reply = false;
    job.engines_cross = false;
    (void)job.submit(other, 50);
    (void)job.submit(client, 1);
    (void)job.ask(other, Wanted::pause);
    job.settle();
    job.kill(other);
    job.rebuild();
    job.engines_reply = job.engines_cross = true;
    const auto request = job.submit(client, 2);
    const auto pause = job.ask(client, Wanted::pause);
    job.settle();
    EXPECT_EQ(job.outcome(client, request), "reply 3");
    EXPECT_EQ(job.outcome(client, pause), "done");
    EXPECT_EQ(job.board(0).router().open(), 0u);
    EXPECT_EQ(job.at(0).history.size(), 1u) << "its signal was given and stays";
    EXPECT_EQ(notes_with(0, "told"), 0u) << "nobody tries to tell it";
}

TEST_F(RequestsTest, AnIdThatIsInUseIsNotSentTwice) {
    job.engines_reply = false;
    job.carry_out(client, job.board(client).submit(RequestId{5}, {std::byte{1}}));
    job.carry_out(client, job.board(client).submit(RequestId{5}, {std::byte{2}}));
    job.settle();
    EXPECT_EQ(job.count("submit"), 1u);
    EXPECT_EQ(notes_with(client, "under way"), 1u);
}

TEST_F(RequestsTest, WhatIsTooLargeIsRefused) {
    const auto effects = job.board(client).submit(RequestId{1}, Bytes(kRequestMax + 1));
    ASSERT_EQ(effects.size(), 1u);
    EXPECT_EQ(std::get<RequestEnded>(effects[0]).error->fault, Fault::refused);
}

TEST_F(RequestsTest, TheCoordinatorsOwnClientAndEngineNeedNoNetwork) {
    FakeMembers alone{{.engines = 1, .standbys = 0, .clients = 0, .group_size = 1}};
    const auto request = alone.submit(0, 7);
    alone.settle();
    EXPECT_EQ(alone.outcome(0, request), "reply 8");
    EXPECT_TRUE(alone.sent.empty());
}

TEST_F(RequestsTest, AtTheEndAStopThatWasCrossedIsDoneAndTheRestHasEnded) {
    job.engines_cross = job.engines_reply = false;
    const auto stop = job.ask(client, Wanted::stopped), start = job.ask(client, Wanted::start);
    const auto request = job.submit(client, 1);
    job.run(20);
    LifecycleFacts agreed;
    agreed.crossed = 2, agreed.state = State::stopped;
    job.carry_out(client, job.board(client).ended(agreed, Error{Fault::ended, "the job is over"}));
    EXPECT_EQ(job.outcome(client, stop), "done");
    EXPECT_EQ(job.outcome(client, start), "the job is over");
    EXPECT_EQ(job.outcome(client, request), "the job is over");
    EXPECT_EQ(job.outcome(client, job.ask(client, Wanted::pause)), "the job is over");
    EXPECT_EQ(job.outcome(client, job.submit(client, 1)), "the job is over");
}

TEST_F(RequestsTest, AtTheEndAStopThatNobodyCrossedHasEnded) {
    job.engines_cross = false;
    const auto stop = job.ask(client, Wanted::stopped);
    job.settle();
    job.carry_out(client, job.board(client).ended(job.board(client).facts(), Error{Fault::ended, "rank 3 aborted"}));
    EXPECT_EQ(job.outcome(client, stop), "rank 3 aborted");
}

}  // namespace
}  // namespace muster::core
