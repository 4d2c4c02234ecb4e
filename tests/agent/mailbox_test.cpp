// SPDX-License-Identifier: Apache-2.0
#include "agent/mailbox.hpp"

#include <gtest/gtest.h>

namespace muster::agent {
namespace {

using std::chrono::milliseconds;

std::shared_ptr<Handover> round_of(std::uint32_t number) {
    auto handover = std::make_shared<Handover>();
    handover->plan.round = Round{number};
    return handover;
}

/// A mailbox whose engine works in round 1.
struct Working {
    Working() {
        mailbox.give(round_of(1));
        EXPECT_NE(mailbox.take(milliseconds(0)), nullptr);
    }
    Bell bell;
    Mailbox mailbox{bell};
};

TEST(Mailbox, AWishForARoundReachesTheAgentOnce) {
    Working member;
    EXPECT_FALSE(member.mailbox.take_asked());
    member.mailbox.ask_for_round();
    member.mailbox.ask_for_round();
    EXPECT_TRUE(member.mailbox.take_asked());
    EXPECT_FALSE(member.mailbox.take_asked());
}

TEST(Mailbox, WhoAsksWhileARoundIsBeingMadeGetsThatOne) {
    Working member;
    member.mailbox.interrupt();
    member.mailbox.ask_for_round();
    member.mailbox.give(round_of(2));
    EXPECT_FALSE(member.mailbox.take_asked());
}

TEST(Mailbox, WhoAsksBeforeItHasTakenTheNewRoundGetsThatOne) {
    Working member;
    member.mailbox.interrupt();
    member.mailbox.give(round_of(2));
    member.mailbox.ask_for_round();
    EXPECT_FALSE(member.mailbox.take_asked());
    ASSERT_NE(member.mailbox.take(milliseconds(0)), nullptr);
    member.mailbox.ask_for_round();
    EXPECT_TRUE(member.mailbox.take_asked()) << "this is about the round after";
}

TEST(Mailbox, ARoundThatBrokeBeforeItWasTakenAnswersNobody) {
    Working member;
    member.mailbox.interrupt();
    member.mailbox.give(round_of(2));
    member.mailbox.interrupt();
    member.mailbox.ask_for_round();
    EXPECT_TRUE(member.mailbox.take_asked());
}

TEST(Mailbox, WhatTheNewRoundDidNotKnowOfNeedsAnother) {
    Working member;
    member.mailbox.interrupt();
    member.mailbox.park(true);
    member.mailbox.give(round_of(2));
    EXPECT_FALSE(member.mailbox.take_asked());
    member.mailbox.ask_again_unless(/*told_parked=*/true, /*told_close=*/false);
    EXPECT_FALSE(member.mailbox.take_asked()) << "its plan had it";
    member.mailbox.ask_again_unless(/*told_parked=*/false, /*told_close=*/false);
    EXPECT_TRUE(member.mailbox.take_asked()) << "park() came after the facts had gone out";
    member.mailbox.close();
    EXPECT_TRUE(member.mailbox.take_asked()) << "and this is not merged with anything";
    member.mailbox.ask_again_unless(/*told_parked=*/true, /*told_close=*/false);
    EXPECT_TRUE(member.mailbox.take_asked());
}

}  // namespace
}  // namespace muster::agent
