// SPDX-License-Identifier: Apache-2.0
#include "agent/posix_signals.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace muster::agent {
namespace {

using core::Wanted;

/// What parse says where it refuses; the empty text where it does not.
std::string refusal(std::string_view text) {
    const auto parsed = parse_posix_signals(text);
    if (parsed) return "";
    EXPECT_EQ(parsed.error().fault, Fault::bad_setup);
    return parsed.error().text;
}

TEST(PosixSignals, NamesWithAndWithoutSigInEitherCaseMeanTheCompoundSignals) {
    const auto parsed =
        parse_posix_signals("TERM=stop,SIGUSR1=suspend,usr2=pause,sigHup=UNPAUSE,INT=resume,XCPU=start");
    ASSERT_TRUE(parsed);
    ASSERT_EQ(parsed->size(), 6u);
    const std::vector<std::pair<int, Wanted>> expected{{SIGTERM, Wanted::stopped}, {SIGUSR1, Wanted::suspended},
                                                       {SIGUSR2, Wanted::pause},   {SIGHUP, Wanted::unpause},
                                                       {SIGINT, Wanted::resume},   {SIGXCPU, Wanted::start}};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ((*parsed)[i].number, expected[i].first);
        EXPECT_EQ((*parsed)[i].wanted, expected[i].second);
    }
}

TEST(PosixSignals, OffAndNothingMeanNone) {
    for (const auto* text : {"", "off"}) {
        const auto parsed = parse_posix_signals(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_TRUE(parsed->empty()) << text;
    }
}

TEST(PosixSignals, NonsenseIsRefusedByName) {
    EXPECT_NE(refusal("TERM=stop,KILL=stop").find("'KILL=stop': the signal may be HUP"), std::string::npos);
    EXPECT_NE(refusal("TERM=explode").find("'TERM=explode': a signal may stand for pause"), std::string::npos);
    EXPECT_NE(refusal("TERM").find("'TERM': write SIGNAL=what"), std::string::npos);
    EXPECT_NE(refusal("TERM=stop,").find("''"), std::string::npos);
    EXPECT_NE(refusal("TERM=stop,SIGTERM=pause").find("'SIGTERM=pause': this signal is named twice"),
              std::string::npos);
    EXPECT_NE(refusal("=stop"), "");
    EXPECT_NE(refusal("SIG=stop"), "");
    EXPECT_NE(refusal("SEGV=stop"), "") << "a fault is not a wish";
}

/// Everything as it was before, whatever a test has done.
class InstalledPosixSignals : public testing::Test {
protected:
    static constexpr int kUsed[] = {SIGTERM, SIGUSR1, SIGUSR2};
    void SetUp() override {
        for (const int number : kUsed) std::signal(number, SIG_DFL);
    }
    void TearDown() override {
        uninstall_posix_signals();
        for (const int number : kUsed) std::signal(number, SIG_DFL);
    }
    std::vector<std::string> install(std::string_view text) {
        return install_posix_signals(*parse_posix_signals(text), bell_);
    }
    static void (*handler_of(int number))(int) {
        struct sigaction now {};
        sigaction(number, nullptr, &now);
        return now.sa_handler;
    }
    Bell bell_;
};

TEST_F(InstalledPosixSignals, ASignalRingsTheBellAndIsTakenOnce) {
    EXPECT_TRUE(install("TERM=stop,USR1=suspend").empty());
    EXPECT_TRUE(take_posix_signals().empty());
    EXPECT_FALSE(bell_.wait(0));
    std::raise(SIGTERM);
    EXPECT_TRUE(bell_.wait(0));
    const auto taken = take_posix_signals();
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].number, SIGTERM);
    EXPECT_EQ(taken[0].wanted, Wanted::stopped);
    EXPECT_TRUE(take_posix_signals().empty());
}

TEST_F(InstalledPosixSignals, SeveralSignalsComeTogetherAndARepeatCountsOnce) {
    EXPECT_TRUE(install("TERM=stop,USR1=suspend").empty());
    std::raise(SIGTERM);
    std::raise(SIGUSR1);
    std::raise(SIGTERM);
    EXPECT_EQ(take_posix_signals().size(), 2u);
}

TEST_F(InstalledPosixSignals, AThreadAsleepOnTheBellWakesUp) {
    EXPECT_TRUE(install("USR1=pause").empty());
    std::atomic<int> woken{0};
    std::thread sleeper([&] {
        // The signal goes to whichever thread the kernel likes; to this one, poll ends early and the second one sees
        // it.
        while (take_posix_signals().empty()) (void)bell_.wait(30'000);
        ++woken;
    });
    ::kill(::getpid(), SIGUSR1);
    sleeper.join();
    EXPECT_EQ(woken, 1);
}

TEST_F(InstalledPosixSignals, WhatTheProgramHandlesOrIgnoresIsLeftAloneAndSaid) {
    static int seen = 0;
    const auto handler = [](int) { ++seen; };
    std::signal(SIGTERM, handler);
    std::signal(SIGUSR1, SIG_IGN);
    const auto notes = install("TERM=stop,USR1=suspend,USR2=pause");
    ASSERT_EQ(notes.size(), 2u);
    EXPECT_NE(notes[0].find("SIGTERM is no signal to the job: the program handles it itself"), std::string::npos);
    EXPECT_NE(notes[1].find("SIGUSR1 is no signal to the job: it is ignored"), std::string::npos);
    std::raise(SIGTERM);
    std::raise(SIGUSR1);
    std::raise(SIGUSR2);
    EXPECT_EQ(seen, 1);
    EXPECT_EQ(take_posix_signals().size(), 1u);
    uninstall_posix_signals();
    EXPECT_EQ(handler_of(SIGTERM), +handler);
    EXPECT_EQ(handler_of(SIGUSR1), SIG_IGN);
    EXPECT_EQ(handler_of(SIGUSR2), SIG_DFL);
}

TEST_F(InstalledPosixSignals, UninstallLeavesWhatTheProgramHasTakenSince) {
    EXPECT_TRUE(install("TERM=stop").empty());
    const auto handler = [](int) {};
    std::signal(SIGTERM, handler);
    uninstall_posix_signals();
    EXPECT_EQ(handler_of(SIGTERM), +handler);
}

TEST_F(InstalledPosixSignals, NothingIsLeftOverForTheNextInstallation) {
    EXPECT_TRUE(install("TERM=stop").empty());
    std::raise(SIGTERM);
    EXPECT_TRUE(install("USR1=pause").empty());
    EXPECT_EQ(handler_of(SIGTERM), SIG_DFL);
    EXPECT_TRUE(take_posix_signals().empty());
}

/// Asleep in the kernel, as /proc says.
bool is_asleep(pid_t thread) {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string line;
    std::getline(file, line);
    return line.find(") S ") != std::string::npos;
}

TEST_F(InstalledPosixSignals, ABlockingCallIsNotInterrupted) {
    EXPECT_TRUE(install("USR1=pause").empty());
    sem_t go;
    ASSERT_EQ(::sem_init(&go, 0, 0), 0);
    int result = -1;
    std::atomic<pid_t> thread{0};
    std::thread waiter([&] {
        thread = static_cast<pid_t>(::syscall(SYS_gettid));
        result = ::sem_wait(&go);  // Not read: the thread sanitizer would hold the signal back until it returns.
    });
    while (thread == 0 || !is_asleep(thread)) std::this_thread::yield();
    ::pthread_kill(waiter.native_handle(), SIGUSR1);
    while (take_posix_signals().empty()) std::this_thread::yield();
    ::sem_post(&go);
    waiter.join();
    EXPECT_EQ(result, 0);
    ::sem_destroy(&go);
}

TEST_F(InstalledPosixSignals, TheHandlerKeepsErrno) {
    // The new bell's event gets the lowest free descriptor. Closed, it lets wake() fail, which must not show.
    const int lowest = ::dup(STDIN_FILENO);
    ::close(lowest);
    const Bell bell;
    ASSERT_TRUE(install_posix_signals(*parse_posix_signals("USR1=pause"), bell).empty());
    ASSERT_EQ(::close(lowest), 0);
    errno = ENOENT;
    std::raise(SIGUSR1);
    EXPECT_EQ(errno, ENOENT);
    EXPECT_EQ(take_posix_signals().size(), 1u);
    uninstall_posix_signals();
}

TEST_F(InstalledPosixSignals, AForkedChildDiesOfTheSignalAndTheParentHearsNothing) {
    EXPECT_TRUE(install("TERM=stop").empty());
    const auto child = ::fork();
    if (child == 0) {
        std::raise(SIGTERM);
        ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGTERM);
    EXPECT_FALSE(bell_.wait(0));
}

}  // namespace
}  // namespace muster::agent
