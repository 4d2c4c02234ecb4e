// SPDX-License-Identifier: Apache-2.0
#include "launch/relaunch_plan.hpp"

#include <gtest/gtest.h>

namespace muster::launch {
namespace {

const std::map<std::string, std::string> kAllAnswer;

JobSpec three_nodes() {
    JobSpec spec;
    spec.engines = 4;
    spec.standbys = 2;
    spec.engines_min = 2;
    spec.hosts = {{"a", 2}, {"b", 2}, {"c", 2}};
    spec.inject = "kill:rank=0@step=3";
    return spec;
}

TEST(RelaunchPlan, AsItWasWhereAllAnswer) {
    const auto plan = plan_relaunch(three_nodes(), kAllAnswer);
    EXPECT_EQ(plan.complaint, "");
    EXPECT_EQ(plan.spec.engines, 4);
    EXPECT_EQ(plan.spec.standbys, 2);
    EXPECT_EQ(plan.spec.inject, "") << "a fault to order happens once";
}

TEST(RelaunchPlan, EnginesBeforeStandbys) {
    const auto plan = plan_relaunch(three_nodes(), {{"b", "silent"}});
    EXPECT_EQ(plan.spec.engines, 4);
    EXPECT_EQ(plan.spec.standbys, 0);
    ASSERT_EQ(plan.spec.hosts.size(), 2U);
    EXPECT_EQ(plan.spec.hosts[1].name, "c");
}

TEST(RelaunchPlan, FewerDownToMin) {
    EXPECT_EQ(plan_relaunch(three_nodes(), {{"b", ""}, {"c", ""}}).spec.engines, 2);
    auto spec = three_nodes();
    spec.engines_min = 3;
    EXPECT_EQ(plan_relaunch(spec, {{"b", ""}, {"c", ""}}).complaint,
              "the 2 slots of the hosts that answer hold 2 engines, --min is 3");
    EXPECT_NE(plan_relaunch(three_nodes(), {{"a", ""}, {"b", ""}, {"c", ""}}).complaint, "");
}

TEST(RelaunchPlan, WholeGroupsOfWholeEngines) {
    auto spec = three_nodes();
    spec.standbys = 0;
    spec.engine_ranks = 2;
    spec.engines = 3;
    EXPECT_EQ(plan_relaunch(spec, {{"b", ""}}).spec.engines, 2);
    spec = three_nodes();
    spec.hosts = {{"a", 2}, {"b", 3}};
    spec.group_size = 2;
    const auto plan = plan_relaunch(spec, kAllAnswer);
    EXPECT_EQ(plan.spec.engines, 4);
    EXPECT_EQ(plan.spec.standbys, 1);
    EXPECT_EQ(plan_relaunch(spec, {{"a", ""}}).spec.engines, 2) << "3 slots, groups of 2";
}

TEST(RelaunchPlan, AllThatFitWhereNoNumberWasAskedFor) {
    auto spec = three_nodes();
    spec.engines_fill = true;
    spec.standbys = 1;
    spec.hosts.push_back({"d", 4});
    const auto plan = plan_relaunch(spec, kAllAnswer);
    EXPECT_EQ(plan.spec.engines, 9);
    EXPECT_EQ(plan.spec.standbys, 1);
}

TEST(RelaunchPlan, WithoutHostNamesAsItWas) {
    auto spec = three_nodes();
    spec.hosts.clear();
    const auto plan = plan_relaunch(spec, kAllAnswer);
    EXPECT_EQ(plan.complaint, "");
    EXPECT_EQ(plan.spec.engines, 4);
}

}  // namespace
}  // namespace muster::launch
