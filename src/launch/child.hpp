// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Child processes: started in a process group of their own, with our ends of their output, gone when we are gone.
/// Thread safety: one thread per Child. Errors: start() returns a sentence where exec failed.

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "muster/types.hpp"

namespace muster::launch {

/// A file descriptor that is closed once.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor() { close(); }
    void close();
    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool open() const { return fd_ >= 0; }

private:
    int fd_ = -1;
};

struct Child {
    pid_t pid = -1;  ///< Also the number of its process group.
    Descriptor output{}, errors{};
};

struct ChildOptions {
    std::map<std::string, std::string> environment{};  ///< On top of ours.
    int death_signal = 15;                             ///< What the child gets when the thread that started it dies.
    /// For a process with other threads: when it is killed, each thread that dies hands its children to the next one
    /// and sends the death signal again (Linux). mpirun answers a second TERM with a line to a pipe that nobody reads
    /// any more, dies of that and leaves its ranks behind. So the child is a keeper with one thread, which starts the
    /// command, passes one signal on, and ends as the command does.
    bool keeper = false;
};

/// Starts `command[0]` (looked up in PATH where it has no slash) with default signal handling and nothing blocked.
/// A terminal as standard input is replaced by /dev/null: a background group may not read it.
[[nodiscard]] Result<Child> start(const std::vector<std::string>& command, const ChildOptions& options);

/// How a short command ended.
struct Captured {
    bool started = false;
    bool timed_out = false;
    int status = -1;  ///< Exit status, 128 + signal where a signal ended it.
    std::string output{}, errors{};
};

/// Runs a command to its end or to the time limit (then its process group is killed).
[[nodiscard]] Captured capture(const std::vector<std::string>& command, std::chrono::milliseconds limit,
                               const ChildOptions& options = {});

/// Exit status as a shell says it: 128 + signal where a signal ended the process.
[[nodiscard]] int shell_status(int wait_status);

}  // namespace muster::launch
