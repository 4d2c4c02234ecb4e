// SPDX-License-Identifier: Apache-2.0
#include "launch/doctor.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace muster::launch {
namespace {

MpiStack stack_of(const char* version, const char* runtime) {
    return {.mpirun = "/m/mpirun", .version = version, .runtime = runtime, .open_mpi = true, .ulfm = true};
}

Answer answer(const Diagnosis& diagnosis, const char* name) {
    for (const auto& ability : diagnosis.abilities)
        if (ability.name == name) return ability.answer;
    ADD_FAILURE() << name;
    return Answer::unknown;
}

TEST(Doctor, OpenMpi5SurvivesAProcessAndNoNode) {
    const auto diagnosis = assess(
        {.stack = stack_of("5.0.11", "3.0.14"), .death = ProbeResult{true, 8.0}, .hang = ProbeResult{true, 990.0}});
    EXPECT_EQ(answer(diagnosis, "process_death"), Answer::yes);
    EXPECT_EQ(answer(diagnosis, "node_death"), Answer::no);
    EXPECT_EQ(answer(diagnosis, "silent_hang"), Answer::yes);
    EXPECT_NE(as_text(diagnosis).find("--heartbeat"), std::string::npos);
    EXPECT_NE(as_text(diagnosis).find("went on after 8.0 ms"), std::string::npos);
    EXPECT_EQ(as_json(diagnosis)["survives"]["node_death"]["answer"], "no");
}

TEST(Doctor, OpenMpi6SurvivesANode) {
    EXPECT_EQ(answer(assess({.stack = stack_of("6.0.0rc2", "5.0.0rc1")}), "node_death"), Answer::yes);
    EXPECT_EQ(answer(assess({.stack = stack_of("6.0.0", "")}), "node_death"), Answer::unknown);
}

TEST(Doctor, WithoutUlfmNothingIsSurvivedAndTheRemedyIsSaidOnce) {
    auto stack = stack_of("4.1.4", "");
    stack.ulfm = false;
    const auto diagnosis = assess({.stack = stack});
    for (const auto* name : {"process_death", "node_death", "silent_hang"})
        EXPECT_EQ(answer(diagnosis, name), Answer::no);
    const auto text = as_text(diagnosis);
    EXPECT_EQ(text.find("pip install"), text.rfind("pip install"));
}

TEST(Doctor, WhatWasNotTriedIsUnknown) {
    const auto diagnosis = assess({.stack = stack_of("5.0.11", "3.0.14")});
    EXPECT_EQ(answer(diagnosis, "process_death"), Answer::unknown);
    EXPECT_EQ(answer(diagnosis, "silent_hang"), Answer::unknown);
}

TEST(Doctor, AFailedProbeSaysWhy) {
    const auto text = as_text(assess({.stack = stack_of("5.0.11", "3.0.14"), .death = ProbeResult{.why = "no slots"}}));
    EXPECT_NE(text.find("did not go on: no slots"), std::string::npos);
}

}  // namespace
}  // namespace muster::launch
