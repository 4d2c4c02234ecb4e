// SPDX-License-Identifier: Apache-2.0
#include "core/rendezvous_handler.hpp"

#include <gtest/gtest.h>

#include "rendezvous_program.hpp"

namespace muster::core::rendezvous::testing {
namespace {

TEST(RendezvousHandler, T02_SettingsThatCannotBeMakeNoHandler) {
    MemoryBackend backend;
    const auto made = Handler::create(n(0), settings_of(0, 1), backend);
    EXPECT_EQ(std::get<Failure>(made).text, "The minimum number of nodes (0) must be greater than zero.");
}

TEST(RendezvousHandler, T27_TheFirstRoundIsDelayedByChance) {
    MemoryBackend backend;
    Program program(3, settings_of(1, 1), backend);
    program.begin(Call::next_rendezvous, 10, 0.5);
    EXPECT_EQ(program.waited, millis(150));
    EXPECT_EQ(program.last_record(),
              "handler.next_rendezvous RUNNING: The node 'n3_103_0' attempts to join the next round of the rendezvous "
              "'job'.");
    program.go_on(Call::next_rendezvous, 10.15);
    ASSERT_TRUE(program.finished);
    EXPECT_EQ(program.last<effect::Joined>().round, Round{0});

    program.run(Call::next_rendezvous, 20);
    EXPECT_EQ(program.last<effect::Joined>().round, Round{1});
    program.begin(Call::next_rendezvous, 21, 0.99);
    EXPECT_EQ(program.waited, std::nullopt);  // Later rounds are not.
}

TEST(RendezvousHandler, T27_JoinedWithRankWorldAndTimer) {
    Pair pair(settings_of(2, 2));
    const auto& joined = pair.two.last<effect::Joined>();
    EXPECT_EQ(joined.rank, Slot{1});
    EXPECT_EQ(joined.world, (std::vector<Node>{n(0), n(1)}));
    const auto& timer = std::get<effect::StartHeartbeats>(pair.two.effects.at(0));
    EXPECT_EQ(timer.name, "RendezvousKeepAliveTimer_0");
    EXPECT_EQ(timer.every, seconds(5));
    EXPECT_EQ(
        pair.two.last_record(),
        "handler.next_rendezvous RUNNING: The node 'n1_101_0' has joined round 0 of the rendezvous 'job' as rank 1 "
        "in a world of size 2.");
    EXPECT_EQ(pair.two.records.back().rank, Slot{1});
    EXPECT_EQ(pair.one.last<effect::Joined>().rank, Slot{0});

    pair.one.begin(Call::next_rendezvous, 2);
    EXPECT_TRUE(std::holds_alternative<effect::StopHeartbeats>(pair.one.effects.back()));
}

TEST(RendezvousHandler, T27_OneDeadlineForExitAndJoinFromAfterTheDelay) {
    auto settings = settings_of(2, 2);
    settings.timeouts.join = seconds(10);
    MemoryBackend backend;
    Program program(0, settings, backend);
    program.begin(Call::next_rendezvous, 0, 0.9);
    program.step(Call::next_rendezvous, 1);  // Exit: not in any round. The deadline is 11 from here on.
    EXPECT_FALSE(program.finished);
    program.go_on(Call::next_rendezvous, 10.5);
    EXPECT_EQ(program.waited, seconds(1));
    program.go_on(Call::next_rendezvous, 11);
    EXPECT_EQ(program.waited, seconds(1));
    program.go_on(Call::next_rendezvous, 11.5);
    ASSERT_TRUE(program.finished);
    EXPECT_EQ(program.last<effect::Raised>().failure.kind, Failure::timed_out);
    EXPECT_EQ(program.last_record(), "handler.next_rendezvous FAILED: RendezvousTimeoutError: ");
    for (const auto& effect : program.effects) EXPECT_FALSE(std::holds_alternative<effect::StartHeartbeats>(effect));
}

TEST(RendezvousHandler, T27_WhatIsRaisedIsRecorded) {
    Pair pair(settings_of(2, 2));
    pair.one.run(Call::set_closed, 2);
    pair.two.run(Call::next_rendezvous, 3);
    EXPECT_EQ(pair.two.last<effect::Raised>().failure.kind, Failure::closed);
    EXPECT_EQ(pair.two.last_record(), "handler.next_rendezvous FAILED: RendezvousClosedError: ");
    MemoryBackend away;
    Program alone(0, settings_of(1, 1), away);
    away.disconnect(true);
    alone.run(Call::next_rendezvous, 0);
    EXPECT_EQ(alone.last<effect::Raised>().failure.kind, Failure::connection);
    EXPECT_EQ(alone.records.back().outlook, Outlook::failed);
}

TEST(RendezvousHandler, T18_ARedundantProgramEndsGracefully) {
    Pair pair(settings_of(2, 2));
    Program third(2, settings_of(2, 2), pair.backend);
    third.run(Call::next_rendezvous, 1);
    EXPECT_EQ(third.waited, seconds(1));
    pair.one.run(Call::set_closed, 2);
    third.go_on(Call::next_rendezvous, 2);
    EXPECT_EQ(third.last<effect::Raised>().failure.kind, Failure::graceful_exit);
    EXPECT_EQ(
        third.last_record(),
        "handler.next_rendezvous FAILED: RendezvousGracefulExitError: The rendezvous 'job' is closed, terminating "
        "pending rendezvous.");
}

TEST(RendezvousHandler, T28_TheStoresPrefixIsOfTheRound) {
    auto settings = settings_of(1, 1);
    settings.store_prefix = "torch.rendezvous";
    MemoryBackend backend;
    Program program(0, settings, backend);
    for (const char* prefix : {"torch.rendezvous.job.0", "torch.rendezvous.job.1"}) {
        program.run(Call::next_rendezvous, 0);
        EXPECT_EQ(program.last<effect::Joined>().store_prefix, prefix);
    }
}

TEST(RendezvousHandler, T29_ASurvivorFirstRemovesItself) {
    Pair pair(settings_of(2, 2));
    pair.one.run(Call::next_rendezvous, 1);
    EXPECT_EQ(lists(pair.one.handler->state()), "n1=1 | n0 |");
    EXPECT_EQ(phase(pair.one.handler->state()), "round 0 complete");
    pair.two.run(Call::next_rendezvous, 2);
    EXPECT_EQ(phase(pair.two.handler->state()), "round 1");
    pair.one.go_on(Call::next_rendezvous, 3);
    EXPECT_TRUE(pair.one.finished);
    EXPECT_EQ(pair.one.last<effect::Joined>().round, Round{1});
}

TEST(RendezvousHandler, T30_TheServerFollowsRankZero) {
    Pair pair(settings_of(2, 2));
    EXPECT_EQ(pair.two.last<effect::Joined>().world.front(), n(0));
    Program third(2, settings_of(2, 2), pair.backend);
    third.run(Call::next_rendezvous, 1);        // Redundant.
    pair.two.run(Call::next_rendezvous, 15.5);  // n0 is not heard of any more: round 1 is n1's and n2's.
    pair.two.go_on(Call::next_rendezvous, 15.5);
    third.go_on(Call::next_rendezvous, 15.9);
    pair.two.go_on(Call::next_rendezvous, 15.9);
    ASSERT_TRUE(third.finished && pair.two.finished);
    for (const auto* program : {&third, &pair.two}) {
        EXPECT_EQ(program->last<effect::Joined>().round, Round{1});
        EXPECT_EQ(program->last<effect::Joined>().world.front(), n(1));
    }
}

/// The one that does not call again is carried over into the next round, and finds itself there.
TEST(RendezvousHandler, ADeathCarriesTheSurvivorsIntoTheNextRound) {
    const auto settings = settings_of(2, 3);
    MemoryBackend backend;
    Program one(0, settings, backend), two(1, settings, backend), dead(2, settings, backend);
    for (auto* program : {&one, &two, &dead}) program->run(Call::next_rendezvous, 0);
    for (auto* program : {&one, &two}) program->go_on(Call::next_rendezvous, 0);
    EXPECT_FALSE(value(two.handler->is_round_over(at(1))));
    for (auto* program : {&one, &two}) program->run(Call::heartbeat, 10);
    one.run(Call::heartbeat, 16);  // n2 is dead: one's heartbeat writes round 1 down.
    EXPECT_EQ(phase(one.handler->state()), "round 1");
    EXPECT_TRUE(value(two.handler->is_round_over(at(16))));
    Program newcomer(3, settings, backend);
    newcomer.run(Call::next_rendezvous, 17);
    ASSERT_TRUE(newcomer.finished);  // With the two it is max: complete at once, before they have called.
    EXPECT_EQ(newcomer.last<effect::Joined>().world.size(), 3U);
    two.run(Call::next_rendezvous, 17);
    ASSERT_TRUE(two.finished);
    EXPECT_EQ(two.last<effect::Joined>().round, Round{1});
    EXPECT_EQ(two.last<effect::Joined>().rank, Slot{1});
    EXPECT_EQ(value(one.handler->num_nodes_waiting(at(17))), 0U);  // Nobody has left it for that.
    EXPECT_FALSE(value(two.handler->is_round_over(at(17))));
    EXPECT_TRUE(value(one.handler->is_round_over(at(17))));
}

TEST(RendezvousHandler, InAJobNothingIsWaitedFor) {
    const auto settings = in_job("job", 1, 8);
    MemoryBackend backend;
    Program one(0, settings, backend), two(1, settings, backend);
    for (auto* program : {&one, &two}) {
        program->handler->agree_on(2);
        program->begin(Call::next_rendezvous, 0, 0.99);
        EXPECT_EQ(program->waited, std::nullopt);
    }
    for (int i = 0; i < 4; ++i) one.step(Call::next_rendezvous, 0);
    EXPECT_FALSE(one.finished || one.waited);
    for (int i = 0; i < 9 && !two.finished; ++i) two.step(Call::next_rendezvous, 0);
    EXPECT_EQ(two.last<effect::Joined>().world.size(), 2U);
}

}  // namespace
}  // namespace muster::core::rendezvous::testing
