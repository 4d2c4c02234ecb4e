// SPDX-License-Identifier: Apache-2.0
/// The controller's end over the control channel, and that a successor finishes it.
#include <gtest/gtest.h>

#include "controller_job.hpp"

namespace muster::core {
namespace {

using namespace controller;
using testing::ControllerJob;

Call created(const std::string& tag, std::int64_t replicas) {
    BackendConfig config;
    config.num_replicas = replicas;
    return Command{CreateBackend{tag, config, "null"}};
}

TEST(ControllerShutdown, R20_EverythingIsGoneAndTheNextCallBeginsAnew) {
    ControllerJob job({.engines = 4, .standbys = 2, .clients = 2});
    ASSERT_TRUE(job.now<CallDone>(6, created("b", 2)));
    const auto listens = job.now<Changed>(7, Question{ListenForChange{{{"BACKEND_CONFIGS:b", kNeverSeen}}, 9'000}});
    const auto id = listens->keys.at("BACKEND_CONFIGS:b").id;
    const auto waits = job.call(7, Question{ListenForChange{{{"BACKEND_CONFIGS:b", id}}, 60'000}});
    ASSERT_TRUE(job.now<CallDone>(6, Command{Shutdown{}})) << job.error;
    EXPECT_TRUE(job.running.empty());
    EXPECT_EQ(job.state(), State{});
    EXPECT_EQ(job.answer<Changed>(7, waits)->keys.at("BACKEND_CONFIGS:b").value, nullptr) << "it is told of its end";
    EXPECT_EQ(job.now<CallDone>(6, created("c", 1))->goal, GoalId{1});
}

TEST(ControllerShutdown, R20_ItsCallerHearsOfItWhenTheFollowersHaveDeletedItToo) {
    for (const auto seed : testing::seeds(20)) {
        ControllerJob job({.engines = 4, .standbys = 2, .clients = 2, .seed = seed});
        ASSERT_TRUE(job.now<CallDone>(6, created("b", 0)));
        const auto id = job.call(6, Command{Shutdown{}});
        while (job.answers(6, id) == 0 && job.step()) {
        }
        ASSERT_EQ(job.answers(6, id), 1u);
        for (const Rank follower : job.view().followers)
            EXPECT_EQ(job.board(follower.value).job_state().controller().state(), State{}) << "seed " << seed;
    }
}

TEST(ControllerShutdown, R20_ASuccessorFinishesIt) {
    for (std::uint32_t steps = 0; steps < 16; ++steps) {
        ControllerJob job({.engines = 4, .standbys = 2, .clients = 2, .seed = steps + 1});
        ASSERT_TRUE(job.now<CallDone>(6, created("b", 2)));
        const auto id = job.call(6, Command{Shutdown{}});
        job.run(steps);
        job.kill(0);
        job.rebuild_until_whole();
        job.pass();
        EXPECT_TRUE(job.answer<CallDone>(6, id)) << steps << ": " << job.error;
        EXPECT_EQ(job.state(), State{}) << steps;
        EXPECT_TRUE(job.running.empty()) << steps;
    }
}

}  // namespace
}  // namespace muster::core
