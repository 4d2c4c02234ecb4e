// SPDX-License-Identifier: Apache-2.0
#include "agent/bell.hpp"

#include <gtest/gtest.h>

namespace muster::agent {
namespace {

constexpr int kPatienceMs = 5'000;

TEST(Bell, ARingMayCarryTheRoundThatSomebodyAskedToEnd) {
    Bell here;
    const Bell there;
    EXPECT_EQ(here.asked_after(), Round{0});
    there.ring(here.address(), true);
    ASSERT_TRUE(here.wait(kPatienceMs));
    EXPECT_EQ(here.asked_after(), Round{0}) << "an ordinary ring says nothing";
    there.ring(here.address(), true, Round{70'000});
    ASSERT_TRUE(here.wait(kPatienceMs));
    EXPECT_EQ(here.asked_after(), Round{70'000});
    there.ring(here.address(), true);
    ASSERT_TRUE(here.wait(kPatienceMs));
    EXPECT_EQ(here.asked_after(), Round{70'000}) << "an ordinary ring takes nothing back";
}

TEST(Bell, HearingOthersLeavesTheOwnWakeUpAlone) {
    Bell here;
    const Bell there;
    here.wake();
    there.ring(here.address(), true, Round{3});
    for (int look = 0; look < kPatienceMs && here.asked_after() != Round{3}; ++look) here.hear();
    EXPECT_EQ(here.asked_after(), Round{3});
    EXPECT_TRUE(here.wait(0)) << "this process has woken its agent for another reason";
    EXPECT_FALSE(here.wait(0));
}

}  // namespace
}  // namespace muster::agent
