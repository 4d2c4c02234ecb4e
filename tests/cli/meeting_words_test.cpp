// SPDX-License-Identifier: Apache-2.0
/// What the `muster run` of one round tell each other, and the job that follows from it.
#include "launch/meeting_words.hpp"

#include <gtest/gtest.h>

namespace muster::launch {
namespace {

using core::rendezvous::millis;

JobSpec spec_of(int engines = 0) {
    JobSpec spec;
    spec.engines = engines;
    spec.program = {"./train", "--steps", "5"};
    return spec;
}

Meeting meeting_at(const std::string& host, int slots) {
    Meeting meeting{.directory = "/shared", .settings = {}, .host = {host, slots}};
    meeting.settings.run_id = "job";
    meeting.settings.min_nodes = 2;
    meeting.settings.max_nodes = 4;
    return meeting;
}

Guest guest_at(const std::string& host, int slots) { return guest_of(spec_of(), meeting_at(host, slots)); }

TEST(MeetingWords, AGuestComesBackAsItWas) {
    const auto guest = guest_at("b", 3);
    const auto back = guest_from(as_text(guest));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->host, guest.host);
    EXPECT_EQ(back->job, guest.job);
    EXPECT_EQ(back->program, guest.program);
    EXPECT_EQ(difference(guest, *back), "");
    for (const char* nonsense : {"", "{}", "[]", "7", R"({"host":1,"slots":2,"job":{},"program":[]})"})
        EXPECT_FALSE(guest_from(nonsense)) << nonsense;
}

TEST(MeetingWords, WhoWantsAnotherJobIsToldWhatDiffers) {
    const auto here = guest_at("a", 2);
    EXPECT_EQ(difference(here, guest_at("b", 7)), "") << "hosts and slots are everybody's own";
    auto spec = spec_of();
    spec.group_size = 2;
    EXPECT_EQ(difference(here, guest_of(spec, meeting_at("b", 2))), "MUSTER_GROUP_SIZE is '2' there and '0' here");
    spec = spec_of();
    spec.program[2] = "6";
    EXPECT_EQ(difference(here, guest_of(spec, meeting_at("b", 2))),
              "the program is `./train --steps 6` there and `./train --steps 5` here");
    auto meeting = meeting_at("b", 2);
    meeting.settings.max_nodes = 3;
    EXPECT_EQ(difference(here, guest_of(spec_of(), meeting)), "--nodes is '2:3' there and '2:4' here");
    meeting = meeting_at("b", 2);
    meeting.settings.keep_alive_interval = millis(100);
    EXPECT_EQ(difference(here, guest_of(spec_of(), meeting)), "keep_alive_interval is '0.1' there and '5' here");
    spec = spec_of();
    spec.program[0] = "./\xff";
    EXPECT_EQ(difference(guest_of(spec, meeting_at("a", 2)), *guest_from(as_text(guest_of(spec, meeting_at("b", 2))))),
              "")
        << "names that are no UTF-8";
}

TEST(MeetingWords, ABootstrapComesBackAsItWas) {
    Bootstrap job{
        .launcher = "a_1_0", .hosts = {{"a", 2}, {"b", 3}}, .engines = 5, .settings = {}, .allow_relaunch = true};
    job.settings = meeting_at("a", 1).settings;
    job.settings.keep_alive_interval = millis(100);
    const auto back = bootstrap_from(as_text(job));
    ASSERT_TRUE(back);
    EXPECT_EQ(as_text(*back), as_text(job));
    EXPECT_EQ(back->settings.keep_alive_interval, millis(100));
    EXPECT_EQ(back->settings.max_nodes, 4);
    EXPECT_EQ(back->hosts, job.hosts);
    EXPECT_FALSE(bootstrap_from("{}"));
}

TEST(MeetingWords, AVerdictComesBackAsItWas) {
    const auto back =
        verdict_from(as_text(Verdict{.code = 12, .text = "below_min (12): 1 engine is left", .detail = true}));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->code, 12);
    EXPECT_EQ(back->text, "below_min (12): 1 engine is left");
    EXPECT_TRUE(back->detail);
    EXPECT_FALSE(verdict_from(R"({"code":"12"})"));
}

TEST(MeetingWords, TheJobIsOnTheHostsOfAllWithTheirSlots) {
    const std::vector<Guest> guests = {guest_at("a", 2), guest_at("b", 3), guest_at("a", 1)};
    EXPECT_EQ(hosts_text(spec_for(spec_of(), guests).hosts), "a:3, b:3");
    EXPECT_EQ(spec_for(spec_of(), guests).engines, 6);
    EXPECT_EQ(spec_for(spec_of(4), guests).engines, 4) << "-n counts";
    auto spec = spec_of();
    spec.standbys = spec.clients = 1;
    EXPECT_EQ(spec_for(spec, guests).engines, 4);
    spec.engine_ranks = 3;
    EXPECT_EQ(spec_for(spec, guests).engines, 1) << "whole engines";
    spec.engine_ranks = 1;
    spec.group_size = 3;
    EXPECT_EQ(spec_for(spec, guests).engines, 3) << "whole groups";
    spec.standbys = 9;
    EXPECT_EQ(spec_for(spec, guests).engines, 0) << "which the preflight refuses";
}

TEST(MeetingWords, ARefusalSaysWhatToDo) {
    Bootstrap job{.launcher = "a_1_0", .hosts = {{"a", 2}}, .engines = 2, .settings = {}, .allow_relaunch = false};
    job.settings.run_id = "job";
    const auto no = refusal(job, Round{3});
    EXPECT_EQ(no.code, 18);
    EXPECT_EQ(no.text,
              "refused (18): the job 'job' is running in round 3 with 2 engines on a:2; its launcher cannot add "
              "processes to a running MPI job, and it was not started with --allow-relaunch: wait for its end, or end "
              "it, and start all its nodes again with `muster run --rendezvous`");
}

TEST(MeetingWords, WhatAJoinerBrings) {
    EXPECT_EQ(host_slots_from(as_text(HostSlots{"n3", 8})), (HostSlots{"n3", 8}));
    for (const auto* text : {"", "{}", "[]", "{\"host\":1,\"slots\":2}"}) EXPECT_FALSE(host_slots_from(text)) << text;
}

}  // namespace
}  // namespace muster::launch
