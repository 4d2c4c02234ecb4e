// SPDX-License-Identifier: Apache-2.0
/// What clients ask for and hear, where they meet the agent: loads, and requests with a wish or taken back.
#include "agent/client_desk.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace muster::detail {
namespace {

using namespace std::chrono_literals;

struct DeskTest : ::testing::Test {
    std::atomic<unsigned> rings = 0;
    Desk desk{[this] { ++rings; }, {}};
};

TEST_F(DeskTest, ManyRequestsAreOneRing) {
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(desk.submit({}, {}));
    EXPECT_EQ(rings, 1u);
    EXPECT_EQ(desk.take_out().size(), 5u);
    EXPECT_TRUE(desk.submit({}, {}));
    EXPECT_EQ(rings, 2u) << "the agent has looked meanwhile";
}

TEST_F(DeskTest, AWishGoesWithTheRequest) {
    EXPECT_TRUE(desk.submit({}, {.id = RequestId{5}, .engine = Slot{3}, .blocks = {7, 8}}));
    const auto out = desk.take_out();
    const auto& submit = std::get<Desk::Submit>(out.at(0));
    EXPECT_EQ(submit.id, RequestId{5});
    EXPECT_EQ(submit.hints.pin, Slot{3});
    EXPECT_EQ(submit.hints.blocks, (std::vector<BlockHash>{7, 8}));
    const auto too_many = desk.submit({}, {.blocks = std::vector<BlockHash>(core::kBlocksMax + 1)});
    ASSERT_FALSE(too_many);
    EXPECT_EQ(too_many.error().fault, Fault::refused);
}

TEST_F(DeskTest, OnlyWhatIsOpenCanBeTakenBack) {
    EXPECT_EQ(desk.abort(RequestId{1}).error().fault, Fault::refused);
    const auto id = *desk.submit({}, {});
    EXPECT_TRUE(desk.abort(id));
    const auto out = desk.take_out();
    EXPECT_TRUE(std::holds_alternative<Desk::Submit>(out.at(0))) << "in this order";
    EXPECT_TRUE(std::holds_alternative<Desk::Abort>(out.at(1)));
    desk.request_ended(id, Error{Fault::aborted, "taken back"}, {});
    EXPECT_EQ(desk.wait(id, 0ms)->error->fault, Fault::aborted);
    EXPECT_EQ(desk.abort(id).error().fault, Fault::refused);
}

TEST_F(DeskTest, LoadsAreAskedForOnceAndKeptByGroup) {
    EXPECT_EQ(desk.loads(0ms).error().fault, Fault::timed_out);
    EXPECT_EQ(desk.take_out().size(), 1u);
    const auto word = [](std::uint32_t group, std::int64_t waiting, std::int64_t wave) {
        core::GroupWord made{group, core::Wave{wave}, true, {}};
        made.engines.push_back({Slot{group * 2}, Rank{group * 2}, 16, {waiting, 1, {}}});
        return made;
    };
    desk.loads_heard(Round{2}, {word(0, 3, 5), word(1, 4, 6)});
    desk.loads_heard(Round{2}, {word(1, 9, 7)});
    auto loads = desk.loads(0ms);
    ASSERT_TRUE(loads);
    EXPECT_EQ(loads->round, Round{2});
    ASSERT_EQ(loads->groups.size(), 2u);
    EXPECT_EQ(loads->groups[0].engines.at(0).load.waiting, 3u);
    EXPECT_EQ(loads->groups[1].engines.at(0).load.waiting, 9u);
    EXPECT_EQ(loads->groups[1].engines.at(0).load.capacity, 16u);
    EXPECT_EQ(loads->groups[1].wave, 7u);
    desk.loads_heard(Round{3}, {word(0, 1, 8)});
    EXPECT_EQ(desk.loads(0ms)->groups.size(), 1u) << "a new round has its own groups";
    EXPECT_TRUE(desk.take_out().empty()) << "whoever watches need not ask again";
    desk.end({Fault::ended, "over"});
    EXPECT_EQ(desk.loads(0ms).error().fault, Fault::ended);
}

/// A call of the controller waits for its answer, and says which changes its caller still waits for.
TEST_F(DeskTest, ACallOfTheControllerIsAnsweredByItsNumber) {
    namespace ctl = core::controller;
    std::thread agent([this] {
        std::vector<core::message::ControllerAsk> asks;
        while (asks.size() < 2)
            for (auto& out : desk.take_out())
                if (auto* ask = std::get_if<core::message::ControllerAsk>(&out)) asks.push_back(std::move(*ask));
        for (const auto& ask : asks) {
            EXPECT_EQ(ask.settled, core::CallId{1}) << "the change is still waited for";
            const bool is_change = std::holds_alternative<ctl::Command>(*ctl::decode_call(ask.call));
            desk.controller_call_ended(
                {{ask.id, is_change ? std::nullopt : std::optional<std::string>("no"), ask.call}});
        }
    });
    std::thread other([this] {
        const auto changed = desk.control(ctl::Command{ctl::Shutdown{}}, 10s);
        EXPECT_TRUE(changed && !changed->empty());
    });
    while (rings == 0) std::this_thread::yield();
    const auto refused = desk.control(ctl::Question{ctl::ListBackends{}}, 10s);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::refused);
    agent.join();
    other.join();
}

TEST_F(DeskTest, ACallOfTheControllerThatNobodyAnswersIsGivenUp) {
    namespace ctl = core::controller;
    const auto late = desk.control(ctl::Question{ctl::ListBackends{}}, 1ms);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().fault, Fault::timed_out);
    const auto out = desk.take_out();
    const auto& ask = std::get<core::message::ControllerAsk>(out.at(0));
    EXPECT_EQ(std::get<Desk::GiveUp>(out.at(1)).id, ask.id);
    desk.end({Fault::ended, "over"});
    EXPECT_EQ(desk.control(ctl::Question{ctl::ListBackends{}}, 1s).error().fault, Fault::ended);
}

}  // namespace
}  // namespace muster::detail
