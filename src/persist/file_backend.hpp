// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A rendezvous state in a file on a shared file system: read, and changed by compare and swap.
/// Intuition: who changes it holds the lock beside it, looks whether the version is the one it has read, writes the new
/// one to the side, makes it durable and renames it into place. So a reader needs no lock, and finds the old version or
/// the new one and never half of it, whoever is killed when; a full disk changes nothing.
/// Shape: DIRECTORY/muster-RUN_ID.state, .lock (stays), .new.HOST.PID.N (short-lived; what killed writers have left is
/// removed by the next FileBackend that writes). Units: bytes, milliseconds.
/// Errors: Failure::connection (no directory, no permission, no space, lock held until the deadline) and
/// Failure::corrupt_state (torn, damaged, another format, not muster's: left as it is, for a person to look at); each
/// names the path, and the stored state is as it was, but where a text says otherwise.
/// File systems: local ones; NFS 4, where locks and opens are the server's (not `local_lock=all`; NFS 3 needs lockd and
/// `lookupcache=none`, and may say "Stale file handle": call again); Lustre with the mount option `flock`. A file
/// system that stands still stands still here too: calls into the kernel have no deadline.
/// Thread safety: all calls from any thread. Source: acceptance T4; see DESIGN.md, "Store and file backend".

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "persist/backend.hpp"
#include "persist/state_image.hpp"

namespace muster::persist {

struct FileBackendSettings {
    std::string directory;  ///< Must exist, the same for all, writable.
    std::string run_id;     ///< Any text; what a file name cannot hold is written as %XX.
    std::chrono::milliseconds lock_deadline{10'000};
};

class FileBackend : public core::rendezvous::Backend {
public:
    explicit FileBackend(const FileBackendSettings& settings);

    [[nodiscard]] const char* name() const override { return "file"; }
    [[nodiscard]] Or<std::optional<Stored>> get() override;
    [[nodiscard]] Or<std::optional<Written>> set(std::span<const std::byte> state, std::optional<Token> token) override;

    /// Takes the state and its lock away; for a state that nobody changes any more. What is not there is no error.
    void discard();

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string lock_path() const { return directory_ + "/" + base_ + ".lock"; }

private:
    [[nodiscard]] Or<std::optional<StateImage>> read() const;
    [[nodiscard]] std::optional<Failure> replace(std::span<const std::byte> image);

    std::string directory_, base_, path_;
    std::chrono::milliseconds lock_deadline_;
    std::atomic<std::uint64_t> sides_{0};  ///< Files written to the side by this object.
    std::atomic<bool> swept_{false};
};

}  // namespace muster::persist
