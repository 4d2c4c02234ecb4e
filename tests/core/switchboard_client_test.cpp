// SPDX-License-Identifier: Apache-2.0
/// One client's switchboard, with what the others say written by hand: whose word counts after a coordinator is gone.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/switchboard.hpp"
#include "support.hpp"

namespace muster::core {
namespace {

/// Member 3 of four; 0 to 2 are engines. Its tree has 0 at the top, or 1.
struct ClientTest : ::testing::Test {
    Switchboard board{Rank{3}, {.fan_out = 4}};
    Round round;
    std::map<Rank, std::uint64_t> sequence;
    SwitchEffects last;

    void enter(std::uint32_t coordinator, const LifecycleFacts& agreed) {
        ++round.value;
        const auto world = testing::ranks({0, 1, 2});
        const RoundView view{round, Rank{coordinator}, testing::ranks_up_to(4), world, world};
        last = board.complete(std::make_shared<RoundView>(view), {}, {}, agreed);
        for (const std::uint32_t from : {0u, 1u, 2u}) hear(from, message::Resync{});
    }
    void hear(std::uint32_t from, Message message) {
        const bool resync = std::holds_alternative<message::Resync>(message);
        const auto number = resync ? 0 : ++sequence[Rank{from}];
        for (auto& effect : board.received(Rank{from}, encode({round, Rank{from}, number, 0, std::move(message)})))
            last.push_back(std::move(effect));
    }
    /// How operation 1 has ended: "" while open.
    std::string outcome() const {
        for (const auto& effect : last)
            if (const auto* ended = std::get_if<OperationEnded>(&effect))
                return ended->error ? ended->error->text : "done";
        return {};
    }
    /// Whether such a message has gone there. (It may go twice: the others always say that they have received nothing.)
    bool says(const std::string& kind, std::uint32_t to) const {
        return std::any_of(last.begin(), last.end(), [&](const SwitchEffect& effect) {
            const auto* transmit = std::get_if<Transmit>(&effect);
            return transmit && transmit->kind == kind && transmit->to == Rank{to};
        });
    }
    static SignalEntry entry(std::uint64_t number, Signal signal) { return {number, signal, Rank{3}, OperationId{1}}; }
};

TEST_F(ClientTest, WhatIsOnlyPendingIsAskedForAgain) {
    enter(0, {});
    last = board.ask(OperationId{1}, Wanted::pause);
    hear(0, message::Tell{entry(1, Signal::pause), 0});
    enter(1, {0, State::running, {entry(1, Signal::pause)}});
    EXPECT_EQ(outcome(), "");
    EXPECT_TRUE(says("ask", 1));
    enter(2, {1, State::paused, {}});
    EXPECT_EQ(outcome(), "done");
    EXPECT_FALSE(says("ask", 2)) << "it is known already";
}

TEST_F(ClientTest, TheFirstHalfOfACompoundSignalIsNotItsEnd) {
    enter(0, {});
    last = board.ask(OperationId{1}, Wanted::stopped);
    hear(0, message::Tell{entry(1, Signal::pause), 0});
    enter(1, {1, State::paused, {}});
    EXPECT_EQ(outcome(), "");
    EXPECT_TRUE(says("ask", 1));
}

TEST_F(ClientTest, ARefusalCountsOnlyFromTheCoordinator) {
    enter(0, {});
    last = board.ask(OperationId{1}, Wanted::suspend);
    enter(1, {});
    hear(0, message::Told{OperationId{1}, false, "busy"});
    EXPECT_EQ(outcome(), "") << "1 has been asked";
    hear(1, message::Told{OperationId{1}, true, {}});
    EXPECT_EQ(outcome(), "done");
}

TEST_F(ClientTest, ThatAllHaveCrossedIsTrueFromAnybody) {
    enter(0, {});
    last = board.ask(OperationId{1}, Wanted::pause);
    enter(1, {});
    hear(0, message::Told{OperationId{1}, true, {}});
    EXPECT_EQ(outcome(), "done");
}

TEST_F(ClientTest, AnErrorAnswersARequestOnlyFromTheCoordinator) {
    const auto ended = [this] {
        return std::any_of(last.begin(), last.end(),
                           [](const SwitchEffect& effect) { return std::holds_alternative<RequestEnded>(effect); });
    };
    enter(0, {});
    last = board.submit(RequestId{4}, {std::byte{1}});
    enter(1, {});
    EXPECT_TRUE(says("submit", 1));
    hear(0, message::Answer{RequestId{4}, false, kEnginesStopped, {}, Fault::ended});
    EXPECT_FALSE(ended());
    hear(1, message::Answer{RequestId{4}, false, kNoEngines, {}});
    EXPECT_TRUE(ended());
}

TEST_F(ClientTest, AReplyThatCameTooLateForItsCoordinatorIsPassedOn) {
    enter(0, {});
    hear(2, message::Reply{Rank{1}, RequestId{4}, {std::byte{1}}});  // 3 coordinated when it was sent.
    EXPECT_TRUE(says("reply", 0));
}

TEST_F(ClientTest, ItIsConnectedOnceForAllItsCoordinators) {
    const auto connected = [this] {
        return std::any_of(last.begin(), last.end(),
                           [](const SwitchEffect& effect) { return std::holds_alternative<ClientConnected>(effect); });
    };
    last = board.connect();
    EXPECT_TRUE(last.empty()) << "there is no round yet";
    enter(0, {});
    EXPECT_TRUE(says("connect", 0));
    hear(0, message::Connected{});
    EXPECT_TRUE(connected());
    enter(1, {});
    EXPECT_TRUE(says("connect", 1));
    hear(1, message::Connected{});
    EXPECT_FALSE(connected());
}

/// A coordinator with a client of its own: what it has crossed while the round breaks, others may have to repeat.
TEST(Coordinator, TellsNobodyOfABarrierThatABrokenRoundHasCrossed) {
    Switchboard board{Rank{0}, {}};
    const auto world = testing::ranks({0, 1});
    const auto outcomes = [](const SwitchEffects& effects) {
        return std::count_if(effects.begin(), effects.end(),
                             [](const SwitchEffect& effect) { return std::holds_alternative<OperationEnded>(effect); });
    };
    const RoundView first{Round{1}, Rank{0}, world, world, world};
    (void)board.complete(std::make_shared<RoundView>(first), {}, {}, {});
    EXPECT_EQ(outcomes(board.ask(OperationId{1}, Wanted::pause)), 0);
    const LifecycleFacts before = board.facts();
    EXPECT_EQ(outcomes(board.interrupted()), 0);
    EXPECT_EQ(outcomes(board.crossed(1)), 0);
    const RoundView second{Round{2}, Rank{0}, world, world, world};
    EXPECT_EQ(outcomes(board.complete(std::make_shared<RoundView>(second), {}, {}, before)), 0);
    EXPECT_EQ(outcomes(board.crossed(1)), 1);
}

/// Two barriers or three (a start after the stop) that the broken round has still crossed, as all then agree.
TEST(Coordinator, M11RequestsEndWithAStopThatWasCrossedWhileTheRoundBroke) {
    for (const bool started : {false, true}) {
        Switchboard board{Rank{0}, {}};
        const auto world = testing::ranks({0, 1});
        const RoundView first{Round{1}, Rank{0}, world, world, world}, second{Round{2}, Rank{0}, world, world, world};
        (void)board.complete(std::make_shared<RoundView>(first), {}, {}, {});
        (void)board.submit(RequestId{1}, {});
        (void)board.ask(OperationId{1}, Wanted::stopped);
        (void)board.ask(OperationId{2}, Wanted::start);
        (void)board.interrupted();
        for (std::uint64_t barrier = 1; barrier <= (started ? 3u : 2u); ++barrier) (void)board.crossed(barrier);
        const LifecycleFacts agreed = board.facts();
        EXPECT_EQ(agreed.state, started ? State::running : State::stopped);
        std::string ending;
        for (const auto& effect : board.complete(std::make_shared<RoundView>(second), {}, {}, agreed))
            if (const auto* ended = std::get_if<RequestEnded>(&effect)) ending = ended->error->text;
        EXPECT_EQ(ending, kEnginesStopped);
        EXPECT_EQ(board.router().engines().size(), started ? 2u : 0u);
    }
}

}  // namespace
}  // namespace muster::core
