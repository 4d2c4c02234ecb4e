// SPDX-License-Identifier: Apache-2.0
/// What a client asks for, what the coordinator makes of it, and when the client is told.
#include <gtest/gtest.h>

#include "fake_members.hpp"

namespace muster::core {
namespace {

using testing::FakeMembers;

/// 4 engines (0 to 3), one standby (4), two clients (5 and 6).
struct SignalsTest : ::testing::Test {
    FakeMembers job{{.engines = 4, .standbys = 1, .clients = 2}};
    const std::uint32_t client = job.client(0), other = job.client(1);

    std::string settled(Wanted wanted) { return settled(wanted, client); }
    std::string settled(Wanted wanted, std::uint32_t who) {
        const auto operation = job.ask(who, wanted);
        job.settle();
        return job.outcome(who, operation);
    }
    /// What every engine has crossed, the same on all; empty where they differ.
    std::vector<Signal> crossed() {
        std::vector<Signal> list;
        for (const auto& [number, one] : job.at(0).history) list.push_back(one.signal);
        for (std::uint32_t rank = 0; rank < 4; ++rank)
            if (job.at(rank).history != job.at(0).history) return {};
        return list;
    }
    void reach(State state) {
        if (state == State::running) return;
        ASSERT_EQ(settled(Wanted::pause), "done");
        if (state == State::paused) return;
        ASSERT_EQ(settled(Wanted::suspend), "done");
    }
    std::size_t notes_with(std::uint32_t rank, const std::string& part) {
        std::size_t count = 0;
        for (const auto& note : job.at(rank).notes)
            if (note.find(part) != std::string::npos) ++count;
        return count;
    }
};

TEST_F(SignalsTest, M2PauseReachesEveryMemberAndTheCoordinatorsStateAtOnce) {
    job.engines_cross = false;
    EXPECT_EQ(settled(Wanted::pause), "") << "nobody has crossed";
    for (std::uint32_t rank = 0; rank < 7; ++rank) {
        ASSERT_EQ(job.at(rank).signals.size(), 1u) << "rank " << rank;
        EXPECT_EQ(job.at(rank).signals[0].signal, Signal::pause);
        EXPECT_EQ(wanted_state(job.board(rank).facts()), State::paused);
    }
    // At once: another client's UNPAUSE is legal before anybody has crossed.
    EXPECT_EQ(settled(Wanted::unpause, other), "");
    EXPECT_EQ(job.at(3).signals.size(), 2u);
}

TEST_F(SignalsTest, M2NoMemberSendsASignalToMoreThanItsTreeSays) {
    EXPECT_EQ(settled(Wanted::pause), "done");
    std::map<Rank, int> tells;
    for (const auto& one : job.sent)
        if (one.kind == "tell") ++tells[one.from];
    EXPECT_EQ(job.count("tell"), 6u) << "each other member once";
    for (const auto& [rank, count] : tells) EXPECT_LE(count, 2) << rank.value;
}

TEST_F(SignalsTest, ToldOnlyAfterAllHaveEnteredTheBarrierAndTheCoordinatorIsThrough) {
    const auto operation = job.ask(client, Wanted::pause);
    while (job.outcome(client, operation).empty()) {
        ASSERT_TRUE(job.step());
        EXPECT_TRUE(job.outcome(client, operation).empty() || job.at(0).crossed == 1);
    }
    for (std::uint32_t rank = 0; rank < 4; ++rank) EXPECT_EQ(job.at(rank).signals.size(), 1u);
}

TEST_F(SignalsTest, M3ARepeatIsNotBroadcastAndIsToldWithTheFirst) {
    job.engines_cross = false;
    const auto first = job.ask(client, Wanted::pause);
    job.settle();
    const auto tells = job.count("tell");
    const auto repeat = job.ask(other, Wanted::pause);
    job.settle();
    EXPECT_EQ(job.count("tell"), tells);
    EXPECT_EQ(job.outcome(other, repeat), "") << "on its way, not there yet";
    job.engines_cross = true;
    job.settle();
    EXPECT_EQ(job.outcome(client, first), "done");
    EXPECT_EQ(job.outcome(other, repeat), "done");
    EXPECT_EQ(settled(Wanted::pause), "done") << "in PAUSED";
    EXPECT_EQ(settled(Wanted::suspend), "done");
    EXPECT_EQ(settled(Wanted::pause), "done") << "in SUSPENDED: nothing happens";
    EXPECT_EQ(crossed(), (std::vector{Signal::pause, Signal::suspend}));
}

TEST_F(SignalsTest, M12WhatIsNotLegalIsRefusedWithTheReasonAndReachesNoEngine) {
    const std::map<State, std::vector<Wanted>> illegal = {
        {State::running, {Wanted::unpause, Wanted::suspend, Wanted::resume, Wanted::stop}},
        {State::paused, {Wanted::resume}},
        {State::suspended, {Wanted::unpause}},
    };
    for (const State state : {State::running, State::paused, State::suspended}) {
        SCOPED_TRACE(name_of(state));
        FakeMembers fresh{{.engines = 4, .standbys = 1, .clients = 2}};
        std::swap(job, fresh);
        reach(state);
        const auto before = crossed();
        const auto tells = job.count("tell");
        for (const Wanted wanted : illegal.at(state)) {
            const auto outcome = settled(wanted);
            EXPECT_NE(outcome, "");
            EXPECT_NE(outcome, "done");
            EXPECT_EQ(job.at(client).operations.rbegin()->second.at(0).error->fault, Fault::refused);
        }
        EXPECT_EQ(job.count("tell"), tells);
        EXPECT_EQ(crossed(), before);
        EXPECT_EQ(notes_with(0, "refused: "), illegal.at(state).size()) << "a warning each";
    }
}

TEST_F(SignalsTest, M14NoEngineAnswersASignal) {
    job.settle();
    job.sent.clear();  // What the round itself has begun with.
    EXPECT_EQ(settled(Wanted::suspended), "done");
    EXPECT_EQ(settled(Wanted::resume), "done");
    EXPECT_EQ(settled(Wanted::stopped), "done");
    // What goes up from an engine is the transport's own: bare acknowledgements, of whatever message.
    for (const auto& one : job.sent)
        if (one.from.value < 4 && one.from.value != 0) {
            EXPECT_TRUE(one.kind == "acknowledgement" || (one.kind == "tell" && one.to != Rank{0})) << one.kind;
        }
}

TEST_F(SignalsTest, M14ConnectIsDoneWhenTheCoordinatorSaysSo) {
    job.carry_out(client, job.board(client).connect());
    EXPECT_EQ(job.at(client).connected, 0u);
    job.settle();
    EXPECT_EQ(job.at(client).connected, 1u);
    job.carry_out(client, job.board(client).connect());
    EXPECT_EQ(job.at(client).connected, 2u) << "another Client of the process need not wait";
    EXPECT_EQ(job.count("connect"), 1u);
}

TEST_F(SignalsTest, CompoundStopAndSuspendTakeTheLegalPath) {
    EXPECT_EQ(settled(Wanted::suspended), "done");
    EXPECT_EQ(settled(Wanted::suspended, other), "done") << "already there";
    EXPECT_EQ(crossed(), (std::vector{Signal::pause, Signal::suspend}));
    EXPECT_EQ(settled(Wanted::stopped), "done");
    EXPECT_EQ(settled(Wanted::stopped, other), "done");
    EXPECT_EQ(crossed(), (std::vector{Signal::pause, Signal::suspend, Signal::stop}));
    EXPECT_EQ(job.board(0).facts().state, State::stopped);
}

TEST_F(SignalsTest, CompoundStopFromRunningPausesFirstAndIsToldAfterTheLastBarrier) {
    const auto operation = job.ask(client, Wanted::stopped);
    while (job.outcome(client, operation).empty()) ASSERT_TRUE(job.step());
    EXPECT_EQ(job.at(0).crossed, 2u);
    EXPECT_EQ(settled(Wanted::suspended).substr(0, 20), "No engines connected");
}

TEST_F(SignalsTest, M18AfterStopEnginesMayBeStartedAgain) {
    EXPECT_NE(settled(Wanted::start), "done") << "they run";
    EXPECT_EQ(settled(Wanted::stopped), "done");
    EXPECT_EQ(settled(Wanted::pause).substr(0, 20), "No engines connected");
    const auto request = job.submit(client, 5);
    job.settle();
    EXPECT_EQ(job.outcome(client, request), "No engines connected");
    EXPECT_EQ(settled(Wanted::start), "done");
    const auto next = job.submit(client, 5);
    job.settle();
    EXPECT_EQ(job.outcome(client, next), "reply 6");
    EXPECT_EQ(settled(Wanted::pause), "done");
}

/// Packets by hand, since a true client connects by itself.
TEST_F(SignalsTest, M20WhoHasNotConnectedIsIgnored) {
    const Bytes ask = encode({job.view().round, Rank{other}, 1, 0, message::Ask{OperationId{1}, Wanted::pause}});
    job.carry_out(0, job.board(0).received(Rank{other}, ask));
    const Bytes submit = encode({job.view().round, Rank{other}, 2, 0, message::Submit{RequestId{1}, {}}});
    job.carry_out(0, job.board(0).received(Rank{other}, submit));
    EXPECT_EQ(notes_with(0, "not connected"), 2u);
    job.settle();
    EXPECT_EQ(job.count("tell") + job.count("told") + job.count("deliver") + job.count("answer"), 0u);
    EXPECT_EQ(job.board(0).facts().pending.size(), 0u);
}

TEST_F(SignalsTest, M20ASecondConnectIsIgnored) {
    for (std::uint64_t number = 1; number <= 2; ++number) {
        const Bytes connect = encode({job.view().round, Rank{other}, number, 0, message::Connect{}});
        job.carry_out(0, job.board(0).received(Rank{other}, connect));
    }
    EXPECT_EQ(job.count("connected"), 1u);
    EXPECT_EQ(notes_with(0, "connects again"), 1u);
}

TEST_F(SignalsTest, AStrangersSignalAndOneFromBesideTheTreeAreDropped) {
    const auto tell = [this](std::uint32_t from, std::uint64_t sequence) {
        return encode({job.view().round, Rank{from}, sequence, 0,
                       message::Tell{{1, Signal::pause, Rank{client}, OperationId{1}}, 0}});
    };
    job.carry_out(3, job.board(3).received(Rank{99}, tell(99, 1)));
    EXPECT_EQ(notes_with(3, "stranger"), 1u);
    job.carry_out(3, job.board(3).received(Rank{2}, tell(2, 1)));  // Above 3 is 1, with two below each.
    EXPECT_EQ(notes_with(3, "not above"), 1u);
    EXPECT_TRUE(job.at(3).signals.empty());
    job.carry_out(3, job.board(3).received(Rank{1}, tell(1, 1)));
    EXPECT_EQ(job.at(3).signals.size(), 1u);
    job.carry_out(0, job.board(0).received(Rank{1}, tell(1, 1)));
    EXPECT_TRUE(job.at(0).signals.empty()) << "nobody is above the coordinator";
}

TEST_F(SignalsTest, ASignalThatLeavesAGapIsDropped) {
    for (const std::uint64_t number : {1u, 3u}) {
        const message::Tell tell{{number, Signal::pause, Rank{client}, OperationId{1}}, number / 2};
        job.carry_out(3, job.board(3).received(Rank{1}, encode({job.view().round, Rank{1}, 1 + number / 2, 0, tell})));
    }
    EXPECT_EQ(job.at(3).signals.size(), 1u);
    EXPECT_EQ(job.board(3).facts().crossed, 0u) << "nothing of it is believed";
    EXPECT_EQ(notes_with(3, "signal 3"), 1u);
}

TEST_F(SignalsTest, WhoCrossesNoBarrierHearsOfThemWithTheNextSignal) {
    for (std::uint32_t i = 0; i < 10; ++i) {
        ASSERT_EQ(settled(Wanted::pause), "done");
        ASSERT_EQ(settled(Wanted::unpause), "done");
    }
    for (const std::uint32_t rank : {4u, client, other}) {  // A standby and the clients.
        EXPECT_EQ(job.at(rank).signals.size(), 20u);
        EXPECT_EQ(job.board(rank).facts().crossed, 19u);
        EXPECT_EQ(job.board(rank).facts().state, State::paused);
        EXPECT_TRUE(job.at(rank).notes.empty());
    }
}

TEST_F(SignalsTest, BusyIsSaidWhereSixteenSignalsWait) {
    job.engines_cross = false;
    std::vector<OperationId> operations;
    for (std::uint32_t i = 0; i < 8; ++i) {
        operations.push_back(job.ask(client, Wanted::pause));
        operations.push_back(job.ask(client, Wanted::unpause));
    }
    const auto refused = job.ask(client, Wanted::pause);
    job.settle();
    EXPECT_EQ(job.outcome(client, refused), "busy: 16 signals wait for their barriers");
    EXPECT_EQ(job.board(3).facts().pending.size(), kPendingMax);
    job.engines_cross = true;
    job.settle();
    for (const auto operation : operations) EXPECT_EQ(job.outcome(client, operation), "done");
    EXPECT_EQ(settled(Wanted::pause), "done");
    EXPECT_EQ(crossed().size(), 17u);
}

TEST_F(SignalsTest, ACompoundSignalNeedsRoomForAllOfIt) {
    reach(State::paused);
    job.engines_cross = false;
    (void)job.ask(client, Wanted::unpause);
    for (std::uint32_t i = 0; i < 7; ++i) {
        (void)job.ask(client, Wanted::pause);
        (void)job.ask(client, Wanted::unpause);
    }
    const auto stop = job.ask(client, Wanted::stopped);  // Two signals, and 15 wait.
    job.settle();
    EXPECT_EQ(job.outcome(client, stop).substr(0, 4), "busy");
    EXPECT_EQ(wanted_state(job.board(0).facts()), State::running) << "no half of it";
    const auto pause = job.ask(client, Wanted::pause);
    job.settle();
    EXPECT_EQ(job.outcome(client, pause), "") << "one has room";
}

TEST_F(SignalsTest, TheCoordinatorsOwnClientWorksWithoutTheNetwork) {
    const auto before = job.sent.size();
    job.carry_out(0, job.board(0).connect());
    EXPECT_EQ(job.at(0).connected, 1u);
    EXPECT_EQ(job.sent.size(), before);
    const auto operation = job.ask(0, Wanted::stopped);
    job.settle();
    EXPECT_EQ(job.outcome(0, operation), "done");
    EXPECT_EQ(settled(Wanted::start), "done");
}

}  // namespace
}  // namespace muster::core
