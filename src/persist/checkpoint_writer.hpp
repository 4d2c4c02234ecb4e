// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Writes a slot's parts on a thread of its own, so that the engine pays for a copy in memory and nothing else.
/// Intuition: one part is being written and at most one waits; a newer one takes the waiting one's place, since a disk
/// that is slower than the saves would otherwise fill the memory. Checksums are reckoned here too.
/// Errors: each failure is told to `say` at once, and is the answer of the next take_failure(). The writer goes on.
/// The thread shares what it needs with this object: where a disk stands still beyond the deadline of close(), it is
/// left behind and does no harm. Units: milliseconds. Thread safety: all calls from one thread.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "persist/checkpoint_directory.hpp"

namespace muster::persist {

class CheckpointWriter {
public:
    /// Slot 0's writer also prunes to `keep` steps after each of its parts.
    CheckpointWriter(CheckpointDirectory directory, std::uint32_t keep, Say say,
                     std::chrono::milliseconds close_deadline);
    ~CheckpointWriter();  ///< Writes what waits, until the deadline.
    CheckpointWriter(const CheckpointWriter&) = delete;
    CheckpointWriter& operator=(const CheckpointWriter&) = delete;

    /// `file` as lay_out() has made it.
    void put(CheckpointHead head, Bytes file);
    /// The first failure since the last call.
    [[nodiscard]] std::optional<Failure> take_failure();
    /// True once nothing waits and nothing is being written.
    [[nodiscard]] bool wait_idle(std::chrono::milliseconds deadline);

private:
    struct Shared;
    static void work(const std::shared_ptr<Shared>& shared);
    std::shared_ptr<Shared> shared_;
    std::chrono::milliseconds close_deadline_;
    std::thread thread_;
};

}  // namespace muster::persist
