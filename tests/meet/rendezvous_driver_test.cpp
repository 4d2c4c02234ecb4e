// SPDX-License-Identifier: Apache-2.0
/// The handler with a real clock: what time, threads and the end of an object have to do with it.
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "meet/event_line.hpp"
#include "meet/support.hpp"

namespace muster::meet::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using core::rendezvous::seconds;

/// Asks until it is so; false: not within 10 s.
template <class Ask>
bool soon(Ask ask) {
    for (const auto end = Clock::now() + 10s; Clock::now() < end; std::this_thread::sleep_for(1ms))
        if (ask()) return true;
    return false;
}

/// next_rendezvous() on a thread of its own.
std::future<Or<std::optional<Joined>>> joining(Rendezvous& one) {
    return std::async(std::launch::async, [&one] { return one.next_rendezvous(); });
}

using RendezvousDriver = Meeting;

TEST_F(RendezvousDriver, T27_TwoMeetAndAreInOneWorld) {
    const auto one = handler(quick(2, 2), "a"), two = handler(quick(2, 2), "b");
    auto first = joining(*one);
    const Joined second = in(two->next_rendezvous());
    const Joined other = in(first.get());
    EXPECT_EQ(other.rank, Slot{0});
    EXPECT_EQ(second.rank, Slot{1});
    EXPECT_EQ(second.world, (std::vector<Node>{one->node(), two->node()}));
    EXPECT_EQ(second.world, other.world);
    EXPECT_EQ(second.store_prefix, "muster.rendezvous.job.0");
    EXPECT_STREQ(one->backend_name(), "file");
}

TEST_F(RendezvousDriver, T02_WhatCannotBeIsRecordedAndRefused) {
    std::vector<std::string> lines;
    auto asked = options(quick(0, 1));
    asked.on_event = [&](const auto& event, Time at) { lines.push_back(as_json(event, at).dump()); };
    const auto made = Rendezvous::create(std::move(asked));
    EXPECT_EQ(std::get<Failure>(made).text, "The minimum number of nodes (0) must be greater than zero.");
    ASSERT_EQ(lines.size(), 1u);
    const auto line = nlohmann::json::parse(lines[0]);
    EXPECT_EQ(line["state"], "FAILED");
    EXPECT_EQ(line["message"], "ValueError: The minimum number of nodes (0) must be greater than zero.");
    auto still = quick(1, 1);
    still.keep_alive_interval = Time{0};
    EXPECT_EQ(std::get<Failure>(Rendezvous::create(options(still))).text,
              "The keep-alive interval (0:00:00) must be positive.");
}

TEST_F(RendezvousDriver, T35_EveryStepIsALine) {
    std::vector<nlohmann::json> lines;
    auto asked = options(quick(1, 1), "a");
    asked.on_event = [&](const auto& event, Time at) { lines.push_back(as_json(event, at)); };
    auto made = Rendezvous::create(std::move(asked));
    (void)in(std::get<0>(made)->next_rendezvous());
    std::vector<std::string> names;
    for (const auto& line : lines) {
        EXPECT_EQ(line["event"], "rendezvous");
        EXPECT_EQ(line["run_id"], "job");
        EXPECT_GT(line["time"].get<double>(), 1.7e9);
        names.push_back(line["name"]);
    }
    EXPECT_EQ(names, (std::vector<std::string>{"handler.next_rendezvous", "executor.add_to_participants",
                                               "executor.keep_alive", "executor.mark_rendezvous_complete",
                                               "executor.run", "handler.next_rendezvous"}));
    EXPECT_EQ(lines.back()["rank"], 0);
}

TEST_F(RendezvousDriver, T27_KeepAlivesGoOnByThemselvesUntilShutdown) {
    auto settings = quick(1, 2);
    settings.keep_alive_max_attempt = 20;  // 400 ms
    const auto one = handler(settings, "a"), watcher = handler(settings, "w");
    (void)in(one->next_rendezvous());
    const auto heard = [&] { return std::get<0>(watcher->look()).last_heartbeats; };
    const auto before = heard();
    std::this_thread::sleep_for(900ms);  // More than twice as long as a silent node lives.
    ASSERT_EQ(heard().count(one->node()), 1u) << "kept alive";
    EXPECT_GT(heard().at(one->node()), before.at(one->node()));
    EXPECT_TRUE(one->shutdown());
    EXPECT_TRUE(one->shutdown());  // T32: as often as one likes.
    EXPECT_TRUE(soon([&] { return heard().empty(); })) << "no keep-alives after shutdown";
    EXPECT_TRUE(std::get<0>(watcher->is_closed()));
}

TEST_F(RendezvousDriver, T33_ADestroyedHandlersTimerDoesNothing) {
    auto settings = quick(1, 1);
    settings.keep_alive_interval = millis(1);
    auto one = handler(settings);
    (void)in(one->next_rendezvous());
    const auto backend = file();
    const auto token = [&] { return persist::testing::token_of(backend->get()); };
    const auto first = token();
    EXPECT_TRUE(soon([&] { return token() != first; })) << "it ticks";
    one.reset();
    const auto last = token();
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(token(), last);
}

TEST_F(RendezvousDriver, T32_ShutdownFromAnotherThreadCutsAPollShort) {
    auto settings = quick(2, 2);
    settings.poll_sleep = seconds(60);
    const auto one = handler(settings);
    auto joined = joining(*one);
    ASSERT_TRUE(soon([&] { return std::get<0>(one->look()).participants.size() == 1; }));
    EXPECT_TRUE(one->shutdown());
    ASSERT_EQ(joined.wait_for(10s), std::future_status::ready) << "the poll of 60 s was not cut short";
    EXPECT_EQ(std::get<Failure>(joined.get()).kind, Failure::closed);
}

TEST_F(RendezvousDriver, InterruptCutsAPollShortAndLeaveTakesItOff) {
    auto settings = quick(2, 2);
    settings.poll_sleep = seconds(60);
    const auto one = handler(settings), watcher = handler(settings, "w");
    auto joined = joining(*one);
    const auto there = [&] { return std::get<0>(watcher->look()).participants.size(); };
    ASSERT_TRUE(soon([&] { return there() == 1; }));
    one->interrupt();
    ASSERT_EQ(joined.wait_for(10s), std::future_status::ready);
    EXPECT_EQ(std::get<0>(joined.get()), std::nullopt);
    EXPECT_EQ(there(), 1u);
    EXPECT_EQ(one->leave(), std::nullopt);
    EXPECT_EQ(there(), 0u);
    EXPECT_FALSE(std::get<0>(watcher->is_closed()));
}

TEST_F(RendezvousDriver, T21_ADeadlineInRealTimeTakesItOff) {
    auto settings = quick(2, 2);
    settings.timeouts.join = millis(100);
    const auto one = handler(settings);
    const auto begin = Clock::now();
    EXPECT_EQ(std::get<Failure>(one->next_rendezvous()).kind, Failure::timed_out);
    EXPECT_GE(Clock::now() - begin, 100ms);
    EXPECT_TRUE(std::get<0>(one->look()).participants.empty());
}

TEST_F(RendezvousDriver, T19_ARedundantNodeWaitsBeyondItsDeadlineAndEndsGracefully) {
    auto settings = quick(1, 1);
    settings.timeouts.join = millis(100);
    const auto one = handler(settings, "a"), spare = handler(settings, "b");
    (void)in(one->next_rendezvous());
    auto waiting = joining(*spare);
    EXPECT_EQ(waiting.wait_for(400ms), std::future_status::timeout);
    EXPECT_EQ(std::get<0>(one->num_nodes_waiting()), 0u) << "T31: redundant ones are not counted";
    EXPECT_EQ(one->set_closed(), std::nullopt);
    const auto end = waiting.get();
    EXPECT_EQ(std::get<Failure>(end).kind, Failure::graceful_exit);
    EXPECT_EQ(std::get<Failure>(end).text, "The rendezvous 'job' is closed, terminating pending rendezvous.");
}

TEST_F(RendezvousDriver, T31_AWaitingNodeIsCounted) {
    auto settings = quick(1, 2);
    const auto one = handler(settings, "a"), late = handler(settings, "b");
    (void)in(one->next_rendezvous());
    auto waiting = joining(*late);
    EXPECT_TRUE(soon([&] { return std::get<0>(one->num_nodes_waiting()) == 1; }));
    EXPECT_FALSE(std::get<0>(one->is_round_over()));
    auto again = joining(*one);  // T29: whoever is inside makes room for the next round.
    EXPECT_EQ(in(waiting.get()).round, Round{1});
    EXPECT_EQ(in(again.get()).world, (std::vector<Node>{one->node(), late->node()}));
}

TEST_F(RendezvousDriver, T08_WhatCannotBeReadIsRaisedWithItsName) {
    const auto one = handler(quick(1, 1));
    put(state_path(), "nonsense, and longer than a header of forty bytes");
    const auto met = one->next_rendezvous();
    EXPECT_EQ(std::get<Failure>(met).kind, Failure::corrupt_state);
    EXPECT_FALSE(one->shutdown());  // T32: a warning in the records, no error.
}

}  // namespace
}  // namespace muster::meet::testing
