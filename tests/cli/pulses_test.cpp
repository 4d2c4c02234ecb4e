// SPDX-License-Identifier: Apache-2.0
#include "launch/pulses.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace muster::launch {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;
constexpr auto kWindow = 2s;
const Pulses::Clock::time_point kBegin{1h};

/// Ranks 0 and 1 on n0, 2 and 3 on n1, all heard at the beginning.
Pulses four() {
    Pulses pulses;
    for (int rank = 0; rank < 4; ++rank) pulses.hello(rank, {{"node", rank < 2 ? "n0" : "n1"}}, kBegin);
    return pulses;
}

const json kBeat{{"event", "beat"}};

TEST(Pulses, NobodyHasComeYet) {
    const Pulses pulses;
    EXPECT_FALSE(pulses.all_gone(kBegin + 1h, kWindow)) << "a program without muster is none of ours";
    EXPECT_FALSE(pulses.lowest_open());
}

TEST(Pulses, TheLastLinkThatClosesIsTheEnd) {
    auto pulses = four();
    for (int rank = 0; rank < 3; ++rank) pulses.closed(rank, kBegin + 1ms);
    EXPECT_FALSE(pulses.all_gone(kBegin + 1ms, kWindow)) << "rank 3 is there";
    pulses.closed(3, kBegin + 2ms);
    EXPECT_TRUE(pulses.all_gone(kBegin + 2ms, kWindow)) << "at once, not after the window";
    EXPECT_EQ(pulses.last_sign({}), kBegin + 2ms);
}

TEST(Pulses, WhoeverLeavesOfItselfIsNotLost) {
    auto pulses = four();
    for (int rank = 0; rank < 4; ++rank) {
        pulses.heard(rank, {{"event", "left"}}, kBegin + 1ms);
        pulses.closed(rank, kBegin + 1ms);
    }
    EXPECT_FALSE(pulses.all_gone(kBegin + 2ms, kWindow));
    EXPECT_FALSE(pulses.lowest_open());
}

TEST(Pulses, SilenceBeyondTheWindow) {
    auto pulses = four();
    EXPECT_FALSE(pulses.all_gone(kBegin + kWindow, kWindow));
    EXPECT_TRUE(pulses.all_gone(kBegin + kWindow + 1ms, kWindow));
    EXPECT_TRUE(pulses.any_open()) << "they may live: their lease must run out";
}

TEST(Pulses, ASilentNodeBesideALivingOne) {
    auto pulses = four();
    pulses.heard(0, kBeat, kBegin + 3s);
    pulses.heard(1, kBeat, kBegin + 3s);
    EXPECT_EQ(pulses.silent_nodes(kBegin + 3s, kWindow), std::set<std::string>{"n1"});
    EXPECT_EQ(pulses.last_sign({"n1"}), kBegin);
    pulses.heard(3, kBeat, kBegin + 3s);
    EXPECT_TRUE(pulses.silent_nodes(kBegin + 3s, kWindow).empty()) << "rank 2 alone is the job's own business";
}

TEST(Pulses, ANodeThatAnswersIsNotAskedAgain) {
    auto pulses = four();
    pulses.closed(2, kBegin);
    pulses.closed(3, kBegin);
    EXPECT_EQ(pulses.silent_nodes(kBegin, kWindow), std::set<std::string>{"n1"});
    pulses.node_lives("n1");
    EXPECT_TRUE(pulses.silent_nodes(kBegin, kWindow).empty());
}

TEST(Pulses, StepsAndTheFirstCommit) {
    auto pulses = four();
    EXPECT_FALSE(pulses.step());
    pulses.heard(1, {{"event", "beat"}, {"step", 41}, {"first_ms", 150.0}}, kBegin + 1s);
    pulses.heard(0, {{"event", "beat"}, {"step", 40}, {"first_ms", 10.0}}, kBegin + 1s);
    EXPECT_EQ(pulses.step(), 41U);
    EXPECT_EQ(pulses.first_commit(), kBegin + 850ms);
}

TEST(Pulses, NonsenseHarmsNobody) {
    Pulses pulses;
    pulses.hello(0, {{"node", 7}, {"slurm_step", json::array()}}, kBegin);
    pulses.heard(0, {{"event", 1}, {"step", "x"}, {"first_ms", json::object()}}, kBegin);
    pulses.heard(5, kBeat, kBegin);
    pulses.closed(6, kBegin);
    EXPECT_FALSE(pulses.step());
    EXPECT_EQ(pulses.lowest_open(), 0);
    EXPECT_EQ(pulses.slurm_step(), "");
}

}  // namespace
}  // namespace muster::launch
