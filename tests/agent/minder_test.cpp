// SPDX-License-Identifier: Apache-2.0
#include "agent/minder.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace muster::agent {
namespace {

constexpr std::uint32_t kWindowMs = 200;

/// A process with a minder, which feeds it `times` every 20 ms and then does `last`. How it ended, as waitpid says.
template <class Last>
int ending_of(int times, Last last) {
    const pid_t child = ::fork();
    if (child == 0) {
        const Minder minder(kWindowMs);
        for (int i = 0; i < times; ++i) {
            minder.feed();
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        last();
        std::exit(7);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

bool killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

TEST(Minder, EndsAProcessThatIsStopped) {
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_TRUE(killed(ending_of(3, [] { std::raise(SIGSTOP); })));
    EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(kWindowMs));
}

TEST(Minder, EndsAProcessThatIsSilentForTwoWindows) {
    EXPECT_TRUE(killed(ending_of(3, [] { std::this_thread::sleep_for(std::chrono::seconds(60)); })));
}

TEST(Minder, LeavesOneAloneThatIsFedAndEndsWithIt) {
    const int status = ending_of(3 * static_cast<int>(kWindowMs) / 20, [] {});
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 7);
}

/// A minder that kept a copy of a socket would hide its parent's death from the peer.
TEST(Minder, HoldsNothingOfItsParents) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(::pipe(ends), 0);
    const Minder minder(60'000);
    ::close(ends[1]);
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 0) << "the end that the child was born with is closed";
    ::close(ends[0]);
}

}  // namespace
}  // namespace muster::agent
