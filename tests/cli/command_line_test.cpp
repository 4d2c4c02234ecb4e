// SPDX-License-Identifier: Apache-2.0
#include "launch/command_line.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace muster::launch {
namespace {

using Words = std::vector<std::string>;

constexpr std::uint32_t ip(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
    return a << 24U | b << 16U | c << 8U | d;
}
constexpr auto kMask24 = ip(255, 255, 255, 0);

Machine machine_with(int cores) {
    Machine machine{.host_name = "a", .boot_id = "boot-a", .cores = cores};
    machine.interfaces = {{.name = "lo", .address = ip(127, 0, 0, 1), .mask = ip(255, 0, 0, 0), .loopback = true},
                          {.name = "eth0", .address = ip(192, 0, 2, 2), .mask = kMask24}};
    return machine;
}

bool has(const Words& words, const Words& part) {
    return std::search(words.begin(), words.end(), part.begin(), part.end()) != words.end();
}

Words command(const JobSpec& spec, const Machine& machine) { return mpirun_command(spec, machine, "/m/mpirun", {"A"}); }

TEST(CommandLine, AlwaysCarriesWhatADeathNeeds) {
    const auto words = command({.engines = 2, .standbys = 1, .program = {"./p", "-x"}}, machine_with(8));
    for (const Words& part :
         {Words{"/m/mpirun", "--with-ft", "ulfm", "-n", "3"}, Words{"--mca", "mpi_preconnect_mpi", "1"},
          Words{"--mca", "coll", "^han,cuda"}, Words{"--mca", "coll_ftagree_agreement", "1"},
          Words{"--mca", "pml", "ob1"}, Words{"-x", "A"}})
        EXPECT_TRUE(has(words, part)) << part[1];
    EXPECT_EQ(Words(words.end() - 2, words.end()), (Words{"./p", "-x"}));
    EXPECT_FALSE(has(words, {"--oversubscribe"}));
    EXPECT_FALSE(has(words, {"--leave-session-attached"}));
}

TEST(CommandLine, MoreRanksThanCoresYieldAndAreNotBound) {
    const auto words = command({.engines = 2, .standbys = 1, .program = {"p"}}, machine_with(2));
    EXPECT_TRUE(has(words, {"--oversubscribe", "--bind-to", "none"}));
    EXPECT_TRUE(has(words, {"--mca", "mpi_yield_when_idle", "1"}));
}

TEST(CommandLine, RemoteHostsDoNotCountAgainstOurCores) {
    auto machine = machine_with(2);
    machine.hosts = {{"a", {.local = true, .cores = 2}}, {"b", {.boot_id = "boot-b", .cores = 2}}};
    const JobSpec spec{.engines = 4, .hosts = {{"a", 2}, {"b", 2}}, .program = {"p"}};
    EXPECT_FALSE(is_oversubscribed(spec, machine));
    EXPECT_TRUE(has(command(spec, machine), {"--host", "a:2,b:2"}));
    machine.hosts["b"].boot_id = "boot-a";  // an emulated node
    EXPECT_TRUE(is_oversubscribed(spec, machine));
    machine.hosts["b"] = {.boot_id = "boot-b", .cores = 1};
    EXPECT_TRUE(is_oversubscribed(spec, machine));
}

TEST(CommandLine, UsersMcaWinsOverOurs) {
    const auto words = command({.engines = 1, .mca = {{"coll", "^han"}}, .program = {"p"}}, machine_with(2));
    EXPECT_TRUE(has(words, {"--mca", "coll", "^han"}));
    EXPECT_FALSE(has(words, {"--mca", "coll", "^han,cuda"}));
}

TEST(CommandLine, RemoteShellAndPrefix) {
    const auto words =
        command({.engines = 1, .remote_shell = "/agent", .prefix_output = true, .program = {"p"}}, machine_with(2));
    EXPECT_TRUE(
        has(words, {"--prtemca", "plm", "ssh", "--prtemca", "plm_ssh_agent", "/agent", "--leave-session-attached"}));
    EXPECT_TRUE(has(words, {"--output", "rank"}));
}

TEST(CommandLine, NetworkIsTheSubnetThatReachesAllHosts) {
    auto machine = machine_with(2);
    machine.hosts = {{"a", {.local = true}}, {"b", {.address = ip(10, 77, 0, 11)}}};
    const JobSpec spec{.engines = 2, .hosts = {{"a", 1}, {"b", 1}}, .program = {"p"}};
    EXPECT_EQ(network_for(spec, machine), "");  // one network: Open MPI finds it
    machine.interfaces.push_back({.name = "e0", .address = ip(10, 77, 0, 10), .mask = kMask24});
    EXPECT_EQ(network_for(spec, machine), "10.77.0.0/24");
    EXPECT_EQ(link_addresses(spec, machine, 7), "10.77.0.10:7,192.0.2.2:7,127.0.0.1:7");
    machine.hosts["c"] = {.address = ip(172, 16, 0, 1)};
    EXPECT_EQ(network_for(spec, machine), "");  // no single one: not ours to choose
    EXPECT_EQ(network_for({.engines = 1, .interface = "ib0"}, machine), "ib0");
}

TEST(CommandLine, EnvironmentTellsTheJob) {
    const auto variables =
        job_environment({.engines = 4, .standbys = 2, .engines_min = 3, .group_size = 2, .run_id = "r"},
                        machine_with(2), "127.0.0.1:1", "beef");
    EXPECT_EQ(variables.at("MUSTER_ENGINES"), "4");
    EXPECT_EQ(variables.at("MUSTER_STANDBYS"), "2");
    EXPECT_EQ(variables.at("MUSTER_MIN"), "3");
    EXPECT_EQ(variables.at("MUSTER_GROUP_SIZE"), "2");
    EXPECT_EQ(variables.at("MUSTER_SLOT_ORDER"), "stable");
    EXPECT_EQ(variables.at("MUSTER_QUORUM"), "majority");
    EXPECT_EQ(variables.at("MUSTER_RUN_ID"), "r");
    EXPECT_EQ(variables.at("MUSTER_LAUNCHER_NODE"), "a");
    EXPECT_EQ(variables.at("MUSTER_LINK"), "127.0.0.1:1");
    EXPECT_EQ(variables.at("MUSTER_LINK_TOKEN"), "beef");
}

TEST(CommandLine, EnvironmentTellsHowTurnsAndSignalsGo) {
    const auto variables = job_environment({.engines = 4,
                                            .clients = 1,
                                            .engine_ranks = 2,
                                            .consensus = "overlapped",
                                            .consensus_every = 16,
                                            .work = "requests",
                                            .stay = true,
                                            .fan_out = 8,
                                            .posix_signals = "off"},
                                           machine_with(2), "", "");
    EXPECT_EQ(variables.at("MUSTER_CLIENTS"), "1");
    EXPECT_EQ(variables.at("MUSTER_ENGINE_RANKS"), "2");
    EXPECT_EQ(variables.at("MUSTER_CONSENSUS"), "overlapped");
    EXPECT_EQ(variables.at("MUSTER_CONSENSUS_EVERY"), "16");
    EXPECT_EQ(variables.at("MUSTER_WORK"), "requests");
    EXPECT_EQ(variables.at("MUSTER_STAY"), "yes");
    EXPECT_EQ(variables.at("MUSTER_FAN_OUT"), "8");
    EXPECT_EQ(variables.at("MUSTER_SIGNALS"), "off");
}

TEST(CommandLine, RanksAreThoseOfAllEnginesTheStandbysAndTheClients) {
    const JobSpec spec{.engines = 4, .standbys = 3, .clients = 2, .engine_ranks = 2, .program = {"p"}};
    EXPECT_TRUE(has(command(spec, machine_with(64)), {"-n", "13"}));
    EXPECT_TRUE(is_oversubscribed(spec, machine_with(12)));
    EXPECT_FALSE(is_oversubscribed(spec, machine_with(13)));
}

TEST(CommandLine, RootAndSlurmAreToldToMpirunOnly) {
    auto machine = machine_with(2);
    EXPECT_TRUE(mpirun_environment(machine).empty());
    machine.root = machine.in_slurm = true;
    const auto variables = mpirun_environment(machine);
    EXPECT_EQ(variables.at("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"), "1");
    EXPECT_EQ(variables.at("SLURM_NO_KILL"), "set");
    EXPECT_EQ(variables.at("SLURM_OVERLAP"), "1");
    EXPECT_EQ(variables.at("SLURM_KILL_BAD_EXIT"), "0");
    EXPECT_TRUE(has(command({.engines = 1, .program = {"p"}}, machine), {"--leave-session-attached"}));
}

TEST(CommandLine, QuotesLikeAShell) { EXPECT_EQ(quoted({"a", "^b", "c d", "it's", ""}), "a '^b' 'c d' 'it'\\''s' ''"); }

}  // namespace
}  // namespace muster::launch
