// SPDX-License-Identifier: Apache-2.0
#include "persist/files.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <system_error>

#include "persist/descriptor.hpp"
#include "persist/system_failure.hpp"

namespace muster::persist {
namespace {

/// 0 or errno.
int write_all(int file, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto count = ::write(file, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno;
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return ::fsync(file) == 0 ? 0 : errno;
}

}  // namespace

std::string as_file_name(const std::string& text) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    std::string name;
    for (const char c : text) {
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        const auto value = static_cast<unsigned char>(c);
        if (plain) name += c;
        if (!plain) name += {'%', kDigits[value >> 4U], kDigits[value & 15U]};
    }
    return name;
}

std::string this_process() {
    std::array<char, 256> host{};
    (void)::gethostname(host.data(), host.size() - 1);
    return as_file_name(host.data()) + "." + std::to_string(::getpid());
}

std::optional<std::uint64_t> random_number() {
    std::uint64_t number = 0;
    if (::getrandom(&number, sizeof number, 0) != sizeof number) return std::nullopt;
    return number;
}

Or<Bytes> read_all(int file, const std::string& what, const std::string& path, std::uint64_t size_max) {
    struct stat status {};
    if (::fstat(file, &status) != 0) return cannot("look at", path, errno);
    if (!S_ISREG(status.st_mode) || static_cast<std::uint64_t>(status.st_size) > size_max)
        return Failure{Failure::corrupt_state, "the " + what + " '" + path + "' is not one of muster's"};
    Bytes bytes(static_cast<std::size_t>(status.st_size));
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto count = ::read(file, bytes.data() + done, bytes.size() - done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return cannot("read", path, errno);
        if (count == 0) break;  // Cut while it was read: decoding says so.
        done += static_cast<std::size_t>(count);
    }
    bytes.resize(done);
    return bytes;
}

std::optional<Failure> replace_file(const std::string& path, const std::string& side,
                                    std::span<const std::byte> bytes) {
    Descriptor file(::open(side.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file) return cannot("make", side, errno);
    int error = write_all(file.get(), bytes);
    if (const int closed = file.close(); error == 0) error = closed;
    if (error != 0) {
        (void)::unlink(side.c_str());
        return cannot("write", side, error);
    }
    if (::rename(side.c_str(), path.c_str()) != 0) {
        error = errno;
        (void)::unlink(side.c_str());
        return cannot("rename '" + side + "' to", path, error);
    }
    return std::nullopt;
}

std::optional<Failure> sync_directory(const std::string& directory, const std::string& path) {
    const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (opened && (::fsync(opened.get()) == 0 || errno == EINVAL)) return std::nullopt;  // EINVAL: needs none.
    return cannot("make durable (the new state is in place)", path, errno);
}

void sweep(const std::string& directory, const std::string& prefix) {
    std::error_code error;
    for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error))
        if (entry->path().filename().string().starts_with(prefix)) (void)::unlink(entry->path().c_str());
}

}  // namespace muster::persist
