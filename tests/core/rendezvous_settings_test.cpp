// SPDX-License-Identifier: Apache-2.0
#include "core/rendezvous_settings.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <unordered_set>

#include "rendezvous_support.hpp"

namespace muster::core::rendezvous::testing {
namespace {

std::string complaint(const Settings& settings) {
    const auto failure = complaint_about(settings);
    return failure ? std::string(name_of(failure->kind)) + ": " + failure->text : "";
}

TEST(RendezvousSettings, T01_DefaultTimeouts) {
    const Timeouts timeouts;
    EXPECT_EQ(timeouts.join, seconds(600));
    EXPECT_EQ(timeouts.last_call, seconds(30));
    EXPECT_EQ(timeouts.close, seconds(30));
    EXPECT_EQ(timeouts.heartbeat, seconds(5));
    EXPECT_EQ(complaint(settings_of(1, 1)), "");
}

TEST(RendezvousSettings, T01_ATimeoutMustBePositive) {
    const std::pair<const char*, Time Timeouts::*> all[] = {{"join", &Timeouts::join},
                                                            {"last_call", &Timeouts::last_call},
                                                            {"close", &Timeouts::close},
                                                            {"heartbeat", &Timeouts::heartbeat}};
    for (const auto& [name, member] : all) {
        auto settings = settings_of(1, 1);
        settings.timeouts.*member = Time{0};
        EXPECT_EQ(complaint(settings), "ValueError: The " + std::string(name) + " timeout (0:00:00) must be positive.");
        settings.timeouts.*member = Time{1};
        EXPECT_EQ(complaint(settings), "");
    }
}

TEST(RendezvousSettings, T01_TheFirstOfSeveralIsNamedAndBeforeEverythingElse) {
    auto settings = settings_of(0, -1);
    settings.run_id = "";
    settings.timeouts = {.join = seconds(1), .last_call = seconds(-1), .close = seconds(-2), .heartbeat = seconds(-3)};
    EXPECT_EQ(complaint(settings), "ValueError: The last_call timeout (-1 day, 23:59:59) must be positive.");
}

TEST(RendezvousSettings, T01_SpansAreWrittenAsTheSourceWritesThem) {
    EXPECT_EQ(text_of(Time{0}), "0:00:00");
    EXPECT_EQ(text_of(seconds(30)), "0:00:30");
    EXPECT_EQ(text_of(seconds(3723)), "1:02:03");
    EXPECT_EQ(text_of(seconds(86'400)), "1 day, 0:00:00");
    EXPECT_EQ(text_of(seconds(2 * 86'400 + 36'000)), "2 days, 10:00:00");
    EXPECT_EQ(text_of(Time{-500'000}), "-1 day, 23:59:59.500000");
    EXPECT_EQ(text_of(Time{1}), "0:00:00.000001");
    EXPECT_EQ(text_of(seconds(-2 * 86'400)), "-2 days, 0:00:00");
}

TEST(RendezvousSettings, T02_KeepAliveDefaults) {
    const Settings settings;
    EXPECT_EQ(settings.keep_alive_interval, seconds(5));
    EXPECT_EQ(settings.keep_alive_max_attempt, 3);
}

TEST(RendezvousSettings, T02_CheckedInTheSourcesOrderWithItsTexts) {
    auto settings = settings_of(0, -1);
    settings.run_id = "";
    EXPECT_EQ(complaint(settings), "ValueError: The run id must be a non-empty string.");
    settings.run_id = "job";
    EXPECT_EQ(complaint(settings), "ValueError: The minimum number of nodes (0) must be greater than zero.");
    settings.min_nodes = 3;
    settings.max_nodes = 2;
    EXPECT_EQ(
        complaint(settings),
        "ValueError: The maximum number of nodes (2) must be greater than or equal to the minimum number of nodes "
        "(3).");
    settings.max_nodes = 3;
    EXPECT_EQ(complaint(settings), "");
}

TEST(RendezvousSettings, T03_NodesArePrintedOrderedAndHashed) {
    EXPECT_EQ(text_of(Node{"host", 100, 0}), "host_100_0");
    // In this order: by address, then by numbers as numbers.
    const std::vector<Node> order = {{"a", 9, 9}, {"b", 9, 10}, {"b", 10, 2}, {"b", 10, 10}, {"b_1", 1, 1}};
    for (std::size_t i = 0; i + 1 < order.size(); ++i) EXPECT_LT(order[i], order[i + 1]);
    const std::unordered_set<Node> set(order.begin(), order.end());
    EXPECT_EQ(set.size(), order.size());
    EXPECT_TRUE(set.contains(Node{"b", 10, 2}));
}

TEST(RendezvousSettings, T03_ANameIsReadFromTheRight) {
    EXPECT_EQ(node_from("host_100_0"), (Node{"host", 100, 0}));
    EXPECT_EQ(node_from("my_old_host_7_31"), (Node{"my_old_host", 7, 31}));
    EXPECT_EQ(node_from("h_1_9223372036854775807"), (Node{"h", 1, 9223372036854775807}));
    for (const char* bad : {"", "host", "host_1", "_1_2", "host_1_", "host__2", "host_x_1", "host_1_-2", "host_1_2 ",
                            "1_2", "host_1_9223372036854775808"})
        EXPECT_EQ(node_from(bad), std::nullopt) << bad;
}

TEST(RendezvousSettings, T03_LocalIdsCountFromZeroInAllThreads) {
    NodeNames names;
    EXPECT_EQ(names.next({"host.full.name", 7}), (Node{"host.full.name", 7, 0}));
    EXPECT_EQ(names.next({"host.full.name", 7}, "here"), (Node{"here", 7, 1}));
    std::vector<std::vector<Node>> taken(4);
    std::vector<std::thread> threads;
    for (auto& mine : taken)
        threads.emplace_back([&] {
            for (int i = 0; i < 1000; ++i) mine.push_back(names.next({"h", 7}));
        });
    for (auto& thread : threads) thread.join();
    std::set<Node> all;
    for (const auto& mine : taken) all.insert(mine.begin(), mine.end());
    EXPECT_EQ(all.size(), 4000U);
    EXPECT_EQ(all.rbegin()->local_id, 4001);
}

TEST(RendezvousSettings, T34_OptionsAreWholeSeconds) {
    const auto made = settings_from(settings_of(1, 1), {{"join_timeout", "60"},
                                                        {"last_call_timeout", " +2 "},
                                                        {"close_timeout", "7"},
                                                        {"heartbeat_timeout", "4"},
                                                        {"keep_alive_interval", "3"},
                                                        {"keep_alive_max_attempt", "9"},
                                                        {"local_addr", "somewhere"}});
    const auto& settings = std::get<Settings>(made);
    EXPECT_EQ(settings.timeouts.join, seconds(60));
    EXPECT_EQ(settings.timeouts.last_call, seconds(2));
    EXPECT_EQ(settings.timeouts.close, seconds(7));
    EXPECT_EQ(settings.timeouts.heartbeat, seconds(4));
    EXPECT_EQ(settings.keep_alive_interval, seconds(3));
    EXPECT_EQ(settings.keep_alive_max_attempt, 9);
    const auto untouched = settings_from(settings_of(1, 1), {});
    EXPECT_EQ(std::get<Settings>(untouched).timeouts.join, seconds(600));
}

TEST(RendezvousSettings, T34_WhatIsNoNumberOrCannotBeIsAValueError) {
    for (const char* bad : {"", "x", "1.5", "6 0", "+-1", "99999999999999999999"}) {
        const auto made = settings_from(settings_of(1, 1), {{"close_timeout", bad}});
        EXPECT_EQ(std::get<Failure>(made).text,
                  "The rendezvous configuration option 'close_timeout' does not represent a valid integer value.")
            << bad;
    }
    const auto zero = settings_from(settings_of(1, 1), {{"join_timeout", "0"}});
    EXPECT_EQ(std::get<Failure>(zero).text, "The join timeout (0:00:00) must be positive.");
    const auto nobody = settings_from(settings_of(0, 1), {});
    EXPECT_EQ(std::get<Failure>(nobody).kind, Failure::bad_value);
}

TEST(RendezvousSettings, T35_TheStoresPrefixIsASetting) {
    auto settings = settings_of(1, 1);
    EXPECT_EQ(store_prefix(settings, Round{3}), "muster.rendezvous.job.3");
    settings.store_prefix = "torch.rendezvous";
    EXPECT_EQ(store_prefix(settings, Round{0}), "torch.rendezvous.job.0");
}

TEST(RendezvousSettings, InAJobNothingIsWaitedFor) {
    const auto settings = in_job("job", 2, 8);
    EXPECT_EQ(complaint(settings), "");
    EXPECT_EQ(settings.cache, Time{0});
    EXPECT_EQ(settings.poll_sleep, Time{0});
    EXPECT_EQ(settings.join_delay, Time{0});
    EXPECT_TRUE(settings.complete_when_all_present);
    EXPECT_TRUE(settings.replace_dead_participants);
    EXPECT_EQ(expiry(settings, seconds(10)), seconds(9));
}

TEST(RendezvousSettings, SumsBeyondTheRangeStopAtItsEnds) {
    EXPECT_EQ(kTimeMax + Time{1}, kTimeMax);
    EXPECT_EQ(kTimeMin + Time{-1}, kTimeMin);
    EXPECT_EQ(kTimeMin - Time{1}, kTimeMin);
    EXPECT_EQ(kTimeMax - Time{-1}, kTimeMax);
    EXPECT_EQ(seconds(1'000'000'000) * 1'000'000'000'000, kTimeMax);
    EXPECT_EQ(seconds(1'000'000'000) * -1'000'000'000'000, kTimeMin);
    EXPECT_EQ(kTimeMin * 2, kTimeMin);
}

}  // namespace
}  // namespace muster::core::rendezvous::testing
