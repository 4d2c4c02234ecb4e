// SPDX-License-Identifier: Apache-2.0
/// The files of a state directory: the furthest of several is the state, and a disk that is full takes nothing.
#include "agent/state_directory.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace muster::agent {
namespace {

using core::Counters;
using core::JobState;
using core::JournalKind;
using core::JournalRecord;

struct StateDirectory : ::testing::Test {
    std::string folder = ::testing::TempDir() + "state." + std::to_string(::getpid());
    Config config;
    void SetUp() override {
        config.state_directory = folder + "/deep";
        config.run_id = "job";
        config.durability = Durability::file;
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    static JournalRecord counted(std::uint32_t term, std::uint64_t index) {
        const auto entry = JobState::entry(Counters{0, index, State::running});
        return {JournalRecord::entry, {Round{term}, index}, JournalKind{3}, entry};
    }
    void keep(std::uint32_t rank, std::uint32_t term, std::uint64_t entries) {
        StateJournal journal(config, Rank{rank});
        ASSERT_EQ(journal.append({JournalRecord::term, {Round{term}, 0}, {}, {}}), std::nullopt);
        for (std::uint64_t index = 1; index <= entries; ++index)
            ASSERT_EQ(journal.append(counted(term, index)), std::nullopt);
    }
    [[nodiscard]] std::string path(std::uint32_t rank) const {
        return config.state_directory + "/muster-job." + std::to_string(rank) + ".journal";
    }
};

TEST_F(StateDirectory, ARunThatHasNeverBeenHasNoState) {
    const auto nothing = read_state(config);
    ASSERT_TRUE(nothing) << nothing.error().text;
    EXPECT_FALSE(*nothing);
    EXPECT_TRUE(std::filesystem::is_directory(config.state_directory));
    config.state_directory.clear();
    EXPECT_FALSE(*read_state(config));
}

TEST_F(StateDirectory, TheLongestOfTheHighestTermIsTheState) {
    (void)read_state(config);
    keep(0, 1, 9);
    keep(1, 2, 3);
    keep(2, 2, 2);
    const auto restored = read_state(config);
    ASSERT_TRUE(restored && *restored);
    EXPECT_EQ((*restored)->position, (core::MirrorPosition{Round{2}, 3}));
    JobState state;
    ASSERT_TRUE(state.load((*restored)->snapshot));
    EXPECT_EQ(state.counters().signals, 3u);
    config.run_id = "other";
    EXPECT_FALSE(*read_state(config)) << "another run's files are not looked at";
}

TEST_F(StateDirectory, ATornTailIsCutAndDamageIsRefusedByItsOffset) {
    (void)read_state(config);
    keep(0, 1, 3);
    std::filesystem::resize_file(path(0), std::filesystem::file_size(path(0)) - 5);
    EXPECT_EQ((*read_state(config))->position.index, 2u);
    std::fstream file(path(0), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(70);
    file.put('!');
    file.close();
    const auto damaged = read_state(config);
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().fault, Fault::bad_setup);
    EXPECT_NE(damaged.error().text.find(path(0)), std::string::npos);
    EXPECT_NE(damaged.error().text.find("offset"), std::string::npos);
}

TEST_F(StateDirectory, AFileThatMayNotGrowTakesNothingAndGoesOnWhenItMay) {
    (void)read_state(config);
    StateJournal journal(config, Rank{0});
    ASSERT_EQ(journal.append({JournalRecord::term, {Round{1}, 0}, {}, {}}), std::nullopt);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
    rlimit full = before;
    full.rlim_cur = std::filesystem::file_size(path(0)) + 8;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
    const auto refused = journal.append(counted(1, 1));
    const auto position = journal.position();
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, ignored);
    ASSERT_TRUE(refused);
    EXPECT_NE(refused->find(path(0)), std::string::npos) << *refused;
    EXPECT_EQ(position, (core::MirrorPosition{Round{1}, 0}));
    EXPECT_EQ(journal.append(counted(1, 1)), std::nullopt);
    EXPECT_EQ((*read_state(config))->position.index, 1u);
}

}  // namespace
}  // namespace muster::agent
