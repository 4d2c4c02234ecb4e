// SPDX-License-Identifier: Apache-2.0
#include "persist/file_backend.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include "persist/descriptor.hpp"
#include "persist/file_lock.hpp"
#include "persist/system_failure.hpp"

namespace muster::persist {
namespace {

std::string as_file_name(const std::string& run_id) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    std::string name;
    for (const char c : run_id) {
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        const auto value = static_cast<unsigned char>(c);
        if (plain) name += c;
        if (!plain) name += {'%', kDigits[value >> 4U], kDigits[value & 15U]};
    }
    return name;
}

Or<Bytes> read_all(int file, const std::string& path) {
    struct stat status {};
    if (::fstat(file, &status) != 0) return cannot("look at", path, errno);
    if (!S_ISREG(status.st_mode) || static_cast<std::uint64_t>(status.st_size) > kStateHeaderSize + kStateMax)
        return Failure{Failure::corrupt_state, "the state file '" + path + "' is not one of muster's"};
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

/// By chance, so that it never comes again, also where the file was removed and a new one begins.
std::optional<Token> new_token() {
    std::uint64_t number = 0;
    if (::getrandom(&number, sizeof number, 0) != sizeof number) return std::nullopt;
    return Token{number};
}

std::string this_process() {
    std::array<char, 256> host{};
    (void)::gethostname(host.data(), host.size() - 1);
    return as_file_name(host.data()) + "." + std::to_string(::getpid());
}

}  // namespace

FileBackend::FileBackend(const FileBackendSettings& settings)
    : directory_(settings.directory),
      base_("muster-" + as_file_name(settings.run_id)),
      path_(directory_ + "/" + base_ + ".state"),
      lock_deadline_(settings.lock_deadline) {}

Or<std::optional<StateImage>> FileBackend::read() const {
    // O_NONBLOCK: somebody's FIFO of this name is to be an error and no wait.
    const Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) {
        const int error = errno;
        if (error != ENOENT) return cannot("open the state file", path_, error);
        const Descriptor directory(::open(directory_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!directory) return cannot("open the directory", directory_, errno);
        return std::nullopt;
    }
    auto bytes = read_all(file.get(), path_);
    if (auto* failure = std::get_if<Failure>(&bytes)) return std::move(*failure);
    auto image = decode_state_image(std::get<Bytes>(bytes), path_);
    if (auto* failure = std::get_if<Failure>(&image)) return std::move(*failure);
    return std::optional(std::move(std::get<StateImage>(image)));
}

Or<std::optional<Stored>> FileBackend::get() {
    auto image = read();
    if (auto* failure = std::get_if<Failure>(&image)) return std::move(*failure);
    auto& there = std::get<std::optional<StateImage>>(image);
    if (!there) return std::nullopt;
    return Stored{std::move(there->state), there->token};
}

Or<std::optional<Written>> FileBackend::set(std::span<const std::byte> state, std::optional<Token> token) {
    if (state.size() > kStateMax)
        return Failure{Failure::connection, "cannot write '" + path_ + "': a state of " + std::to_string(state.size()) +
                                                " bytes is larger than " + std::to_string(kStateMax)};
    const auto lock = FileLock::lock(lock_path(), lock_deadline_);
    if (const auto* failure = std::get_if<Failure>(&lock)) return *failure;
    auto image = read();
    if (auto* failure = std::get_if<Failure>(&image)) return std::move(*failure);
    auto& there = std::get<std::optional<StateImage>>(image);
    if (!there && token) return std::nullopt;
    if (there && token != there->token) return Written{std::move(there->state), there->token, false};
    const auto next = new_token();
    if (!next) return cannot("draw a token for", path_, errno);
    StateImage written{*next, there ? there->changes + 1 : 1, Bytes(state.begin(), state.end())};
    if (auto failure = replace(encode(written))) return std::move(*failure);
    return Written{std::move(written.state), written.token, true};
}

/// Under the lock. What is stored is the old image or the new one at every moment.
std::optional<Failure> FileBackend::replace(std::span<const std::byte> image) {
    sweep();
    const std::string side = directory_ + "/" + base_ + ".new." + this_process() + "." + std::to_string(++sides_);
    Descriptor file(::open(side.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file) return cannot("make", side, errno);
    int error = write_all(file.get(), image);
    if (const int closed = file.close(); error == 0) error = closed;
    if (error != 0) {
        (void)::unlink(side.c_str());
        return cannot("write", side, error);
    }
    if (::rename(side.c_str(), path_.c_str()) != 0) {
        error = errno;
        (void)::unlink(side.c_str());
        return cannot("rename '" + side + "' to", path_, error);
    }
    return sync_directory();
}

void FileBackend::discard() {
    (void)::unlink(path_.c_str());
    (void)::unlink(lock_path().c_str());
}

/// So that the rename outlives a crash of the machine.
std::optional<Failure> FileBackend::sync_directory() const {
    const Descriptor directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory && (::fsync(directory.get()) == 0 || errno == EINVAL)) return std::nullopt;  // EINVAL: needs none.
    return cannot("make durable (the new state is in place)", path_, errno);
}

/// Under the lock nobody else writes to the side: what lies there was left by the dead. Once for each object.
void FileBackend::sweep() {
    if (swept_.exchange(true)) return;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(directory_, error), end; !error && entry != end;
         entry.increment(error))
        if (entry->path().filename().string().starts_with(base_ + ".new.")) (void)::unlink(entry->path().c_str());
}

}  // namespace muster::persist
