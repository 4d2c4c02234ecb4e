// SPDX-License-Identifier: Apache-2.0
/// The journal in a file: what append() has taken is there, one owner at a time, and no damage passes for a state.
#include "persist/journal_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>

#include "journal_support.hpp"

namespace muster::persist {
namespace {

using testing::at;
using testing::bytes_of;
using testing::complaint;
using testing::entry;
using testing::fold_of;
using testing::Image;
using testing::in_child;
using testing::JournalRecord;
using testing::snapshot;
using testing::story;
using testing::term;
using testing::text_of;

class JournalFileTest : public testing::JournalDirectory {};

TEST_F(JournalFileTest, IsThereAfterARestart) {
    for (const auto durability : {Durability::fsync, Durability::file}) {
        std::filesystem::remove(journal_path());
        {
            auto opened = must_open(journal_settings(durability));
            EXPECT_EQ(opened.file.position(), at(0, 0));
            EXPECT_EQ(opened.file.path(), journal_path());
            for (const auto& record : {term(1, 0), entry(1, 1, "a"), entry(1, 2, "b")})
                EXPECT_EQ(complaint(opened.file.append(record)), "");
            EXPECT_EQ(opened.file.size(), content(journal_path()).size());
        }
        auto opened = must_open(journal_settings(durability));
        EXPECT_EQ(opened.file.position(), at(1, 2));
        EXPECT_EQ(opened.journal.position(), at(1, 2));
        EXPECT_EQ(fold_of(opened.journal), "a;b;");
        EXPECT_FALSE(opened.cut);
        EXPECT_EQ(complaint(opened.file.append(entry(1, 3, "c"))), "");
        EXPECT_EQ(fold_of(must_open({.directory = path, .run_id = "another"}).journal), "") << "runs do not meet";
    }
}

TEST_F(JournalFileTest, InMemoryThereIsNoFile) {
    auto opened = must_open(journal_settings(Durability::memory));
    EXPECT_EQ(complaint(opened.file.append(term(1, 0))), "");
    EXPECT_EQ(complaint(opened.file.append(snapshot(1, 0, ""))), "");
    EXPECT_NE(complaint(opened.file.append(entry(1, 2, "gap"))), "");
    EXPECT_EQ(opened.file.position(), at(1, 0));
    EXPECT_FALSE(opened.file.wants_snapshot());
    EXPECT_TRUE(files().empty());
}

TEST_F(JournalFileTest, HoldersShareADirectory) {
    auto settings = journal_settings();
    settings.holder = "rank 3";
    auto opened = must_open(settings);
    auto plain = must_open();
    EXPECT_EQ(opened.file.path(), path + "/muster-job.rank%203.journal");
    EXPECT_EQ(files(), (std::set<std::string>{"muster-job.journal", "muster-job.journal.lock",
                                              "muster-job.rank%203.journal", "muster-job.rank%203.journal.lock"}));
}

TEST_F(JournalFileTest, AllJournalsOfARunAreFound) {
    for (const auto* name :
         {"muster-a%2Eb.journal", "muster-a%2Eb.3.journal", "muster-a%2Eb.12.journal", "muster-a%2Eb.journal.lock",
          "muster-a%2Eb.3.journal.new.node7.1.1", "muster-a.journal", "muster-a%2Ebc.3.journal", "muster-a%2Eb.state"})
        put(path + "/" + name, "");
    EXPECT_EQ(std::get<std::vector<std::string>>(journals_of(path, "a.b")),
              (std::vector<std::string>{path + "/muster-a%2Eb.12.journal", path + "/muster-a%2Eb.3.journal",
                                        path + "/muster-a%2Eb.journal"}));
    EXPECT_EQ(std::get<Failure>(journals_of(path + "/none", "a")).text,
              "cannot look into the directory '" + path + "/none': No such file or directory");
}

TEST_F(JournalFileTest, ARecordThatDoesNotFollowChangesNothing) {
    auto opened = must_open();
    ASSERT_EQ(complaint(opened.file.append(term(1, 0))), "");
    const auto before = content(journal_path());
    const auto failure = opened.file.append(entry(1, 2, "gap"));
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->kind, Failure::bad_value);
    EXPECT_EQ(failure->text, "the journal '" + journal_path() +
                                 "' takes no record: a record of form entry at term 1, " +
                                 "index 2 does not follow term 1, index 0");
    EXPECT_EQ(content(journal_path()), before);
    EXPECT_EQ(complaint(opened.file.append(entry(1, 1, "a"))), "");
}

TEST_F(JournalFileTest, ASnapshotTakesTheFilesPlace) {
    auto settings = journal_settings();
    settings.compact_bytes_min = 1'000;
    auto opened = must_open(settings);
    auto& file = opened.file;
    core::testing::Words live;
    ASSERT_EQ(complaint(file.append(term(1, 0))), "");
    std::uint64_t index = 0;
    while (!file.wants_snapshot()) {
        ++index;
        const auto record = entry(1, index, "w" + std::to_string(index));
        (void)live.apply(record.bytes);
        ASSERT_EQ(complaint(file.append(record)), "");
    }
    EXPECT_GT(file.size(), 1'000u);
    const auto before = file.size();
    ASSERT_EQ(complaint(file.append({JournalRecord::snapshot, file.position(), {}, live.snapshot()})), "");
    EXPECT_LT(file.size(), before);
    EXPECT_FALSE(file.wants_snapshot());
    EXPECT_EQ(file.size(), content(journal_path()).size());
    ASSERT_EQ(complaint(file.append(entry(1, index + 1, "behind"))), "");
    EXPECT_EQ(files(), (std::set<std::string>{"muster-job.journal", "muster-job.journal.lock"}));
    EXPECT_EQ(read_journal_words(), live.text + "behind;");
}

/// What is written to a file without a name is gone with its owner.
TEST_F(JournalFileTest, AFileThatSomebodyRemovesTakesNothingMore) {
    auto opened = must_open();
    ASSERT_EQ(complaint(opened.file.append(term(1, 0))), "");
    ASSERT_TRUE(std::filesystem::remove(journal_path()));
    EXPECT_EQ(complaint(opened.file.append(entry(1, 1, "a"))),
              "the journal '" + journal_path() + "' was removed by somebody");
    EXPECT_EQ(opened.file.position(), at(1, 0));
    EXPECT_NE(complaint(opened.file.append(snapshot(1, 0, ""))), "");
}

TEST_F(JournalFileTest, ALargeSnapshotIsWorthAsManyBytesBehindIt) {
    auto settings = journal_settings(Durability::file);
    settings.compact_bytes_min = 100;
    {
        auto opened = must_open(settings);
        ASSERT_EQ(complaint(opened.file.append(snapshot(1, 0, std::string(5'000, 's')))), "");
        ASSERT_EQ(complaint(opened.file.append(entry(1, 1, std::string(4'000, 'e')))), "");
        EXPECT_FALSE(opened.file.wants_snapshot());
    }
    auto opened = must_open(settings);
    EXPECT_FALSE(opened.file.wants_snapshot()) << "known again after a restart";
    ASSERT_EQ(complaint(opened.file.append(entry(1, 2, std::string(2'000, 'e')))), "");
    EXPECT_TRUE(opened.file.wants_snapshot());
}

TEST_F(JournalFileTest, WhatADeadWriterLeftBesideIsSwept) {
    put(journal_path() + ".new.node7.4711.1", "half a snapsh");
    put(path + "/muster-jobs.journal.new.node7.4711.1", "another run's");
    auto opened = must_open();
    EXPECT_EQ(files(), (std::set<std::string>{"muster-job.journal", "muster-job.journal.lock",
                                              "muster-jobs.journal.new.node7.4711.1"}));
}

/// Every cut: opened for writing it goes on from the last whole record; opened again nothing is torn any more.
TEST_F(JournalFileTest, CutAtEveryByteItGoesOnFromTheLastWholeRecord) {
    const Image image(story());
    const auto settings = journal_settings(Durability::file);
    for (std::size_t size = 0; size <= image.bytes.size(); ++size) {
        SCOPED_TRACE("cut to " + std::to_string(size) + " bytes");
        const std::string bytes = text_of(image.bytes).substr(0, size);
        put(journal_path(), bytes);
        auto first = JournalFile::open(settings);
        if (size < image.ends[0]) {
            EXPECT_NE(complaint(first).find("is refused, offset "), std::string::npos) << complaint(first);
            EXPECT_EQ(content(journal_path()), bytes) << "left as it is";
            continue;
        }
        ASSERT_EQ(complaint(first), "");
        const std::size_t whole = image.whole_within(size);
        core::Journal expected;
        for (std::size_t i = 0; i < whole; ++i) ASSERT_EQ(expected.append(story()[i]), "");
        {
            auto opened = std::move(std::get<JournalFile::Opened>(first));
            EXPECT_EQ(opened.journal.records(), expected.records());
            ASSERT_EQ(opened.cut.has_value(), size != image.ends[whole]);
            EXPECT_EQ(content(journal_path()).size(), image.ends[whole]) << "the tail is cut off";
            const auto last = opened.file.position();
            ASSERT_EQ(complaint(opened.file.append(term(last.term.value + 1, last.index))), "");
        }
        EXPECT_FALSE(must_open(settings).cut);
    }
}

TEST_F(JournalFileTest, OneTurnedBitAnywhereIsRefusedAndLeftAsItIs) {
    const Image image(story());
    const auto settings = journal_settings(Durability::file);
    std::string bytes = text_of(image.bytes);
    put(journal_path(), bytes);
    const Descriptor file(::open(journal_path().c_str(), O_WRONLY));
    const auto turn = [&](std::size_t bit) {
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
        ASSERT_EQ(::pwrite(file.get(), &bytes[bit / 8], 1, static_cast<off_t>(bit / 8)), 1);
    };
    for (std::size_t bit = 0; bit < 8 * image.bytes.size(); ++bit) {
        turn(bit);
        const auto said = complaint(JournalFile::open(settings));
        const auto whole = image.whole_within(bit / 8);
        const std::string prefix = "the journal '" + journal_path() + "' is refused, offset ";
        const std::string offset = bit / 8 < image.ends[0] ? "" : std::to_string(image.ends[whole]) + ":";
        ASSERT_EQ(said.rfind(prefix + offset, 0), 0u) << "bit " << bit << ": " << said;
        ASSERT_EQ(content(journal_path()), bytes);
        turn(bit);
    }
    EXPECT_EQ(complaint(JournalFile::open(settings)), "") << "it is whole again";
}

TEST_F(JournalFileTest, ARefusalSaysWhatIsWholeAndWhereToLook) {
    const Image image(story());
    std::string bytes = text_of(image.bytes);
    bytes[image.ends[4] + kJournalHeadSize] ^= 1;
    put(journal_path(), bytes);
    EXPECT_EQ(complaint(JournalFile::open(journal_settings())),
              "the journal '" + journal_path() + "' is refused, offset " + std::to_string(image.ends[4]) +
                  ": the bytes of a record do not fit their checksum, and another record follows at offset " +
                  std::to_string(image.ends[5]) + "; whole before it: 4 records, up to term 3, index 42 (look: " +
                  "muster journal verify '" + journal_path() + "')");
}

TEST_F(JournalFileTest, AnotherRunsFileIsRefused) {
    put(path + "/muster-other.journal", text_of(Image(story()).bytes));
    const auto said = complaint(JournalFile::open({.directory = path, .run_id = "other"}));
    EXPECT_NE(said.find("offset 28: it is of the run 'job'"), std::string::npos) << said;
}

TEST_F(JournalFileTest, SomethingElseOfThisNameIsNotReadAndNotWaitedFor) {
    const std::string is = "the journal '" + journal_path() + "' is not one of muster's";
    ASSERT_EQ(::mkfifo(journal_path().c_str(), 0600), 0);
    EXPECT_EQ(complaint(JournalFile::open(journal_settings())), is);
    ASSERT_EQ(::unlink(journal_path().c_str()), 0);
    ASSERT_EQ(::symlink("/dev/full", journal_path().c_str()), 0);
    EXPECT_EQ(complaint(JournalFile::open(journal_settings())), is);
    ASSERT_EQ(::unlink(journal_path().c_str()), 0);
    ASSERT_EQ(::mkdir(journal_path().c_str(), 0700), 0);
    EXPECT_EQ(complaint(JournalFile::open(journal_settings())),
              "cannot open the journal '" + journal_path() + "': Is a directory");
}

TEST_F(JournalFileTest, AMissingDirectoryAndALongRunIdAreNamed) {
    EXPECT_EQ(complaint(JournalFile::open({.directory = path + "/none", .run_id = "job"})),
              "cannot open the lock file '" + path + "/none/muster-job.journal.lock': No such file or directory");
    EXPECT_NE(complaint(JournalFile::open({.directory = path, .run_id = std::string(4'097, 'r')}))
                  .find("a run id of 4097 bytes is longer than 4096"),
              std::string::npos);
}

TEST_F(JournalFileTest, ASecondWriterIsRefusedByTheOwnersName) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t owner = ::fork();
    if (owner == 0) {
        const auto opened = JournalFile::open(journal_settings());
        const char said = std::holds_alternative<JournalFile::Opened>(opened) ? 'y' : 'n';
        (void)!::write(ends[1], &said, 1);
        ::pause();
    }
    char said = '?';
    ASSERT_EQ(::read(ends[0], &said, 1), 1);
    ASSERT_EQ(said, 'y');
    const auto refused = complaint(JournalFile::open(journal_settings()));
    EXPECT_EQ(refused.rfind("the lock '" + journal_path() + ".lock' was held by another process (", 0), 0u) << refused;
    EXPECT_NE(refused.find("." + std::to_string(owner) + ") for 50 ms"), std::string::npos) << refused;
    EXPECT_EQ(read_journal_words(), "") << "who only reads needs no lock";
    ::kill(owner, SIGKILL);
    ::waitpid(owner, nullptr, 0);
    EXPECT_EQ(complaint(JournalFile::open(journal_settings())), "") << "the kernel gives it back";
    ::close(ends[0]), ::close(ends[1]);
}

TEST_F(JournalFileTest, ReadingChangesNothing) {
    const Image image(story());
    const std::string torn = text_of(image.bytes).substr(0, image.bytes.size() - 3);
    put(journal_path(), torn);
    const auto scan = std::get<JournalScan>(read_journal(journal_path()));
    ASSERT_TRUE(scan.torn);
    EXPECT_EQ(scan.torn->text, "the last record has 33 of its 36 bytes");
    EXPECT_EQ(scan.end, image.ends[story().size() - 1]);
    EXPECT_EQ(content(journal_path()), torn);
    EXPECT_EQ(files(), (std::set<std::string>{"muster-job.journal"}));
    EXPECT_EQ(std::get<Failure>(read_journal(path + "/none")).text,
              "cannot open the journal '" + path + "/none': No such file or directory");
}

}  // namespace
}  // namespace muster::persist
