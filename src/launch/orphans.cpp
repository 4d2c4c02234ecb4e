// SPDX-License-Identifier: Apache-2.0
#include "launch/orphans.hpp"

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

namespace muster::launch {

namespace {

struct Process {
    char state = '?';
    pid_t parent = -1;
};

/// From /proc/PID/stat: the name may hold anything, so the fields are counted from its closing bracket.
Process read_process(const std::string& pid) {
    std::string text;
    std::getline(std::ifstream("/proc/" + pid + "/stat"), text, '\0');
    const auto bracket = text.rfind(')');
    if (bracket == std::string::npos || bracket + 4 >= text.size()) return {};
    return {.state = text[bracket + 2], .parent = std::atoi(text.c_str() + bracket + 4)};
}

std::set<pid_t> children_of_this_process() {
    std::set<pid_t> found;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir("/proc"), &closedir);
    while (const auto* entry = directory ? readdir(directory.get()) : nullptr) {
        const pid_t pid = std::atoi(entry->d_name);
        if (pid > 0 && read_process(entry->d_name).parent == getpid()) found.insert(pid);
    }
    return found;
}

}  // namespace

OrphanGuard::OrphanGuard() : before_(children_of_this_process()) {
    prctl(PR_GET_CHILD_SUBREAPER, &subreaper_before_);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

OrphanGuard::~OrphanGuard() { prctl(PR_SET_CHILD_SUBREAPER, subreaper_before_); }

int OrphanGuard::sweep(std::chrono::milliseconds limit) const {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    std::set<pid_t> killed;
    while (std::chrono::steady_clock::now() < deadline) {
        bool any = false;
        for (const pid_t pid : children_of_this_process()) {
            if (before_.contains(pid)) continue;
            any = true;
            const bool zombie = read_process(std::to_string(pid)).state == 'Z';
            if (!zombie && kill(pid, SIGKILL) == 0) killed.insert(pid);
            waitpid(pid, nullptr, WNOHANG);
        }
        if (!any) break;
        sigset_t child_ends;  // the killed ones' own children become ours: look again as soon as one has gone
        sigemptyset(&child_ends);
        sigaddset(&child_ends, SIGCHLD);
        const timespec pause{.tv_sec = 0, .tv_nsec = 20'000'000};
        sigtimedwait(&child_ends, nullptr, &pause);
    }
    return static_cast<int>(killed.size());
}

}  // namespace muster::launch
