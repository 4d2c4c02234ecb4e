// SPDX-License-Identifier: Apache-2.0
/// What `muster run` passes in the environment is what a member reads from it.
#include "muster/config.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "launch/command_line.hpp"

namespace muster {
namespace {

/// The environment for the length of a test.
class Variables {
public:
    explicit Variables(std::map<std::string, std::string> variables) : variables_(std::move(variables)) {
        for (const auto& [name, value] : variables_) setenv(name.c_str(), value.c_str(), 1);
    }
    ~Variables() {
        for (const auto& [name, value] : variables_) unsetenv(name.c_str());
    }
    Variables(const Variables&) = delete;
    Variables& operator=(const Variables&) = delete;

private:
    std::map<std::string, std::string> variables_;
};

Variables variables_of(const launch::JobSpec& spec) { return Variables(launch::job_environment(spec, {}, "", "")); }

TEST(Config, EveryOptionOfMusterRunReachesTheMember) {
    const auto set = variables_of({.engines = 4,
                                   .standbys = 3,
                                   .clients = 2,
                                   .engines_min = 2,
                                   .engine_ranks = 5,
                                   .group_size = 2,
                                   .slot_order = "sorted",
                                   .quorum = "none",
                                   .controller = true,
                                   .consensus = "overlapped",
                                   .consensus_every = 16,
                                   .work = "requests",
                                   .stay = true,
                                   .fan_out = 8,
                                   .routing = "prefix_affinity",
                                   .queue_max_per_engine = 11,
                                   .queue_max = 12,
                                   .load_interval_ms = 13,
                                   .followers = 3,
                                   .posix_signals = "off",
                                   .run_id = "r7",
                                   .events = "link"});
    const auto config = Config::from_environment();
    ASSERT_TRUE(config) << config.error().text;
    EXPECT_EQ(config->engines, 4u);
    EXPECT_EQ(config->standbys, 3u);
    EXPECT_EQ(config->clients, 2u);
    EXPECT_EQ(config->engines_min, 2u);
    EXPECT_EQ(config->engine_ranks, 5u);
    EXPECT_EQ(config->group_size, 2u);
    EXPECT_EQ(config->slot_order, SlotOrder::sorted);
    EXPECT_EQ(config->quorum, Quorum::none);
    EXPECT_TRUE(config->controller);
    EXPECT_EQ(config->consensus, ConsensusMode::overlapped);
    EXPECT_EQ(config->consensus_every, 16u);
    EXPECT_EQ(config->work, Work::requests);
    EXPECT_TRUE(config->stay);
    EXPECT_EQ(config->fan_out, 8u);
    EXPECT_EQ(config->routing, Routing::prefix_affinity);
    EXPECT_EQ(config->queue_max_per_engine, 11u);
    EXPECT_EQ(config->queue_max, 12u);
    EXPECT_EQ(config->load_interval_ms, 13u);
    EXPECT_EQ(config->followers, 3u);
    EXPECT_EQ(config->posix_signals, "off");
    EXPECT_EQ(config->run_id, "r7");
    EXPECT_EQ(config->events, "link");
}

TEST(Config, TheDefaultsOfMusterRunAreThoseOfTheLibrary) {
    const auto set = variables_of({.engines = 1});
    const auto config = Config::from_environment();
    ASSERT_TRUE(config) << config.error().text;
    const Config plain;
    EXPECT_EQ(config->standbys, plain.standbys);
    EXPECT_EQ(config->clients, plain.clients);
    EXPECT_EQ(config->engines_min, plain.engines_min);
    EXPECT_EQ(config->engine_ranks, plain.engine_ranks);
    EXPECT_EQ(config->group_size, plain.group_size);
    EXPECT_EQ(config->slot_order, plain.slot_order);
    EXPECT_EQ(config->quorum, plain.quorum);
    EXPECT_EQ(config->controller, plain.controller);
    EXPECT_EQ(config->consensus, plain.consensus);
    EXPECT_EQ(config->consensus_every, plain.consensus_every);
    EXPECT_EQ(config->work, plain.work);
    EXPECT_EQ(config->stay, plain.stay);
    EXPECT_EQ(config->fan_out, plain.fan_out);
    EXPECT_EQ(config->routing, plain.routing);
    EXPECT_EQ(config->queue_max_per_engine, plain.queue_max_per_engine);
    EXPECT_EQ(config->queue_max, plain.queue_max);
    EXPECT_EQ(config->load_interval_ms, plain.load_interval_ms);
    EXPECT_EQ(config->followers, plain.followers);
    EXPECT_EQ(config->posix_signals, plain.posix_signals);
}

TEST(Config, EveryDeadlineHasItsVariable) {
    const Variables set({{"MUSTER_JOIN_DEADLINE_MS", "1"},
                         {"MUSTER_RECOVERY_DEADLINE_MS", "2"},
                         {"MUSTER_COMMIT_DEADLINE_MS", "3"},
                         {"MUSTER_TURN_DEADLINE_MS", "4"},
                         {"MUSTER_BARRIER_DEADLINE_MS", "5"},
                         {"MUSTER_LEAVE_WINDOW_MS", "6"},
                         {"MUSTER_FINALIZE_DEADLINE_MS", "7"}});
    const auto config = Config::from_environment();
    ASSERT_TRUE(config) << config.error().text;
    EXPECT_EQ(config->join_deadline_ms, 1u);
    EXPECT_EQ(config->recovery_deadline_ms, 2u);
    EXPECT_EQ(config->commit_deadline_ms, 3u);
    EXPECT_EQ(config->turn_deadline_ms, 4u);
    EXPECT_EQ(config->barrier_deadline_ms, 5u);
    EXPECT_EQ(config->leave_window_ms, 6u);
    EXPECT_EQ(config->finalize_deadline_ms, 7u);
}

TEST(Config, WhatMakesNoSenseIsRefusedByItsVariable) {
    struct Case {
        const char *name, *value, *may_be;
    };
    const char* number = "a whole number from 0 to 4294967295";
    for (const auto& [name, value, may_be] :
         {Case{"MUSTER_ENGINES", "four", number}, Case{"MUSTER_CLIENTS", "-1", number},
          Case{"MUSTER_ENGINE_RANKS", "", number}, Case{"MUSTER_CONSENSUS_EVERY", "4294967296", number},
          Case{"MUSTER_FAN_OUT", "4x", number}, Case{"MUSTER_TURN_DEADLINE_MS", " 5", number},
          Case{"MUSTER_CONSENSUS", "on", "blocking, overlapped or off"},
          Case{"MUSTER_WORK", "Always", "always or requests"}, Case{"MUSTER_STAY", "1", "no or yes"},
          Case{"MUSTER_SLOT_ORDER", "", "stable or sorted"}}) {
        const Variables set(std::map<std::string, std::string>{{name, value}});
        const auto config = Config::from_environment();
        ASSERT_FALSE(config) << name;
        EXPECT_EQ(config.error().fault, Fault::bad_setup);
        EXPECT_EQ(config.error().text, std::string(name) + " is '" + value + "'; it must be " + may_be);
    }
}

TEST(Config, TheFirstThatMakesNoSenseIsNamed) {
    const Variables set({{"MUSTER_ENGINES", "four"}, {"MUSTER_WORK", "never"}});
    EXPECT_EQ(Config::from_environment().error().text.rfind("MUSTER_ENGINES", 0), 0u);
}

}  // namespace
}  // namespace muster
