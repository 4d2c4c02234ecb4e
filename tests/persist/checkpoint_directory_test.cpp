// SPDX-License-Identifier: Apache-2.0
/// Which checkpoint of a directory is the newest whole one, and which ones go.
#include "persist/checkpoint_directory.hpp"

#include "checkpoint_support.hpp"

namespace muster::persist {
namespace {

using testing::head_of;
using testing::kSeries;
using testing::sealed;

using CheckpointDirectoryTest = testing::CheckpointTest;

TEST_F(CheckpointDirectoryTest, TheNewestWholeOneIsUsed) {
    EXPECT_EQ(newest(), "none");
    save_all(9);
    save_all(10);
    EXPECT_EQ(newest(), "10: part 0 of 10 part 1 of 10");
    EXPECT_TRUE(lines.empty());
}

TEST_F(CheckpointDirectoryTest, OneWithoutAllItsPartsIsPassedOver) {
    save_all(9);
    save(10, 1);
    EXPECT_EQ(newest(), "9: part 0 of 9 part 1 of 9");
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0], "the checkpoint of step 10 is passed over: 1 of its 2 parts are missing, of slot 0");
}

TEST_F(CheckpointDirectoryTest, CutOrTurnedAnywhereItIsPassedOverWithItsName) {
    save_all(9);
    save_all(10);
    const auto file = path_of(10, 1);
    const auto whole = content(file);
    const auto expect_passed_over = [&](const std::string& bytes, const std::string& where) {
        put(file, bytes);
        ASSERT_EQ(newest(), "9: part 0 of 9 part 1 of 9") << where;
        ASSERT_EQ(lines.size(), 1u) << where;
        ASSERT_NE(lines[0].find("'" + file + "' is not whole at byte "), std::string::npos) << lines[0];
        const auto part = directory().load({{10}, kSeries, 2}, {1});
        ASSERT_TRUE(std::holds_alternative<Failure>(part)) << where;
    };
    for (std::size_t size = 0; size < whole.size(); ++size)
        expect_passed_over(whole.substr(0, size), "cut at " + std::to_string(size));
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
        auto turned = whole;
        turned[bit / 8] = static_cast<char>(turned[bit / 8] ^ (1 << (bit % 8)));
        expect_passed_over(turned, "bit " + std::to_string(bit));
    }
    put(file, whole);
    EXPECT_EQ(newest(), "10: part 0 of 10 part 1 of 10");
}

TEST_F(CheckpointDirectoryTest, PartsOfTwoAttemptsNeverMix) {
    save_all(9);
    save(10, 0, 0x1);
    save(10, 1, 0x2);
    EXPECT_EQ(newest(), "9: part 0 of 9 part 1 of 9");
    EXPECT_EQ(lines.size(), 2u);
    save(10, 1, 0x1);
    EXPECT_EQ(newest(), "10: part 0 of 10 part 1 of 10");
}

TEST_F(CheckpointDirectoryTest, AFileUnderAnotherNameIsNotWhatTheNameSays) {
    save_all(9);
    save(10, 0);
    put(path_of(10, 1), content(path_of(9, 1)));
    EXPECT_EQ(newest(), "9: part 0 of 9 part 1 of 9");
    EXPECT_EQ(lines.at(0), "the checkpoint of step 10 is passed over: '" + path_of(10, 1) +
                               "' is not whole at byte 16: it holds another part than its name says");
}

TEST_F(CheckpointDirectoryTest, WhatIsNotOursIsLeftAlone) {
    const std::set<std::string> others{"notes",
                                       "muster-job.journal",
                                       "muster-job.007.0000000000000abc.0-of-1.checkpoint",
                                       "muster-job.7.abc.0-of-1.checkpoint",
                                       "muster-job.7.0000000000000abc.1-of-1.checkpoint",
                                       "muster-job.7.0000000000000abc.0-of-1.checkpoint.bak",
                                       "muster-other.7.0000000000000abc.0-of-1.checkpoint"};
    for (const auto& name : others) put(path + "/" + name, "x");
    EXPECT_EQ(newest(), "none");
    EXPECT_TRUE(lines.empty());
    save_all(9);
    directory().prune({9}, 1);
    for (const auto& name : others) EXPECT_TRUE(files().contains(name)) << name;
}

TEST_F(CheckpointDirectoryTest, OlderOnesGoAndTheKeptOnesStay) {
    for (const std::uint64_t step : {1, 2, 3, 4}) save_all(step);
    directory().prune({4}, 2);
    EXPECT_EQ(steps_there(), (std::vector<std::uint64_t>{3, 3, 4, 4}));
    save(5, 0);
    directory().prune({5}, 2);
    EXPECT_EQ(steps_there(), (std::vector<std::uint64_t>{3, 3, 4, 4, 5})) << "the one being written does not count";
    EXPECT_EQ(newest(), "4: part 0 of 4 part 1 of 4");
}

TEST_F(CheckpointDirectoryTest, WhatNobodyWillCompleteGoes) {
    save_all(3);
    save(4, 0);
    put(path_of(4, 1) + ".new.host.17", "half");
    save_all(5);
    save(6, 0);
    put(path_of(6, 1) + ".new.host.17", "half");
    directory().prune({6}, 2);
    EXPECT_EQ(steps_there(), (std::vector<std::uint64_t>{3, 3, 5, 5, 6, 6}));
}

/// Two damaged ones of a future that was lost must not push out what the job that went back is writing.
TEST_F(CheckpointDirectoryTest, TheFutureDoesNotPushOutThePresent) {
    for (const std::uint64_t step : {2, 3, 8, 9}) save_all(step);
    directory().prune({3}, 2);
    EXPECT_EQ(steps_there(), (std::vector<std::uint64_t>{2, 2, 3, 3, 8, 8, 9, 9}));
}

/// A cut file does not count as whole where it is decided what may go.
TEST_F(CheckpointDirectoryTest, ACutOneDoesNotPushOutAWholeOne) {
    for (const std::uint64_t step : {2, 3, 4}) save_all(step);
    const auto whole = content(path_of(4, 0));
    put(path_of(4, 0), whole.substr(0, whole.size() - 1));
    directory().prune({4}, 2);
    EXPECT_EQ(steps_there(), (std::vector<std::uint64_t>{2, 2, 3, 3, 4, 4}));
    EXPECT_EQ(newest(), "3: part 0 of 3 part 1 of 3");
}

TEST_F(CheckpointDirectoryTest, ADirectoryThatIsNotThereIsNamed) {
    const auto opened = CheckpointDirectory::open(path + "/no", "job");
    EXPECT_EQ(std::get<Failure>(opened).text,
              "cannot keep checkpoints in '" + path + "/no': No such file or directory");
    EXPECT_TRUE(std::holds_alternative<Failure>(CheckpointDirectory::open(path, "")));
    EXPECT_TRUE(std::holds_alternative<Failure>(CheckpointDirectory::open(path, std::string(65, 'n'))));
    const auto gone = directory();
    std::filesystem::remove_all(path);
    EXPECT_EQ(std::get<Failure>(gone.newest([](const std::string&) {})).kind, Failure::connection)
        << "not to be read is not the same as none";
}

}  // namespace
}  // namespace muster::persist
