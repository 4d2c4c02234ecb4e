// SPDX-License-Identifier: Apache-2.0
// A paused group is not woken (vLLM #36594), and whoever asked meanwhile is not forgotten.
#include <gtest/gtest.h>

#include "core/wave_tracker.hpp"
#include "wave_support.hpp"

namespace muster::core {
namespace {

using namespace testing;

TEST(WavePause, AWakeIsHeldUntilUnpause) {
    Group group(3);
    EXPECT_EQ(group.pause(true), Words{});
    EXPECT_EQ(group.at(1, wake(1, 0)), Words{});
    EXPECT_EQ(group.at(1, says(starts(0, 2))), Words{});
    EXPECT_FALSE(group.tracker.running());
    EXPECT_EQ(group.pause(false), (Words{"START 0 -nil", "front nil 0 on"})) << "once, and for all";
    EXPECT_EQ(group.pause(false), Words{}) << "a repeat";
}

TEST(WavePause, WhereNobodyAskedNobodyIsWoken) {
    Group group(3);
    (void)group.pause(true);
    EXPECT_EQ(group.pause(false), Words{});
    EXPECT_EQ(group.at(1, wake(1, 0)), (Words{"START 0 -1", "front nil 0 on"}));
}

TEST(WavePause, AFutureWaveIsKnownAtOnceAndBegunLater) {
    Group group(3);
    (void)group.pause(true);
    EXPECT_EQ(group.at(1, says(starts(5, 2))), Words{"front nil 5 off"});
    EXPECT_EQ(group.at(1, says(completes(5))), Words{"front nil 6 off"});
    EXPECT_EQ(group.pause(false), (Words{"START 6 -nil", "front nil 6 on"})) << "the number does not go back";
}

/// The start may have met engines that were pausing, and they may have let it pass.
TEST(WavePause, AGroupThatWasAtWorkIsToldAgain) {
    Group group(3);
    EXPECT_EQ(group.at(1, wake(1, 0)), (Words{"START 0 -1", "front nil 0 on"}));
    (void)group.pause(true);
    EXPECT_EQ(group.at(2, wake(1, 0)), Words{});
    EXPECT_EQ(group.pause(false), Words{"START 0 -nil"}) << "nothing new for the fronts";
}

TEST(WavePause, NewcomersInAPauseDoNotMakeItForgetWhoWasAtWork) {
    for (const bool by_round : {false, true}) {
        Group group(2);
        group.run(3);
        (void)group.pause(true);
        if (by_round)
            group.tracker.regroup({0, 1, std::nullopt});
        else
            (void)group.at(1, scale(3));
        EXPECT_FALSE(group.tracker.running());
        EXPECT_EQ(group.pause(false), (Words{"START 3 -nil", "front nil 3 on"}));
    }
}

/// Found by the simulator: a group whose word crossed its pause on the way was said to run after the unpause, though it
/// had come to rest before, and nobody ever said otherwise.
TEST(WavePause, AnEngineThatIsAwakeAsksForNothing) {
    Group group(3);
    (void)group.pause(true);
    auto awake = starts(5, 2);
    awake.awake = true;
    EXPECT_EQ(group.at(1, says(awake)), Words{"front nil 5 on"}) << "it was so before the pause";
    EXPECT_EQ(group.at(1, says(completes(5))), Words{"front nil 6 off"});
    EXPECT_EQ(group.pause(false), Words{}) << "nobody asked";
    (void)group.pause(true);
    awake.start_wave = Wave{6};
    EXPECT_EQ(group.at(1, says(awake)), Words{"front nil 6 on"}) << "it is so after the pause, which is heard of later";
    EXPECT_EQ(group.pause(false), Words{"START 6 -nil"});
    EXPECT_TRUE(group.tracker.running());
}

TEST(WavePause, LoadsFlow) {
    Group group(1);
    (void)group.pause(true);
    EXPECT_EQ(group.at(1, says(load(0, {0, 1}, {3, 0}))), Words{});
    EXPECT_EQ(group.at(51), Words{"front 3+0 0 off"});
}

}  // namespace
}  // namespace muster::core
