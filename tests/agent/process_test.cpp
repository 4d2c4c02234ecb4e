// SPDX-License-Identifier: Apache-2.0
#include "agent/process.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace muster::agent {
namespace {

/// A child that only waits to be killed. It tells its own ProcessId through a pipe, as members do at join.
class Child {
public:
    Child() {
        int ends[2] = {-1, -1};
        if (::pipe(ends) != 0) std::abort();
        pid_ = ::fork();
        if (pid_ == 0) {
            const ProcessId own = this_process();
            if (::write(ends[1], &own, sizeof(own)) != sizeof(own)) _exit(1);
            for (;;) ::pause();
        }
        if (pid_ < 0 || ::read(ends[0], &id_, sizeof(id_)) != sizeof(id_)) std::abort();
        ::close(ends[0]);
        ::close(ends[1]);
    }
    ~Child() {
        kill();
        reap();
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// Returns when it is dead for the kernel; it stays a zombie until reap().
    void kill() const {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        siginfo_t info = {};
        ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
    }
    void reap() {
        if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    void stop() const {
        ::kill(pid_, SIGSTOP);
        siginfo_t info = {};
        ::waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WNOWAIT);
    }
    [[nodiscard]] ProcessId id() const { return id_; }

private:
    pid_t pid_ = -1;
    ProcessId id_;
};

TEST(Process, KnowsItself) {
    const ProcessId own = this_process();
    EXPECT_EQ(own.pid, static_cast<std::uint32_t>(::getpid()));
    EXPECT_NE(own.start_time, 0u);
    EXPECT_NE(own.space, 0u);
    EXPECT_FALSE(is_gone(own));
}

TEST(Process, ALivingChildIsNotGone) {
    const Child child;
    EXPECT_FALSE(is_gone(child.id()));
}

TEST(Process, AStoppedChildIsNotGone) {
    const Child child;
    child.stop();
    EXPECT_FALSE(is_gone(child.id())) << "it may wake up and go on";
}

TEST(Process, AKilledChildIsGoneBeforeAnybodyHasReapedIt) {
    const Child child;
    child.kill();
    EXPECT_TRUE(is_gone(child.id()));
}

TEST(Process, AReapedChildIsGone) {
    Child child;
    child.kill();
    child.reap();
    EXPECT_TRUE(is_gone(child.id()));
}

TEST(Process, APidThatIsAnothersNowMeansGone) {
    const Child child;
    ProcessId before = child.id();
    before.start_time -= 1;
    EXPECT_TRUE(is_gone(before));
}

TEST(Process, NothingIsCertainAboutAnotherNamespaceOrAnUnknownProcess) {
    Child child;
    child.kill();
    child.reap();
    ProcessId elsewhere = child.id(), nowhere = child.id(), unknown = child.id();
    elsewhere.space += 1;
    nowhere.space = 0;
    unknown.start_time = 0;
    EXPECT_FALSE(is_gone(elsewhere));
    EXPECT_FALSE(is_gone(nowhere));
    EXPECT_FALSE(is_gone(unknown));
}

TEST(Process, IsEndedWhereItIsCertainlyTheOneThatIsMeant) {
    const Child stopped;
    stopped.stop();
    EXPECT_TRUE(end_process(stopped.id()));
    for (int look = 0; look < 5'000 && !is_gone(stopped.id()); ++look) ::usleep(1'000);
    EXPECT_TRUE(is_gone(stopped.id())) << "also one that is stopped";
    const Child child;
    auto other = child.id(), elsewhere = child.id(), unknown = child.id();
    other.start_time -= 1;
    elsewhere.space += 1;
    unknown.start_time = 0;
    for (const auto& wrong : {other, elsewhere, unknown}) EXPECT_FALSE(end_process(wrong));
    EXPECT_FALSE(is_gone(child.id()));
}

}  // namespace
}  // namespace muster::agent
