// SPDX-License-Identifier: Apache-2.0
#include "muster/buffer.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <limits>
#include <optional>
#include <utility>

namespace muster {
namespace {

Error failed(Fault fault, const std::string& what, int error) {
    return {fault, "buffer: cannot " + what + ": " + std::strerror(error)};
}

std::string directory_or_default(std::string directory) {
    if (!directory.empty()) return directory;
    const char* temporary = std::getenv("TMPDIR");
    return temporary != nullptr && *temporary != '\0' ? temporary : "/tmp";
}

/// A file without a name: it is gone with its descriptor, however the process ends.
class UnnamedFile {
public:
    explicit UnnamedFile(const std::string& directory) {
        std::string path = directory + "/muster-buffer-XXXXXX";
        descriptor_ = ::mkostemp(path.data(), O_CLOEXEC);
        if (descriptor_ >= 0) ::unlink(path.c_str());
    }
    UnnamedFile(UnnamedFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    UnnamedFile& operator=(UnnamedFile&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~UnnamedFile() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    [[nodiscard]] int descriptor() const { return descriptor_; }

private:
    int descriptor_ = -1;
};

/// While it lives, a write beyond the process's file size limit is an error like a full disk, and not SIGXFSZ, which
/// ends the process. The signal is sent to the writing thread, so it can be blocked and eaten here.
class NoFileSizeSignal {
public:
    NoFileSizeSignal() {
        sigemptyset(&one_);
        sigaddset(&one_, SIGXFSZ);
        ::pthread_sigmask(SIG_BLOCK, &one_, &before_);
    }
    ~NoFileSizeSignal() {
        const timespec at_once{};
        while (::sigtimedwait(&one_, nullptr, &at_once) == SIGXFSZ) {
        }
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    NoFileSizeSignal(const NoFileSizeSignal&) = delete;
    NoFileSizeSignal& operator=(const NoFileSizeSignal&) = delete;

private:
    sigset_t one_{}, before_{};
};

/// 0, or the errno of the write that failed.
int write_all(int file, const std::byte* bytes, std::size_t size) {
    const NoFileSizeSignal guard;
    for (std::size_t done = 0; done < size;) {
        const auto written = ::pwrite(file, bytes + done, size - done, static_cast<off_t>(done));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return written < 0 ? errno : ENOSPC;
        done += static_cast<std::size_t>(written);
    }
    // Network file systems say only here that there is no room; and a dirty page would still take memory.
    return ::fdatasync(file) == 0 ? 0 : errno;
}

int read_all(int file, std::byte* bytes, std::size_t size) {
    for (std::size_t done = 0; done < size;) {
        const auto got = ::pread(file, bytes + done, size - done, static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got < 0 ? errno : ENODATA;
        done += static_cast<std::size_t>(got);
    }
    return 0;
}

}  // namespace

struct Buffer::Held {
    Held(std::byte* at, std::size_t asked, std::size_t in_pages, Kind what, std::string where)
        : memory(at), size(asked), mapped(in_pages), kind(what), directory(std::move(where)) {}
    ~Held() { ::munmap(memory, mapped); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

    /// Nobody may touch the pages, and they are the system's. 0, or an errno: then all is as it was.
    [[nodiscard]] int give_back() const {
        if (::mprotect(memory, mapped, PROT_NONE) != 0) return errno;
        if (::madvise(memory, mapped, MADV_DONTNEED) == 0) return 0;
        const int error = errno;  // Locked pages (mlockall) cannot be given back.
        ::mprotect(memory, mapped, PROT_READ | PROT_WRITE);
        return error;
    }

    std::byte* memory;
    std::size_t size, mapped;
    Kind kind;
    std::string directory;
    std::optional<UnnamedFile> contents;  ///< While released and kept.
    bool released = false;
};

Result<Buffer> Buffer::allocate(std::size_t size, Kind kind, std::string directory) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    if (size == 0) return Error{Fault::internal, "buffer: a buffer of no bytes"};
    if (size > std::numeric_limits<std::size_t>::max() - page)
        return failed(Fault::internal, "allocate " + std::to_string(size) + " bytes", ENOMEM);
    directory = directory_or_default(std::move(directory));
    // Said now, rather than when the job is to be suspended.
    if (kind == Kind::keep && ::access(directory.c_str(), W_OK | X_OK) != 0)
        return failed(Fault::internal, "keep contents in " + directory, errno);
    const auto mapped = (size + page - 1) / page * page;
    void* memory = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return failed(Fault::internal, "allocate " + std::to_string(size) + " bytes", errno);
    return Buffer(std::make_unique<Held>(static_cast<std::byte*>(memory), size, mapped, kind, std::move(directory)));
}

Buffer::Buffer(std::unique_ptr<Held> held) : held_(std::move(held)) {}
Buffer::Buffer(Buffer&&) noexcept = default;
Buffer& Buffer::operator=(Buffer&&) noexcept = default;
Buffer::~Buffer() = default;

std::span<std::byte> Buffer::bytes() { return {held_->memory, held_->size}; }
bool Buffer::released() const { return held_->released; }

Result<Done> Buffer::release() {
    if (held_->released) return Done{};
    if (held_->kind == Kind::keep) {
        UnnamedFile file(held_->directory);
        if (file.descriptor() < 0) return failed(Fault::internal, "make a file in " + held_->directory, errno);
        const int error = write_all(file.descriptor(), held_->memory, held_->size);
        if (error != 0)
            return failed(Fault::internal, "write " + std::to_string(held_->size) + " bytes in " + held_->directory,
                          error);
        held_->contents = std::move(file);
    }
    if (const int error = held_->give_back(); error != 0) {
        held_->contents.reset();
        return failed(Fault::internal, "give memory back", error);
    }
    held_->released = true;
    return Done{};
}

Result<Done> Buffer::restore() {
    if (!held_->released) return Done{};
    if (::mprotect(held_->memory, held_->mapped, PROT_READ | PROT_WRITE) != 0)
        return failed(Fault::state_lost, "take memory again", errno);
    if (held_->contents) {
        const int error = read_all(held_->contents->descriptor(), held_->memory, held_->size);
        if (error != 0) {
            (void)held_->give_back();  // Half of the contents is nothing to work with.
            return failed(Fault::state_lost, "read back " + std::to_string(held_->size) + " bytes", error);
        }
        held_->contents.reset();
    }
    held_->released = false;
    return Done{};
}

}  // namespace muster
