// SPDX-License-Identifier: Apache-2.0
/// The file backend by itself: compare and swap, and every way in which a file system says no.
#include "persist/file_backend.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "persist/file_lock.hpp"
#include "support.hpp"

namespace muster::persist {
namespace {

using testing::bytes_of;
using testing::in_child;
using testing::token_of;
using testing::words;
using namespace std::chrono_literals;

class FileBackendTest : public testing::Directory {};

TEST_F(FileBackendTest, CompareAndSwap_T4) {
    FileBackend here(settings()), two(settings());
    core::rendezvous::Backend& one = here;  // As the core asks it.
    EXPECT_STREQ(one.name(), "file");
    EXPECT_EQ(words(one.get()), "(none)");
    EXPECT_EQ(words(one.set(bytes_of("x"), Token{7})), "(none)") << "there is no version that a token could name";
    const auto first = one.set(bytes_of("first"), std::nullopt);
    EXPECT_EQ(words(first), "accepted first");
    EXPECT_EQ(words(two.set(bytes_of("mine"), std::nullopt)), "found first");
    const auto got = two.get();
    EXPECT_EQ(words(got), "first");
    EXPECT_EQ(token_of(got), token_of(first));
    const auto second = two.set(bytes_of("second"), token_of(got));
    EXPECT_EQ(words(second), "accepted second");
    EXPECT_NE(token_of(second), token_of(first));
    const auto late = one.set(bytes_of("lost"), token_of(first));
    EXPECT_EQ(words(late), "found second");
    EXPECT_EQ(token_of(late), token_of(second));
    EXPECT_EQ(words(one.set(bytes_of(""), token_of(late))), "accepted ");
    EXPECT_EQ(words(two.get()), "");
    EXPECT_EQ(files(), (std::set<std::string>{"muster-job.state", "muster-job.lock"}));
}

TEST_F(FileBackendTest, AnOldTokenFitsNoNewBeginning) {
    FileBackend backend(settings());
    const auto old = token_of(backend.set(bytes_of("a"), std::nullopt));
    ASSERT_EQ(::unlink(state_path().c_str()), 0);
    EXPECT_EQ(words(backend.set(bytes_of("b"), old)), "(none)");
    EXPECT_EQ(words(backend.set(bytes_of("c"), std::nullopt)), "accepted c");
    EXPECT_EQ(words(backend.set(bytes_of("d"), old)), "found c");
}

TEST_F(FileBackendTest, RunsDoNotMeet) {
    FileBackend plain({.directory = path, .run_id = "a"}), odd({.directory = path, .run_id = "../a b"});
    EXPECT_EQ(words(plain.set(bytes_of("1"), std::nullopt)), "accepted 1");
    EXPECT_EQ(words(odd.set(bytes_of("2"), std::nullopt)), "accepted 2");
    EXPECT_EQ(odd.path(), path + "/muster-%2E%2E%2Fa%20b.state");
    EXPECT_EQ(words(plain.get()), "1");
}

TEST_F(FileBackendTest, LargeStatesToTheByte) {
    FileBackend backend(settings());
    const Bytes over(kStateMax + 1);
    const auto refused = words(backend.set(over, std::nullopt));
    EXPECT_EQ(refused,
              "connection: cannot write '" + state_path() + "': a state of 67108865 bytes is larger than 67108864");
    EXPECT_EQ(words(backend.get()), "(none)");
    const Bytes largest(kStateMax, std::byte{'x'});
    EXPECT_EQ(words(backend.set(largest, std::nullopt)).size(), kStateMax + 9);
    EXPECT_EQ(words(backend.get()).size(), kStateMax);
}

TEST_F(FileBackendTest, WhatIsNoStateIsRefusedByNameAndLeftAsItIs) {
    FileBackend backend(settings());
    const auto token = token_of(backend.set(bytes_of("state"), std::nullopt));
    const std::string whole = content(state_path());
    const std::string is = "corrupt: the state file '" + state_path() + "' is ";
    const std::vector<std::pair<std::string, std::string>> cases = {
        {whole.substr(0, whole.size() - 1), "torn: it has 4 bytes of state where its header says 5"},
        {whole + "x", "torn: it has 6 bytes of state where its header says 5"},
        {"", "not one of muster's"},
        {"somebody's notes, long enough for a header", "not one of muster's"},
        {whole.substr(0, whole.size() - 1) + "E", "damaged: its checksum does not fit its contents"}};
    for (const auto& [bytes, what] : cases) {
        put(state_path(), bytes);
        EXPECT_EQ(words(backend.get()), is + what);
        EXPECT_EQ(words(backend.set(bytes_of("new"), token)), is + what);
        EXPECT_EQ(words(backend.set(bytes_of("new"), std::nullopt)), is + what);
        EXPECT_EQ(content(state_path()), bytes);
    }
}

TEST_F(FileBackendTest, SomethingElseOfThisNameIsNotReadAndNotWaitedFor) {
    FileBackend backend(settings());
    const std::string is = "corrupt: the state file '" + state_path() + "' is not one of muster's";
    ASSERT_EQ(::mkfifo(state_path().c_str(), 0600), 0);
    EXPECT_EQ(words(backend.get()), is);
    ASSERT_EQ(::unlink(state_path().c_str()), 0);
    ASSERT_EQ(::mkdir(state_path().c_str(), 0700), 0);
    EXPECT_EQ(words(backend.get()), is);
    ASSERT_EQ(::rmdir(state_path().c_str()), 0);
    put(state_path(), "");
    ASSERT_EQ(::truncate(state_path().c_str(), static_cast<off_t>(kStateMax) * 1'000), 0);
    EXPECT_EQ(words(backend.get()), is) << "far too large to be one";
}

TEST_F(FileBackendTest, AMissingDirectoryIsNoConnection) {
    FileBackend backend({.directory = path + "/none", .run_id = "job"});
    EXPECT_EQ(words(backend.get()),
              "connection: cannot open the directory '" + path + "/none': No such file or directory");
    EXPECT_EQ(words(backend.set(bytes_of("x"), std::nullopt)),
              "connection: cannot open the lock file '" + path + "/none/muster-job.lock': No such file or directory");
}

/// Root may do everything, so somebody else tries.
std::string as_nobody(const std::function<std::string()>& work) {
    return in_child([&] { return ::getuid() != 0 || ::setuid(65534) == 0 ? work() : "cannot become nobody"; });
}

TEST_F(FileBackendTest, MissingPermissionNamesThePath) {
    FileBackend backend(settings());
    const auto token = token_of(backend.set(bytes_of("state"), std::nullopt));
    ASSERT_EQ(::chmod(path.c_str(), 0555), 0);
    ASSERT_EQ(::chmod((path + "/muster-job.lock").c_str(), 0666), 0);
    EXPECT_EQ(as_nobody([&] { return words(backend.get()); }), "state");
    const auto made = as_nobody([&] { return words(backend.set(bytes_of("x"), token)); });
    EXPECT_EQ(made.rfind("connection: cannot make '" + path + "/muster-job.new.", 0), 0u) << made;
    EXPECT_NE(made.find("': Permission denied"), std::string::npos) << made;
    ASSERT_EQ(::chmod((path + "/muster-job.lock").c_str(), 0444), 0);
    EXPECT_EQ(as_nobody([&] { return words(backend.set(bytes_of("x"), token)); }),
              "connection: cannot open the lock file '" + path + "/muster-job.lock': Permission denied");
    ASSERT_EQ(::chmod(path.c_str(), 0700), 0);
    ASSERT_EQ(::chmod(state_path().c_str(), 0000), 0);
    ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
    EXPECT_EQ(as_nobody([&] { return words(backend.get()); }),
              "connection: cannot open the state file '" + state_path() + "': Permission denied");
    ASSERT_EQ(::chmod(state_path().c_str(), 0644), 0);
    EXPECT_EQ(words(backend.get()), "state");
}

TEST_F(FileBackendTest, TheLocksDeadlineIsKept) {
    auto patient = settings();
    patient.lock_deadline = 60ms;
    FileBackend backend(patient);
    {
        const auto held = FileLock::lock(path + "/muster-job.lock", 1s);
        ASSERT_TRUE(std::holds_alternative<FileLock>(held));
        const auto before = std::chrono::steady_clock::now();
        EXPECT_EQ(words(backend.set(bytes_of("x"), std::nullopt)),
                  "connection: the lock '" + path + "/muster-job.lock' was held by another process for 60 ms");
        const auto waited = std::chrono::steady_clock::now() - before;
        EXPECT_GE(waited, 60ms);
        EXPECT_LT(waited, 3s);
        EXPECT_EQ(words(backend.get()), "(none)") << "readers need no lock";
    }
    EXPECT_EQ(words(backend.set(bytes_of("x"), std::nullopt)), "accepted x");
}

TEST_F(FileBackendTest, AnotherDescriptorsEndDoesNotGiveTheLockBack) {
    const std::string file = path + "/muster-job.lock";
    const auto held = FileLock::lock(file, 1s);
    ASSERT_TRUE(std::holds_alternative<FileLock>(held));
    Descriptor(::open(file.c_str(), O_RDWR)).close();  // A POSIX lock would be gone now.
    const auto second = FileLock::lock(file, 20ms);
    EXPECT_TRUE(std::holds_alternative<Failure>(second));
}

TEST_F(FileBackendTest, WhoTakesTheLockAgainAndAgainStarvesNobody) {
    const std::string file = path + "/muster-job.lock";
    std::atomic<bool> stop{false};
    std::atomic<int> taken{0};
    std::thread greedy([&] {
        while (!stop) {
            const auto held = FileLock::lock(file, 10s);
            std::this_thread::sleep_for(2ms);
            ++taken;
        }
    });
    while (taken == 0) std::this_thread::yield();
    int meanwhile = 0;
    for (int i = 0; i < 10; ++i) {
        std::this_thread::sleep_for(20ms);
        const int before = taken;
        EXPECT_TRUE(std::holds_alternative<FileLock>(FileLock::lock(file, 10s))) << i;
        meanwhile += taken - before;
    }
    stop = true;
    greedy.join();
    EXPECT_LT(meanwhile, 60) << "in ten waits; hundreds where nobody holds the door";
}

TEST_F(FileBackendTest, AForkDoesNotKeepTheLock) {
    pid_t child = -1;
    {
        const auto held = FileLock::lock(path + "/muster-job.lock", 1s);
        child = ::fork();
        if (child == 0) ::pause();
    }
    FileBackend backend(settings());
    EXPECT_EQ(words(backend.set(bytes_of("x"), std::nullopt)), "accepted x");
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
}

TEST_F(FileBackendTest, ThreadsExcludeEachOtherToo) {
    FileBackend shared(settings());
    ASSERT_EQ(words(shared.set(bytes_of(""), std::nullopt)), "accepted ");
    const auto work = [&] {
        for (int accepted = 0; accepted < 50;) {
            const auto got = shared.get();
            Stored stored = std::get<std::optional<Stored>>(got).value();
            stored.state.push_back(std::byte{'.'});
            const auto done = shared.set(stored.state, stored.token);
            accepted += std::get<std::optional<Written>>(done).value().accepted ? 1 : 0;
        }
    };
    std::thread one(work), two(work);
    one.join(), two.join();
    EXPECT_EQ(words(shared.get()), std::string(100, '.'));
}

/// A limit on the size of files stops the write in its middle, as a full disk does.
TEST_F(FileBackendTest, AWriteThatEndsHalfwayChangesNothing) {
    FileBackend backend(settings());
    const auto token = token_of(backend.set(bytes_of("state"), std::nullopt));
    const auto said = in_child([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{4096, 4096};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        return words(backend.set(Bytes(100'000), token));
    });
    EXPECT_EQ(said.rfind("connection: cannot write '" + path + "/muster-job.new.", 0), 0u) << said;
    EXPECT_NE(said.find("': File too large"), std::string::npos) << said;
    EXPECT_EQ(words(backend.get()), "state");
    EXPECT_EQ(files(), (std::set<std::string>{"muster-job.state", "muster-job.lock"})) << "nothing is left lying";
    EXPECT_EQ(words(backend.set(bytes_of("next"), token)), "accepted next");
}

TEST_F(FileBackendTest, AFullDiskIsRefusedAndChangesNothing) {
    const auto said = in_child([&]() -> std::string {
        if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("none", path.c_str(), "tmpfs", 0, "size=64k") != 0)
            return "no mounts here";
        FileBackend backend(settings());
        const auto token = token_of(backend.set(bytes_of("state"), std::nullopt));
        std::string all = words(backend.set(Bytes(200'000), token));
        all += "\n" + words(backend.get()) + "\n" + std::to_string(files().size());
        return all + "\n" + words(backend.set(bytes_of("next"), token));
    });
    if (said == "no mounts here") GTEST_SKIP() << "needs CAP_SYS_ADMIN";
    EXPECT_NE(said.find("': No space left on device\nstate\n2\naccepted next"), std::string::npos) << said;
}

TEST_F(FileBackendTest, TheNextWriterRemovesWhatTheDeadHaveLeft) {
    put(path + "/muster-job.new.node7.4711.1", "half a sta");
    put(path + "/muster-jobs.state", "another run's");
    put(path + "/muster-jobs.new.node7.4711.1", "another run's");
    FileBackend backend(settings());
    EXPECT_EQ(words(backend.get()), "(none)");
    EXPECT_EQ(words(backend.set(bytes_of("x"), std::nullopt)), "accepted x");
    EXPECT_EQ(files(), (std::set<std::string>{"muster-job.state", "muster-job.lock", "muster-jobs.state",
                                              "muster-jobs.new.node7.4711.1"}));
}

}  // namespace
}  // namespace muster::persist
