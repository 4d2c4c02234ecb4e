// SPDX-License-Identifier: Apache-2.0
#include "persist/file_lock.hpp"

#include <fcntl.h>

#include <algorithm>
#include <thread>

#include "persist/system_failure.hpp"

namespace muster::persist {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{1}, kLongestPause{16};

/// 0 or errno. There is no form with a deadline, so whoever waits asks again.
int try_lock(int file, short type) {
    struct flock whole {};
    whole.l_type = type;
    whole.l_whence = SEEK_SET;
    return ::fcntl(file, F_OFD_SETLK, &whole) == 0 ? 0 : errno;
}

}  // namespace

Or<FileLock> FileLock::lock(const std::string& path, milliseconds deadline) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (!file) return cannot("open the lock file", path, errno);
    for (milliseconds pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
        const int error = try_lock(file.get(), F_WRLCK);
        if (error == 0) return FileLock(std::move(file));
        // Lustre without the mount option `flock` says ENOSYS, NFS 3 without lockd ENOLCK.
        if (error != EAGAIN && error != EACCES && error != EINTR) return cannot("lock", path, error);
        const auto now = std::chrono::steady_clock::now();
        if (now >= end) break;
        std::this_thread::sleep_until(std::min(now + pause, end));
    }
    return Failure{Failure::connection, "the lock '" + path + "' was held by another process for " +
                                            std::to_string(deadline.count()) + " ms"};
}

FileLock::~FileLock() {
    if (file_) (void)try_lock(file_.get(), F_UNLCK);
}

}  // namespace muster::persist
