// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "meet/settings.hpp"

namespace muster::meet {
namespace {

using namespace core::rendezvous;

std::string complaint(const std::string& text) {
    const auto read = with_times({}, text);
    const auto* failure = std::get_if<Failure>(&read);
    return failure != nullptr ? failure->text : "";
}

TEST(MeetSettings, T34_NamesAndSecondsWithDecimals) {
    const auto read = std::get<Settings>(
        with_times({},
                   "join_timeout=0.25,last_call_timeout=2,close_timeout=3,heartbeat_timeout=4,"
                   "keep_alive_interval=0.02,keep_alive_max_attempt=7,poll_sleep=0.001,join_delay=0"));
    EXPECT_EQ(read.timeouts.join, millis(250));
    EXPECT_EQ(read.timeouts.last_call, seconds(2));
    EXPECT_EQ(read.timeouts.close, seconds(3));
    EXPECT_EQ(read.timeouts.heartbeat, seconds(4));
    EXPECT_EQ(read.keep_alive_interval, millis(20));
    EXPECT_EQ(read.keep_alive_max_attempt, 7);
    EXPECT_EQ(read.poll_sleep, millis(1));
    EXPECT_EQ(read.join_delay, Time{0});
    EXPECT_EQ(silence_max(read), millis(140));
    EXPECT_EQ(seconds_text(silence_max(read)), "0.14 s");
}

TEST(MeetSettings, NothingIsTheSourcesDefaults) {
    const auto read = std::get<Settings>(with_times({}, ""));
    EXPECT_EQ(times_of(read), times_of(Settings{}));
    EXPECT_EQ(times_of(read).at("join_timeout"), "600");
    EXPECT_EQ(times_of(read).at("join_delay"), "0.3");
}

TEST(MeetSettings, WhatCannotBeIsNamed) {
    EXPECT_NE(complaint("joint_timeout=1").find("'joint_timeout=1' is not KEY=SECONDS with KEY one of join_timeout, "),
              std::string::npos);
    EXPECT_NE(complaint("poll_sleep").find("is not KEY=SECONDS"), std::string::npos);
    EXPECT_EQ(complaint("poll_sleep=0"), "'poll_sleep=0': must be seconds, 0.001 or more");
    for (const char* text : {"join_timeout=0", "join_timeout=-1", "join_timeout=nan", "join_timeout=1x",
                             "join_timeout=", "join_timeout=1e300"})
        EXPECT_NE(complaint(text), "") << text;
    EXPECT_EQ(complaint("keep_alive_max_attempt=1.5"),
              "'keep_alive_max_attempt=1.5': must be a whole number of 1 or more");
}

}  // namespace
}  // namespace muster::meet
