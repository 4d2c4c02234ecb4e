// SPDX-License-Identifier: Apache-2.0
#include "persist/file_lock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

#include "persist/system_failure.hpp"

namespace muster::persist {
namespace {

using std::chrono::milliseconds;

using Clock = std::chrono::steady_clock;

/// Bytes of the lock file. Who waits for the lock holds the door meanwhile, so that a holder that comes back at once
/// stands behind it: whoever asks again and again does not starve the others.
enum Byte : short { kMain, kDoor };

/// 0 or errno. There is no form with a deadline, so whoever waits asks again.
int ask(int file, short type, Byte byte) {
    struct flock range {};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = byte;
    range.l_len = 1;
    return ::fcntl(file, F_OFD_SETLK, &range) == 0 ? 0 : errno;
}

bool is_busy(int error) { return error == EAGAIN || error == EACCES || error == EINTR; }

/// Many stand before the door: each asks at a moment of its own, none more often than others.
milliseconds before_the_door() { return milliseconds(1 + Clock::now().time_since_epoch().count() / 64 % 16); }

/// Only one at a time stands before the lock itself.
milliseconds before_the_lock() { return milliseconds(1); }

/// 0, errno, or EAGAIN where the deadline has passed.
int wait_for(int file, Byte byte, Clock::time_point end, milliseconds (*pause)()) {
    while (true) {
        const int error = ask(file, F_WRLCK, byte);
        const auto now = Clock::now();
        if (!is_busy(error)) return error;
        if (now >= end) return EAGAIN;
        std::this_thread::sleep_until(std::min(now + pause(), end));
    }
}

/// Whoever signed last: the holder, unless it has only just got the lock.
std::string holder_in(int file) {
    std::array<char, 300> text{};
    const auto size = ::pread(file, text.data(), text.size(), 0);
    return size > 0 ? " (" + std::string(text.data(), static_cast<std::size_t>(size)) + ")" : "";
}

}  // namespace

Or<FileLock> FileLock::lock(const std::string& path, milliseconds deadline) {
    const auto end = Clock::now() + deadline;
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (!file) return cannot("open the lock file", path, errno);
    int error = wait_for(file.get(), kDoor, end, before_the_door);
    if (error == 0) {
        error = wait_for(file.get(), kMain, end, before_the_lock);
        (void)ask(file.get(), F_UNLCK, kDoor);
    }
    if (error == 0) return FileLock(std::move(file));
    // Lustre without the mount option `flock` says ENOSYS, NFS 3 without lockd ENOLCK.
    if (!is_busy(error)) return cannot("lock", path, error);
    return Failure{Failure::connection, "the lock '" + path + "' was held by another process" + holder_in(file.get()) +
                                            " for " + std::to_string(deadline.count()) + " ms"};
}

void FileLock::sign(const std::string& who) const {
    // In this order: ext4 writes a file out when it is closed after having been cut to nothing.
    (void)!::pwrite(file_.get(), who.data(), who.size(), 0);
    (void)!::ftruncate(file_.get(), static_cast<off_t>(who.size()));
}

FileLock::~FileLock() {
    if (file_) (void)ask(file_.get(), F_UNLCK, kMain);
}

}  // namespace muster::persist
