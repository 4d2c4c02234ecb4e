// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One process, and one thread, at a time: an exclusive lock on a file beside the one it protects.
/// Intuition: the kernel (over NFS the server) gives the lock back when its holder dies, so nobody cleans up after a
/// SIGKILL. The file itself stays: removing it would let two hold "the" lock.
/// An open file description lock (fcntl, F_OFD_SETLK): unlike POSIX locks it is not lost when some other part of the
/// process closes the same file, and it excludes threads too. A fork without exec shares it until its holder unlocks.
/// Who has waited longest is not always the next, but nobody is passed over by one that keeps coming back.
/// Errors: Failure::connection (cannot be opened, the file system has no locks, held by another until the deadline).
/// Thread safety: each lock() is its own. Units: milliseconds.

#include <chrono>
#include <string>

#include "persist/backend.hpp"
#include "persist/descriptor.hpp"

namespace muster::persist {

class FileLock {
public:
    [[nodiscard]] static Or<FileLock> lock(const std::string& path, std::chrono::milliseconds deadline);
    /// Leaves in the file who holds the lock, so that whoever is refused can be told. Nothing depends on it.
    void sign(const std::string& who) const;
    FileLock(FileLock&&) = default;
    FileLock& operator=(FileLock&&) = delete;
    ~FileLock();

private:
    explicit FileLock(Descriptor file) : file_(std::move(file)) {}
    Descriptor file_;
};

}  // namespace muster::persist
