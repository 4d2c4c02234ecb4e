// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Memory that the library gives back to the system while the job is SUSPENDED, and restores at the same address.
/// Intuition: weights are kept (written aside), caches are not (they come back as zeros). Addresses stay valid: only
/// the pages behind them go. Touching them while they are released is a bug and ends the process (SIGSEGV); what was
/// written there would be lost.
/// Contents are kept on whatever file system `directory` is: on a tmpfs they stay in memory.
/// Thread safety: engine thread only. Errors: state_lost where the kept contents cannot be read back (restore() may be
/// tried again).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "muster/types.hpp"

namespace muster {

class Buffer {
public:
    enum class Kind {
        keep,     ///< Contents are written to a file in `directory` (unlinked at once; empty: TMPDIR, else /tmp) and
                  ///< read back.
        discard,  ///< Contents are dropped; the buffer is all zeros after a resume.
    };
    /// Allocates `size` bytes of zeros, rounded up to whole pages. Errors: internal, with the system's words (also
    /// where `size` is 0 or contents cannot be kept in `directory`).
    [[nodiscard]] static Result<Buffer> allocate(std::size_t size, Kind kind, std::string directory = {});

    Buffer(Buffer&&) noexcept;
    Buffer& operator=(Buffer&&) noexcept;
    ~Buffer();

    [[nodiscard]] std::span<std::byte> bytes();  ///< `size` of them, at the same address for the buffer's life.
    [[nodiscard]] bool released() const;
    /// Gives the pages back. A repeat does nothing. Errors: internal (no room for the contents: nothing is released).
    [[nodiscard]] Result<Done> release();
    /// Takes them again. A repeat does nothing. Errors: state_lost.
    [[nodiscard]] Result<Done> restore();

private:
    struct Held;
    explicit Buffer(std::unique_ptr<Held> held);
    std::unique_ptr<Held> held_;
};

}  // namespace muster
