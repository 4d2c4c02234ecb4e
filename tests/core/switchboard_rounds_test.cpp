// SPDX-License-Identifier: Apache-2.0
/// Coordinators that are lost or replaced in the middle of something; switchboard_life_test.cpp tries the rest by dice.
#include <gtest/gtest.h>

#include "fake_members.hpp"

namespace muster::core {
namespace {

using testing::FakeMembers;

/// 4 engines (0 to 3), two standbys (4 and 5), two clients (6 and 7).
struct RoundsTest : ::testing::Test {
    FakeMembers job{{.engines = 4, .standbys = 2, .clients = 2}};
    const std::uint32_t client = job.client(0), other = job.client(1);

    static std::vector<Signal> crossed(FakeMembers& on, std::uint32_t rank) {
        std::vector<Signal> list;
        for (const auto& [number, one] : on.at(rank).history) list.push_back(one.signal);
        return list;
    }
    /// Jobs of many seeds that are brought to the moment that `is_it` waits for, after `begin`.
    template <class Begin, class IsIt, class Then>
    void at_the_moment(Begin begin, IsIt is_it, Then then) {
        std::uint32_t found = 0;
        for (std::uint64_t seed = 1; seed <= 300; ++seed) {
            SCOPED_TRACE("seed " + std::to_string(seed));
            FakeMembers one({.engines = 4, .standbys = 2, .clients = 2, .seed = seed});
            begin(one);
            while (!is_it(one) && one.step()) {
            }
            if (!is_it(one)) continue;
            ++found;
            then(one);
        }
        EXPECT_GT(found, 10u) << "the moment hardly ever comes";
    }
};

TEST_F(RoundsTest, ASignalThatASuccessorKnowsIsNotAppliedAgain) {
    OperationId operation;
    at_the_moment([&](FakeMembers& one) { operation = one.ask(client, Wanted::pause); },
                  [&](FakeMembers& one) {
                      return one.board(1).facts().pending.size() == 1 && one.board(client).facts().pending.empty() &&
                             one.outcome(client, operation).empty();
                  },
                  [&](FakeMembers& one) {
                      one.kill(0);
                      one.rebuild();
                      one.settle();
                      EXPECT_EQ(one.outcome(client, operation), "done");
                      EXPECT_EQ(crossed(one, 1), (std::vector{Signal::pause}));
                  });
}

TEST_F(RoundsTest, ASignalThatDiedWithItsCoordinatorIsAskedForAnew) {
    OperationId operation;
    at_the_moment([&](FakeMembers& one) { operation = one.ask(client, Wanted::pause); },
                  [&](FakeMembers& one) {
                      return one.board(0).facts().pending.size() == 1 && one.board(1).facts().pending.empty() &&
                             one.board(2).facts().pending.empty();
                  },
                  [&](FakeMembers& one) {
                      one.kill(0);
                      one.rebuild();
                      one.settle();
                      EXPECT_EQ(one.outcome(client, operation), "done");
                      EXPECT_EQ(crossed(one, 1), (std::vector{Signal::pause}));
                  });
}

TEST_F(RoundsTest, HalfACompoundSignalIsCompletedByTheSuccessor) {
    OperationId operation;
    at_the_moment([&](FakeMembers& one) { operation = one.ask(client, Wanted::stopped); },
                  [&](FakeMembers& one) {
                      std::uint64_t known = 0;
                      for (std::uint32_t rank = 1; rank < 8; ++rank)
                          known =
                              std::max(known, one.board(rank).facts().crossed + one.board(rank).facts().pending.size());
                      return known == 1;
                  },
                  [&](FakeMembers& one) {
                      one.kill(0);
                      one.rebuild();
                      one.settle();
                      EXPECT_EQ(one.outcome(client, operation), "done");
                      EXPECT_EQ(crossed(one, 1), (std::vector{Signal::pause, Signal::stop}));
                  });
}

TEST_F(RoundsTest, WhatWasRefusedOnceIsNotAppliedByASuccessorLater) {
    OperationId unpause, pause;
    at_the_moment(
        [&](FakeMembers& one) {
            unpause =
                one.ask(client, Wanted::unpause);  // Refused: they run. By the time of the pause it would do harm.
            pause = one.ask(client, Wanted::pause);
        },
        [&](FakeMembers& one) {
            return one.board(1).facts().pending.size() == 1 && one.outcome(client, unpause).empty();
        },
        [&](FakeMembers& one) {
            one.kill(0);
            one.rebuild();
            one.settle();
            EXPECT_EQ(one.outcome(client, pause), "done");
            EXPECT_NE(one.outcome(client, unpause), "done");
            EXPECT_NE(one.outcome(client, unpause), "");
            EXPECT_EQ(crossed(one, 1), (std::vector{Signal::pause}));
        });
}

TEST_F(RoundsTest, WhatHasBeenCrossedIsDoneWithoutAskingAgain) {
    OperationId operation;
    at_the_moment([&](FakeMembers& one) { operation = one.ask(client, Wanted::pause); },
                  [&](FakeMembers& one) {
                      return one.at(1).crossed == 1 && one.outcome(client, operation).empty() &&
                             one.board(client).facts().pending.size() == 1;
                  },
                  [&](FakeMembers& one) {
                      one.kill(0);
                      const auto asks = one.count("ask");
                      one.rebuild();
                      EXPECT_EQ(one.outcome(client, operation), "done");
                      one.settle();
                      EXPECT_EQ(one.outcome(client, operation), "done");
                      EXPECT_EQ(one.count("ask"), asks);
                  });
}

TEST_F(RoundsTest, ANewcomerIsToldWhatIsPendingAndTheWantedStateIsReached) {
    job.engines_cross = false;
    const auto operation = job.ask(client, Wanted::suspended);
    job.settle();
    job.kill(2);
    job.engines_cross = true;
    job.rebuild();
    job.settle();
    EXPECT_EQ(job.outcome(client, operation), "done");
    EXPECT_EQ(crossed(job, 4), (std::vector{Signal::pause, Signal::suspend}));
    EXPECT_EQ(job.board(7).facts().state, State::running) << "a client has crossed nothing and hears of it later";
    EXPECT_EQ(job.board(1).facts().state, State::suspended);
}

TEST_F(RoundsTest, SignalsThatComeAgainAfterARebuildAreOrdinary) {
    const auto operation = job.ask(client, Wanted::pause);
    while (job.count("tell") < 2) ASSERT_TRUE(job.step());
    job.rebuild();
    job.settle();
    EXPECT_EQ(job.outcome(client, operation), "done");
    EXPECT_GT(job.count("tell"), 2u) << "some came again";
    for (std::uint32_t rank = 0; rank < 8; ++rank) {
        EXPECT_EQ(job.at(rank).signals.size(), 1u);
        EXPECT_TRUE(job.at(rank).notes.empty()) << job.at(rank).notes[0];
    }
}

TEST_F(RoundsTest, ABarrierThatOneHasCrossedIsBehindAll) {
    OperationId operation;
    at_the_moment([&](FakeMembers& one) { operation = one.ask(client, Wanted::pause); },
                  [&](FakeMembers& one) { return one.at(3).crossed == 1 && one.at(1).crossed == 0; },
                  [&](FakeMembers& one) {
                      one.kill(0);
                      one.rebuild();
                      EXPECT_EQ(one.at(1).crossed, 1u);
                      EXPECT_TRUE(one.at(1).signals.empty()) << "nothing to repeat";
                      one.settle();
                      EXPECT_EQ(one.outcome(client, operation), "done");
                  });
}

TEST_F(RoundsTest, WhatIsAskedDuringARebuildGoesToTheNextCoordinator) {
    (void)job.ask(client, Wanted::pause);
    job.settle();
    job.kill(0);
    for (std::uint32_t rank = 1; rank < 8; ++rank) job.carry_out(rank, job.board(rank).interrupted());
    const auto operation = job.ask(client, Wanted::unpause);
    const auto request = job.submit(client, 3);
    const auto own = job.ask(1, Wanted::pause);  // The next coordinator's own client.
    job.rebuild();
    job.settle();
    EXPECT_EQ(job.outcome(client, request), "reply 4");
    EXPECT_EQ(job.outcome(1, own), "done");
    EXPECT_EQ(job.outcome(client, operation), "done");
}

TEST_F(RoundsTest, ARequestSurvivesItsCoordinatorAndItsReplyTheRound) {
    RequestId request;
    at_the_moment(
        [&](FakeMembers& one) {
            (void)one.submit(client, 1);  // To the coordinator's own engine.
            request = one.submit(client, 8);
        },
        [&](FakeMembers& one) { return one.count("reply") == 1 && one.outcome(client, request).empty(); },
        [&](FakeMembers& one) {
            one.kill(0);
            one.rebuild();
            one.settle();
            EXPECT_EQ(one.outcome(client, request), "reply 9");
            EXPECT_EQ(one.board(1).router().open(), 0u);
        });
}

TEST_F(RoundsTest, AReplyDuringARebuildWaitsForTheNextCoordinator) {
    job.engines_reply = false;
    const auto request = job.submit(client, 8);
    job.settle();
    job.carry_out(1, job.board(1).interrupted());
    job.carry_out(1, job.board(1).reply(Rank{client}, request, {std::byte{9}}));
    EXPECT_EQ(job.count("reply"), 0u);
    job.kill(0);
    job.rebuild();
    job.settle();
    EXPECT_EQ(job.count("reply"), 0u) << "1 coordinates now and passes it on itself";
    EXPECT_EQ(job.outcome(client, request), "reply 9");
}

TEST_F(RoundsTest, AReplyOnItsWayToADeadCoordinatorGoesToTheNext) {
    job.engines_reply = false;
    (void)job.submit(client, 1);  // To the coordinator's own engine.
    const auto request = job.submit(client, 8);
    job.settle();
    job.carry_out(1, job.board(1).reply(Rank{client}, request, {std::byte{9}}));
    job.kill(0);
    job.rebuild();
    job.settle();  // Nobody runs it again.
    EXPECT_EQ(job.outcome(client, request), "reply 9");
}

TEST_F(RoundsTest, WhoComesBackAsAnEngineHasNothingInProgress) {
    job.engines_reply = false;
    const auto first = job.submit(client, 1), second = job.submit(client, 2);
    job.settle();
    ASSERT_EQ(job.at(1).in_hand.size(), 1u);
    job.next_world = testing::ranks({0, 4});
    job.rebuild();
    job.settle();
    job.next_world = testing::ranks({1});
    job.rebuild();
    job.engines_reply = true;
    job.settle();
    EXPECT_EQ(job.outcome(client, first), "reply 2");
    EXPECT_EQ(job.outcome(client, second), "reply 3");
}

TEST_F(RoundsTest, AStopThatWasCrossedByAgreementEndsWhatIsInProgress) {
    at_the_moment(
        [&](FakeMembers& one) {
            one.engines_reply = false;
            (void)one.submit(client, 1);
            (void)one.submit(client, 2);  // To engine 1.
            one.settle();
            (void)one.ask(other, Wanted::stopped);
        },
        [&](FakeMembers& one) { return one.at(3).crossed == 2 && one.at(1).crossed == 1; },
        [&](FakeMembers& one) {
            one.kill(0);
            one.next_world = testing::ranks({1});
            one.rebuild();
            one.settle();
            one.at(1).in_hand.clear();
            one.at(client).requests.clear();
            one.engines_reply = true;
            const auto start = one.ask(other, Wanted::start);
            one.settle();
            ASSERT_EQ(one.outcome(other, start), "done");
            one.carry_out(client, one.board(client).submit(RequestId{2}, {std::byte{7}}));
            one.settle();
            EXPECT_EQ(one.outcome(client, RequestId{2}), "reply 8");
        });
}

TEST_F(RoundsTest, AMessageOfAPastRoundIsDropped) {
    const Bytes late = encode({job.view().round, Rank{client}, 1, 0, message::Connect{}});
    job.rebuild();
    job.settle();
    const auto before = job.sent.size();
    job.carry_out(0, job.board(0).received(Rank{client}, late));
    EXPECT_EQ(job.sent.size(), before);
    EXPECT_NE(job.at(0).notes.back().find("is of round 1"), std::string::npos);
}

TEST_F(RoundsTest, ACoordinatorThatIsReplacedWhileItLivesForgetsItsTable) {
    job.engines_reply = false;
    const auto request = job.submit(client, 1);
    const auto pause = job.ask(client, Wanted::pause);
    job.run(6);
    job.next_coordinator = Rank{2};
    job.rebuild();
    job.engines_reply = true;
    job.settle();
    EXPECT_EQ(job.coordinator(), 2u);
    EXPECT_EQ(job.outcome(client, request), "reply 2");
    EXPECT_EQ(job.outcome(client, pause), "done");
    EXPECT_EQ(job.board(0).router().open(), 0u);
    EXPECT_EQ(crossed(job, 2), (std::vector{Signal::pause}));
}

}  // namespace
}  // namespace muster::core
