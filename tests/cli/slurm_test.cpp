// SPDX-License-Identifier: Apache-2.0
#include "launch/slurm.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "launch/command_line.hpp"

namespace muster::launch {
namespace {

using Names = std::vector<std::string>;

TEST(Slurm, NodeLists) {
    EXPECT_EQ(slurm_node_names("n0"), Names{"n0"});
    EXPECT_EQ(slurm_node_names("n[0-2,5],login"), (Names{"n0", "n1", "n2", "n5", "login"}));
    EXPECT_EQ(slurm_node_names("gpu[08-11]"), (Names{"gpu08", "gpu09", "gpu10", "gpu11"}));
    EXPECT_EQ(slurm_node_names("r[1-2]n[3,4]"), (Names{"r1n3", "r1n4", "r2n3", "r2n4"}));
}

TEST(Slurm, NonsenseIsNothing) {
    for (const auto* text : {"", "n[", "n[x]", "n[1-]", "n[1-2", "n]", ",", "n[12345678901]"})
        EXPECT_TRUE(slurm_node_names(text).empty()) << text;
    EXPECT_EQ(slurm_node_names("n[0-999999999]").size(), 100'000U) << "bounded";
    for (const auto* text : {"", "x", "0", "2(x)3", "2(x999999999)"})
        EXPECT_TRUE(slurm_tasks_per_node(text).empty() || std::string(text) == "2(x)3") << text;
}

TEST(Slurm, TheAllocation) {
    ::setenv("SLURM_JOB_NODELIST", "n[0-2]", 1);
    ::setenv("SLURM_TASKS_PER_NODE", "2(x2),1", 1);
    EXPECT_EQ(slurm_allocation(), (std::vector<HostSlots>{{"n0", 2}, {"n1", 2}, {"n2", 1}}));
    ::unsetenv("SLURM_JOB_NODELIST");
    EXPECT_TRUE(slurm_allocation().empty());
}

TEST(Slurm, SrunTakesOnlyTheNodesThatItNeeds) {
    JobSpec spec;
    spec.engines = 3;
    spec.hosts = {{"n0", 2}, {"n1", 2}, {"n2", 2}};
    spec.program = {"./train", "--steps", "5"};
    EXPECT_EQ(quoted(srun_command(spec)),
              "srun --mpi=pmix --kill-on-bad-exit=0 --ntasks=3 --nodes=2 --nodelist=n0,n1 --distribution=block "
              "--overlap --unbuffered ./train --steps 5");
}

TEST(Slurm, WhatMpirunSaysInItsOptionsSrunSaysInTheEnvironment) {
    JobSpec spec;
    spec.engines = 2;
    spec.mca = {{"btl", "tcp,self"}, {"pml", "cm"}};
    const auto variables = srun_environment(spec, {}, "/opt/mpi");
    EXPECT_EQ(variables.at("OMPI_MCA_mpi_ft_enable"), "1");
    EXPECT_EQ(variables.at("OMPI_MCA_mpi_preconnect_mpi"), "1");
    EXPECT_EQ(variables.at("OMPI_MCA_btl"), "tcp,self");
    EXPECT_EQ(variables.at("OMPI_MCA_pml"), "cm") << "the user's wins";
    EXPECT_EQ(variables.at("PMIX_PREFIX"), "/opt/mpi");
    EXPECT_FALSE(srun_environment(spec, {}, "").contains("PMIX_PREFIX"));
}

}  // namespace
}  // namespace muster::launch
