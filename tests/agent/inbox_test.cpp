// SPDX-License-Identifier: Apache-2.0
/// What an engine's load is, and requests that are taken back, where engine thread and agent meet.
#include "agent/inbox.hpp"

#include <gtest/gtest.h>

namespace muster::agent {
namespace {

struct InboxTest : ::testing::Test {
    Bell bell;
    Inbox inbox{bell};
    std::uint64_t open = 0;  ///< As the switchboard counts: given to this engine, outcome not passed on.

    void arrive(std::uint64_t id) {
        inbox.request({Rank{9}, RequestId{id}, {}});
        ++open;
    }
    std::vector<Request> take() {
        std::vector<Request> taken;
        inbox.take_requests(taken);
        return taken;
    }
    void answer(std::uint64_t id) { inbox.give(Inbox::Answer{Rank{9}, RequestId{id}, {}}); }
    void carry() {
        for (const auto& out : inbox.take_out()) open -= std::holds_alternative<Inbox::Answer>(out) ? 1 : 0;
    }
    /// "waiting/running".
    std::string load() {
        const auto says = inbox.says(open);
        return std::to_string(says.load.waiting) + "/" + std::to_string(says.load.running);
    }
};

TEST_F(InboxTest, WithoutAWordOpenRequestsCount) {
    EXPECT_EQ(load(), "0/0");
    arrive(1), arrive(2), arrive(3);
    EXPECT_EQ(load(), "3/0");
    EXPECT_EQ(take().size(), 3u);
    EXPECT_EQ(load(), "0/3");
    arrive(4);
    answer(1);
    EXPECT_EQ(load(), "1/3") << "the answer has not been passed on";
    carry();
    EXPECT_EQ(load(), "1/2");
}

TEST_F(InboxTest, AfterAWordWhatComesAndGoesIsCountedOn) {
    arrive(1), arrive(2);
    (void)take();
    answer(1);
    inbox.say_load({.waiting = 5, .running = 2, .capacity = 64, .gauges = {{"kv", 0.5}}});  // It knows of the answer.
    EXPECT_EQ(load(), "5/2");
    carry();
    EXPECT_EQ(load(), "5/2") << "an answer that it knew of counts once";
    arrive(3);
    EXPECT_EQ(load(), "6/2");
    answer(2), carry();
    EXPECT_EQ(load(), "6/1");
    EXPECT_EQ(inbox.says(open).capacity, 64u);
    EXPECT_EQ(inbox.says(open).load.gauges.at("kv"), 0.5);
    (void)take();
    EXPECT_EQ(load(), "6/1") << "taken, but the engine has not said so";
    inbox.say_load({.waiting = 0, .running = 1});
    EXPECT_EQ(load(), "0/1");
}

TEST_F(InboxTest, WhoIsNoEngineAnyMoreHasSaidNothing) {
    arrive(1);
    inbox.say_load({.waiting = 50});
    inbox.new_round(false);
    open = 0;
    EXPECT_EQ(load(), "0/0");
    inbox.new_round(true);
    arrive(2);
    EXPECT_EQ(load(), "1/0");
}

TEST_F(InboxTest, ARequestIsTakenBackUntilTheEngineHasIt) {
    arrive(1), arrive(2);
    EXPECT_TRUE(inbox.call_off(Rank{9}, RequestId{1}));
    --open;
    const auto taken = take();
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken.front().id, RequestId{2});
    EXPECT_FALSE(inbox.call_off(Rank{9}, RequestId{2}));
    EXPECT_TRUE(inbox.is_called_off(Rank{9}, RequestId{2}));
    EXPECT_FALSE(inbox.is_called_off(Rank{9}, RequestId{1}));
    answer(2), carry();
    EXPECT_FALSE(inbox.is_called_off(Rank{9}, RequestId{2})) << "nothing is remembered of what is done";
    EXPECT_EQ(load(), "0/0");
}

TEST_F(InboxTest, TheGroupsWaveIsSaid) {
    inbox.whereabouts.show_wave(7, true);
    EXPECT_EQ(inbox.says(0).wave, core::Wave{7});
    EXPECT_TRUE(inbox.says(0).awake);
    inbox.whereabouts.show_wave(8, false);
    EXPECT_EQ(inbox.says(0).wave, core::Wave{8});
    EXPECT_FALSE(inbox.says(0).awake);
}

}  // namespace
}  // namespace muster::agent
