// SPDX-License-Identifier: Apache-2.0
#include "persist/file_backend.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "persist/descriptor.hpp"
#include "persist/file_lock.hpp"
#include "persist/files.hpp"
#include "persist/system_failure.hpp"

namespace muster::persist {

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
    auto bytes = read_all(file.get(), "state file", path_, kStateHeaderSize + kStateMax);
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
    const auto next = random_number();
    if (!next) return cannot("draw a token for", path_, errno);
    StateImage written{Token{*next}, there ? there->changes + 1 : 1, Bytes(state.begin(), state.end())};
    if (auto failure = replace(encode(written))) return std::move(*failure);
    return Written{std::move(written.state), written.token, true};
}

/// Under the lock. What is stored is the old image or the new one at every moment.
std::optional<Failure> FileBackend::replace(std::span<const std::byte> image) {
    if (!swept_.exchange(true)) sweep(directory_, base_ + ".new.");
    const std::string side = directory_ + "/" + base_ + ".new." + this_process() + "." + std::to_string(++sides_);
    if (auto failure = replace_file(path_, side, image)) return failure;
    return sync_directory(directory_, path_);
}

void FileBackend::discard() {
    (void)::unlink(path_.c_str());
    (void)::unlink(lock_path().c_str());
}

}  // namespace muster::persist
