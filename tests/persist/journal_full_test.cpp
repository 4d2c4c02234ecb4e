// SPDX-License-Identifier: Apache-2.0
/// Disks that are full, files that may not grow, and calls that fail: the append is refused, file and state stay.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <csignal>

#include "journal_support.hpp"

/// Calls of one name: after `good` more, the next `bad` fail with EIO. The definitions here stand before libc's.
struct Failing {
    int bad = 0, good = 0;
};
static Failing failing_fdatasync, failing_fsync, failing_ftruncate;

template <class Call, class... Arguments>
static int call_or_fail(Failing& failing, const char* name, Arguments... arguments) {
    const bool fails = failing.good == 0 && failing.bad > 0;
    if (fails) --failing.bad;
    if (failing.good > 0) --failing.good;
    if (!fails) return reinterpret_cast<Call>(::dlsym(RTLD_NEXT, name))(arguments...);
    errno = EIO;
    return -1;
}
extern "C" int fdatasync(int file) { return call_or_fail<int (*)(int)>(failing_fdatasync, "fdatasync", file); }
extern "C" int fsync(int file) { return call_or_fail<int (*)(int)>(failing_fsync, "fsync", file); }
extern "C" int ftruncate(int file, off_t size) noexcept {
    return call_or_fail<int (*)(int, off_t)>(failing_ftruncate, "ftruncate", file, size);
}

namespace muster::persist {
namespace {

using testing::at;
using testing::complaint;
using testing::entry;
using testing::fold_of;
using testing::in_child;
using testing::JournalRecord;
using testing::snapshot;
using testing::term;

class JournalFullTest : public testing::JournalDirectory {
protected:
    /// An owner whose journal holds "a;".
    [[nodiscard]] JournalFile::Opened with_a() const {
        auto opened = must_open();
        EXPECT_EQ(complaint(opened.file.append(term(1, 0))), "");
        EXPECT_EQ(complaint(opened.file.append(entry(1, 1, "a"))), "");
        return opened;
    }
    [[nodiscard]] std::string cannot_write(const std::string& why) const {
        return "cannot write to the journal '" + journal_path() + "': " + why;
    }
};

/// A limit on the size of files stops the write in its middle.
TEST_F(JournalFullTest, AWriteThatEndsHalfwayIsTakenBack) {
    const auto said = in_child([&]() -> std::string {
        auto opened = with_a();
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{4'096, 4'096};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        const auto before = content(journal_path());
        std::string all = complaint(opened.file.append(entry(1, 2, std::string(10'000, 'x'))));
        all += before == content(journal_path()) ? "\nas it was" : "\nchanged";
        all += opened.file.position() == at(1, 1) ? "\n" : "\nmoved";
        all += complaint(opened.file.append(snapshot(1, 1, std::string(10'000, 's')))).substr(0, 12);
        all += "\n" + complaint(opened.file.append(entry(1, 2, "b")));
        return all + read_journal_words();
    });
    EXPECT_EQ(said, cannot_write("File too large") + "\nas it was\n" + "cannot write\na;b;");
    EXPECT_EQ(files(), (std::set<std::string>{"muster-job.journal", "muster-job.journal.lock"}));
}

TEST_F(JournalFullTest, AFullDiskRefusesAndGoesOnWhenThereIsSpace) {
    const auto said = in_child([&]() -> std::string {
        if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("none", path.c_str(), "tmpfs", 0, "size=64k") != 0)
            return "no mounts here";
        auto opened = with_a();
        put(path + "/other", std::string(40'000, 'o'));
        const auto before = content(journal_path());
        std::string all = complaint(opened.file.append(entry(1, 2, std::string(30'000, 'x')))) + "\n";
        all += before == content(journal_path()) ? "as it was\n" : "changed\n";
        all += complaint(opened.file.append(snapshot(1, 1, std::string(30'000, 's')))) + "\n";
        all += complaint(opened.file.append(entry(1, 2, "b")));
        all += read_journal_words() + "\n";
        std::filesystem::remove(path + "/other");
        all += complaint(opened.file.append(entry(1, 3, std::string(30'000, 'x'))));
        return all + std::to_string(read_journal_words().size()) + "\n" + std::to_string(files().size());
    });
    if (said == "no mounts here") GTEST_SKIP() << "needs CAP_SYS_ADMIN";
    const auto snapshot_refused = said.find("cannot write '" + journal_path() + ".new.");
    EXPECT_EQ(said.rfind(cannot_write("No space left on device") + "\nas it was\n", 0), 0u) << said;
    EXPECT_NE(snapshot_refused, std::string::npos) << said;
    EXPECT_NE(said.find(": No space left on device\na;b;\n30005\n2", snapshot_refused), std::string::npos) << said;
}

/// After a failed fsync the kernel may have dropped what it could not write, and says yes the next time.
TEST_F(JournalFullTest, AFailedSyncRefusesUntilItIsOpenedAnew) {
    {
        auto opened = with_a();
        const auto before = content(journal_path());
        failing_fdatasync = {.bad = 1};
        EXPECT_EQ(complaint(opened.file.append(entry(1, 2, "b"))), cannot_write("Input/output error"));
        EXPECT_EQ(content(journal_path()), before);
        EXPECT_EQ(opened.file.position(), at(1, 1));
        const auto again = opened.file.append(entry(1, 2, "b"));
        ASSERT_TRUE(again);
        EXPECT_EQ(again->kind, Failure::connection);
        EXPECT_EQ(again->text, "the journal '" + journal_path() + "' takes no record: open it anew, since earlier " +
                                   cannot_write("Input/output error"));
        EXPECT_NE(complaint(opened.file.append(snapshot(1, 1, "a;"))), "");
        EXPECT_EQ(content(journal_path()), before);
    }
    auto opened = must_open();
    EXPECT_EQ(fold_of(opened.journal), "a;");
    EXPECT_EQ(complaint(opened.file.append(entry(1, 2, "b"))), "");
}

TEST_F(JournalFullTest, WhatCannotBeTakenBackIsSaid) {
    auto opened = with_a();
    failing_fdatasync = {.bad = 1}, failing_ftruncate = {.bad = 1};
    EXPECT_EQ(
        complaint(opened.file.append(entry(1, 2, "b"))),
        cannot_write("Input/output error; what was written of it is still there and may be found after a restart"));
    EXPECT_NE(complaint(opened.file.append(entry(1, 2, "b"))), "");
    EXPECT_EQ(read_journal_words(), "a;b;") << "as it was said";
}

TEST_F(JournalFullTest, ASnapshotThatCannotBeWrittenLeavesTheOldFile) {
    auto opened = with_a();
    const auto before = content(journal_path());
    failing_fsync = {.bad = 1};
    const auto said = complaint(opened.file.append(snapshot(1, 1, "a;")));
    EXPECT_EQ(said.rfind("cannot write '" + journal_path() + ".new.", 0), 0u) << said;
    EXPECT_EQ(content(journal_path()), before);
    EXPECT_EQ(files(), (std::set<std::string>{"muster-job.journal", "muster-job.journal.lock"}));
    EXPECT_EQ(complaint(opened.file.append(entry(1, 2, "b"))), "") << "it goes on with the old one";
    EXPECT_EQ(read_journal_words(), "a;b;");
}

/// Without its directory's fsync the rename may be undone by a crash, and what is added to the new file with it.
TEST_F(JournalFullTest, ASnapshotWhoseRenameIsNotDurableTakesNothingMore) {
    auto opened = with_a();
    failing_fsync = {.bad = 1, .good = 1};  // The first is the new file's own.
    EXPECT_EQ(complaint(opened.file.append(snapshot(1, 1, "a;"))),
              "cannot make durable (the new state is in place) '" + journal_path() + "': Input/output error");
    EXPECT_EQ(read_journal_words(), "a;") << "the old file or the new one, both are this state";
    EXPECT_NE(complaint(opened.file.append(entry(1, 2, "b"))).find("open it anew"), std::string::npos);
}

TEST_F(JournalFullTest, AtItsOpeningItIsMadeDurable) {
    (void)with_a();
    failing_fsync = {.bad = 1};
    EXPECT_EQ(complaint(JournalFile::open(journal_settings())),
              "cannot make durable '" + journal_path() + "': Input/output error")
        << "the last owner may have been killed before its own";
    failing_fsync = {.bad = 1};
    EXPECT_EQ(complaint(JournalFile::open(journal_settings(Durability::file))), "");
    failing_fsync = {.bad = 0};
}

TEST_F(JournalFullTest, ATornTailThatCannotBeCutIsNotWrittenBehind) {
    (void)with_a();
    put(journal_path(), content(journal_path()) + "MREC");
    failing_ftruncate = {.bad = 2};  // The lock's file is cut, too.
    EXPECT_EQ(complaint(JournalFile::open(journal_settings())),
              "cannot cut the torn tail of '" + journal_path() + "': Input/output error");
    EXPECT_EQ(must_open().cut->text, "the last record has 4 of the 32 bytes of its head");
}

}  // namespace
}  // namespace muster::persist
