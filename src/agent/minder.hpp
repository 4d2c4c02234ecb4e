// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Ends this process with SIGKILL when it stands still, where no other member shares its node and could.
/// Intuition: a child that holds nothing but the end of a pipe. Each word on it says that the process lives; silence
/// for the window, from a process that the kernel calls stopped, or for two windows from any other, says that it does
/// not. The child ends with its parent, whichever way that ends, and holds none of its sockets or files. Thread safety:
/// none; the heart owns it.

#include <sys/types.h>

#include <cstdint>

namespace muster::agent {

class Minder {
public:
    /// Where there is no second process to be had, feed() does nothing.
    explicit Minder(std::uint32_t window_ms);
    ~Minder();
    Minder(const Minder&) = delete;
    Minder& operator=(const Minder&) = delete;

    void feed() const;  ///< Several times a window.

private:
    pid_t child_ = -1;
    int pipe_ = -1;
};

}  // namespace muster::agent
