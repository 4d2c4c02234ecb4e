// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Changes of what a controller is to run: muster's way beside a bare MPI loop that moves the same bytes and writes as
/// often to the same directory.

#include <array>
#include <cstddef>
#include <string>

#include "bench/samples.hpp"

namespace muster::bench {

struct ChangeSettings {
    int changes = 2'000;      ///< A block with `window` open.
    int window = 64;          ///< Calls open at once, each on a thread of its own.
    int blocks = 5;           ///< Of each kind.
    int followers = 2;        ///< Of the session.
    std::string directory{};  ///< Where the session writes its journals; empty: nowhere.
    bool sync = false;        ///< Each record is on the disk before anything follows from it.

    /// A block with one open: a quarter, since each takes longer.
    [[nodiscard]] int singles() const { return changes > 4 ? changes / 4 : 1; }
};

/// The last rank calls, rank 0 coordinates. Rows, on the last rank: window, single: microseconds a change, with
/// `window` calls open and with one, half of them update_backend_config and half set_traffic, each of them a real
/// change; one sample a block. bare_window, bare_single: as bare_changes() says. Collective over MPI_COMM_WORLD, in
/// which no session has been. Errors: no rows: the job broke off, and stderr says why.
[[nodiscard]] Samples controller_changes(const ChangeSettings& settings);

/// Bytes that a change moves through muster, as they go out.
struct ChangeBytes {
    std::size_t ask = 0, copy = 0, kept = 0, told = 0, record = 0;
};
/// Of an update_backend_config, and of a set_traffic.
[[nodiscard]] std::array<ChangeBytes, 2> bytes_of_changes();

/// The last rank's message to rank 0, from there to its followers (the ranks after it), from each of them back, from
/// rank 0 back. With a directory rank 0 writes the record before it sends it on, and a follower before it answers; rows
/// bare_write or bare_fsync: one such write by itself. Samples on the last rank. Collective over MPI_COMM_WORLD.
/// False: a file cannot be written, and stderr says why.
[[nodiscard]] bool bare_changes(const ChangeSettings& settings, Samples& samples);

}  // namespace muster::bench
