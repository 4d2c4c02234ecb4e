// SPDX-License-Identifier: Apache-2.0
#include "agent/minder.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <utility>

namespace muster::agent {
namespace {

/// As the kernel shows it, 'T' or 't' for one that is stopped. Only calls that are allowed after a fork.
char state_of(const char* stat_path) {
    const int fd = ::open(stat_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return '?';
    std::array<char, 512> text{};
    const auto size = ::read(fd, text.data(), text.size() - 1);
    ::close(fd);
    for (auto at = size - 1; at >= 0; --at)  // The name may hold anything: fields count from its last bracket.
        if (text[static_cast<std::size_t>(at)] == ')' && at + 2 < size) return text[static_cast<std::size_t>(at) + 2];
    return '?';
}

/// The child's whole life. Other threads of the parent may have held any lock: nothing here takes one.
[[noreturn]] void mind(int pipe, pid_t parent, const char* stat_path, int window_ms) {
    ::setsid();                             // A signal to the parent's group is not for the child,
    ::prctl(PR_SET_NAME, "muster-minder");  // nor is one to all of the program's name.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (pipe > 0) ::syscall(SYS_close_range, 0U, static_cast<unsigned>(pipe) - 1, 0U);
    ::syscall(SYS_close_range, static_cast<unsigned>(pipe) + 1, ~0U, 0U);
    for (bool warned = false; ::getppid() == parent;) {
        pollfd wait{pipe, POLLIN, 0};
        const int ready = ::poll(&wait, 1, window_ms);
        if (ready < 0 && errno == EINTR) continue;
        std::array<char, 64> words{};
        if (ready > 0) {
            if (::read(pipe, words.data(), words.size()) <= 0) break;  // Its end is closed.
            warned = false;
            continue;
        }
        const char state = state_of(stat_path);
        if (state == 'T' || state == 't' || std::exchange(warned, true)) {
            if (::getppid() == parent) ::kill(parent, SIGKILL);
            break;
        }
    }
    ::_exit(0);
}

}  // namespace

Minder::Minder(std::uint32_t window_ms) {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;
    const pid_t own = ::getpid();
    std::array<char, 64> path{};
    std::snprintf(path.data(), path.size(), "/proc/%d/stat", static_cast<int>(own));
    sigset_t all, before;  // The child has the program's handlers, which know nothing of it: it takes no signal.
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    child_ = ::fork();
    if (child_ == 0) mind(ends[0], own, path.data(), static_cast<int>(window_ms));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::close(ends[0]);
    pipe_ = ends[1];
}

Minder::~Minder() {
    if (pipe_ >= 0) ::close(pipe_);
    if (child_ > 0) ::waitpid(child_, nullptr, 0);  // It reads the pipe's end at once.
}

void Minder::feed() const {
    if (pipe_ >= 0) [[maybe_unused]]
        const auto written = ::write(pipe_, "", 1);
}

}  // namespace muster::agent
