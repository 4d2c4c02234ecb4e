// SPDX-License-Identifier: Apache-2.0
#include "core/wave_state.hpp"

#include <gtest/gtest.h>

#include "wave_support.hpp"

namespace muster::core {
namespace {

using namespace testing;

WaveState sample() {
    return {.wave = Wave{41}, .running = true, .held = false, .loads = {{1, 2}, {3, 4, {{"kv", 0.5}, {"seats", -1}}}}};
}

TEST(WaveState, ComesBackAsItWas) {
    for (const auto& state : {sample(), WaveState{}, WaveState{.wave = Wave{-3}, .held = true}}) {
        const auto bytes = encode(state);
        EXPECT_EQ(decode_wave_state(bytes), state);
    }
}

TEST(WaveState, AnythingElseIsNothing) {
    const auto good = encode(sample());
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(decode_wave_state(std::span(good).first(size))) << size;
    auto longer = good;
    longer.push_back(std::byte{0});
    EXPECT_FALSE(decode_wave_state(longer));
    auto other = good;
    other[0] = std::byte{0};
    EXPECT_FALSE(decode_wave_state(other)) << "another format";
    auto flags = good;
    flags[12] = std::byte{4};
    EXPECT_FALSE(decode_wave_state(flags)) << "an unknown flag";
    auto twice = encode({.loads = {{0, 0, {{"a", 1}, {"b", 2}}}}});
    twice[twice.size() - 9] = std::byte{'a'};
    EXPECT_FALSE(decode_wave_state(twice)) << "a gauge twice";
    auto many = encode({});
    many[many.size() - 1] = std::byte{0x7f};
    EXPECT_FALSE(decode_wave_state(many)) << "more engines than bytes";
}

TEST(WaveState, ASuccessorGoesOnCounting) {
    Group first(2), successor(2);
    (void)first.at(1, says(starts(7, 0)));
    (void)first.at(1, says(load(1, {7, 1}, {2, 5})));
    const auto mirrored = decode_wave_state(encode(first.tracker.state()));
    ASSERT_TRUE(mirrored);
    successor.tracker.adopt(*mirrored);
    EXPECT_EQ(successor.at(50), Words{"front 0+0 2+5 7 on"});
    EXPECT_EQ(successor.at(51, says(completes(6))), Words{}) << "stale here as there";
    EXPECT_EQ(successor.at(51, says(completes(7))), Words{"front nil 8 off"});
}

TEST(WaveState, AnOlderStateIsNotAdopted) {
    Group group(2);
    (void)group.at(1, says(starts(7, 0)));
    group.tracker.adopt({.wave = Wave{6}, .running = false});
    EXPECT_EQ(group.tracker.wave(), Wave{7});
    EXPECT_TRUE(group.tracker.running());
}

TEST(WaveState, TheRoundSaysHowManyEnginesThereAre) {
    Group group(3);
    group.tracker.adopt({.wave = Wave{1}, .loads = {{1, 1}}});
    EXPECT_EQ(group.tracker.board().loads(), (Loads{{1, 1}, {}, {}}));
    group.tracker.adopt({.wave = Wave{1}, .loads = Loads(9)});
    EXPECT_EQ(group.tracker.board().engines(), 3u);
}

TEST(WaveState, WhatIsHeldIsHeldByASuccessor) {
    Group first(2), successor(2);
    (void)first.pause(true);
    (void)first.at(1, wake(1, 0));
    successor.tracker.adopt(first.tracker.state());
    (void)successor.pause(true);
    EXPECT_EQ(successor.pause(false), (Words{"START 0 -nil", "front nil 0 on"}));
}

}  // namespace
}  // namespace muster::core
