// SPDX-License-Identifier: Apache-2.0
/// How a member counts its group's waves: from the votes alone, so all members count the same.
#include "loop_driver.hpp"

namespace muster::core {
namespace {

using testing::Driver;

/// "3+": in wave 3. "3-": at rest, 3 will be the next.
std::string wave_of(const Driver& engine) {
    return std::to_string(engine.loop.wave()) + (engine.loop.awake() ? "+" : "-");
}

TEST(EngineLoopWaves, V16WorkAfterARestBeginsAWaveAndNoWorkEndsIt) {
    Driver engine;
    engine.peers.all_pause = false;
    EXPECT_EQ(engine.next().kind, Order::rest);
    EXPECT_EQ(wave_of(engine), "0-");
    EXPECT_EQ(engine.next().kind, Order::rest);
    EXPECT_EQ(wave_of(engine), "0-") << "a wake without work is no wave";
    engine.work = 1;
    EXPECT_EQ(engine.next().kind, Order::forward);
    EXPECT_EQ(engine.next().kind, Order::forward);
    EXPECT_EQ(wave_of(engine), "0+");
    engine.work = 0;
    EXPECT_EQ(engine.next().kind, Order::rest);
    EXPECT_EQ(wave_of(engine), "1-");
    engine.peers.work = 1;
    EXPECT_EQ(engine.next().kind, Order::dummy_forward);
    EXPECT_EQ(wave_of(engine), "1+") << "a peer's work is the group's";
    engine.peers.work = 0;
    EXPECT_EQ(engine.next().kind, Order::rest);
    EXPECT_EQ(wave_of(engine), "2-");
}

TEST(EngineLoopWaves, APauseEndsAWaveWithItsWork) {
    Driver engine;
    engine.peers.all_pause = false;
    engine.work = 1;
    EXPECT_EQ(engine.next().kind, Order::forward);
    engine.peers.all_pause = true;
    EXPECT_EQ(engine.next(Signal::pause).kind, Order::rest);
    EXPECT_EQ(engine.loop.lifecycle().state(), State::paused);
    EXPECT_EQ(wave_of(engine), "1-");
    engine.peers.all_pause = false;
    EXPECT_EQ(engine.next(Signal::unpause).kind, Order::forward);
    EXPECT_EQ(wave_of(engine), "1+");
}

TEST(EngineLoopWaves, ARoundGoesOnAboveWhatTheSurvivorsKnow) {
    Driver engine;
    engine.peers.all_pause = false;
    engine.work = 1;
    EXPECT_EQ(engine.next().kind, Order::forward);
    engine.loop.rebuilt(Round{2}, 0, State::running, 0);
    EXPECT_EQ(wave_of(engine), "1-") << "the wave that was interrupted is over, whatever the others knew of it";
    EXPECT_EQ(engine.next().kind, Order::forward);
    EXPECT_EQ(wave_of(engine), "1+");
    engine.loop.rebuilt(Round{3}, 0, State::running, 40);
    EXPECT_EQ(wave_of(engine), "40-");
    engine.loop.rebuilt(Round{4}, 0, State::running, 7);
    EXPECT_EQ(wave_of(engine), "40-") << "never back";
}

}  // namespace
}  // namespace muster::core
