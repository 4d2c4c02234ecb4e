// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What one slot's part of a checkpoint is as a file, byte for byte.
/// Intuition: a head with a checksum of its own says whose part of which step it is and how long; the part follows in
/// pieces, each with its own checksum, so that damage has a place. Checksums are the writing thread's work, not the
/// engine's: lay_out() leaves room for them, seal() fills them in. Shape: the table in DESIGN.md, "Checkpoints".
/// Numbers little-endian. Units: bytes, offsets from the file's begin. Errors: CheckpointFault, nothing is half read.
/// Thread safety: pure.

#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include "core/codec.hpp"
#include "muster/types.hpp"

namespace muster::persist {

constexpr std::uint32_t kCheckpointFormat = 1;
constexpr std::size_t kCheckpointHeadSize = 56;  ///< Before the name.
constexpr std::size_t kCheckpointNameMax = 64;
constexpr std::size_t kCheckpointPiece = 1U << 20;
constexpr std::uint64_t kCheckpointPartMax = std::uint64_t{1} << 40U;

/// The parts of a step fit together where step, series and slots are the same.
struct CheckpointHead {
    Step step;
    std::uint64_t series = 0;  ///< By chance, one per round of a job: parts of two attempts at a step never mix.
    Slot slot;
    std::uint32_t slots = 0;  ///< Parts that make the step whole.
    Round round;              ///< In which it was committed. For people.
    std::string name;
    std::uint64_t size = 0;  ///< Of the part.

    bool operator==(const CheckpointHead&) const = default;
};

struct CheckpointFault {
    std::uint64_t offset = 0;
    std::string text;
};

struct CheckpointPart {
    CheckpointHead head;
    core::Bytes bytes;
};

/// Size of the file.
[[nodiscard]] std::uint64_t checkpoint_file_size(const CheckpointHead& head);
/// The file without its checksums; head.size is that of `part`.
[[nodiscard]] core::Bytes lay_out(CheckpointHead head, std::span<const std::byte> part);
void seal(std::span<std::byte> file);

/// Of the first bytes of a file, at most kCheckpointHeadSize + kCheckpointNameMax of which are looked at.
[[nodiscard]] std::variant<CheckpointHead, CheckpointFault> read_checkpoint_head(std::span<const std::byte> bytes);
[[nodiscard]] std::variant<CheckpointPart, CheckpointFault> read_checkpoint(std::span<const std::byte> file);

}  // namespace muster::persist
