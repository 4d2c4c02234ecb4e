// SPDX-License-Identifier: Apache-2.0
#include "persist/checkpoint_image.hpp"

#include <algorithm>

#include "persist/crc32c.hpp"

namespace muster::persist {
namespace {

using core::Bytes;

constexpr std::uint64_t kMagic = 0x4b435245'5453554dULL;  // "MUSTERCK", read as it lies in the file.
constexpr std::size_t kChecksumAt = 12;
constexpr std::size_t kCheckedFrom = 16;
constexpr std::size_t kNameSizeAt = 44;
constexpr std::size_t kChecksumSize = 4;

std::uint32_t number_at(std::span<const std::byte> bytes, std::size_t at) {
    return core::Reader(bytes.subspan(at, kChecksumSize)).u32();
}

void put_number(std::span<std::byte> bytes, std::size_t at, std::uint32_t number) {
    core::Writer out;
    out.u32(number);
    std::ranges::copy(out.take(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

std::size_t head_size(std::span<const std::byte> file) { return kCheckpointHeadSize + number_at(file, kNameSizeAt); }

std::uint32_t head_checksum(std::span<const std::byte> file) {
    return crc32c(file.subspan(kCheckedFrom, head_size(file) - kCheckedFrom));
}

/// Head and number are mixed in: a piece of another file, or of another place, does not fit.
std::uint32_t piece_checksum(std::span<const std::byte> piece, std::uint32_t head, std::uint64_t number) {
    return crc32c(piece) ^ (head + static_cast<std::uint32_t>(number));
}

/// Calls each(number, offset, size) for the pieces of a file whose head is whole.
template <class Each>
void for_pieces(const CheckpointHead& head, Each each) {
    std::uint64_t offset = kCheckpointHeadSize + head.name.size();
    std::uint64_t left = head.size;
    for (std::uint64_t number = 0; left > 0; ++number) {
        const auto size = std::min<std::uint64_t>(left, kCheckpointPiece);
        each(number, offset, size);
        offset += size + kChecksumSize;
        left -= size;
    }
}

CheckpointFault fault(std::uint64_t offset, std::string text) { return {offset, std::move(text)}; }

}  // namespace

std::uint64_t checkpoint_file_size(const CheckpointHead& head) {
    const auto pieces = (head.size + kCheckpointPiece - 1) / kCheckpointPiece;
    return kCheckpointHeadSize + head.name.size() + head.size + pieces * kChecksumSize;
}

Bytes lay_out(CheckpointHead head, std::span<const std::byte> part) {
    head.size = part.size();
    core::Writer out;
    out.u64(kMagic);
    out.u32(kCheckpointFormat);
    out.u32(0);
    out.id(head.step);
    out.u64(head.series);
    out.id(head.slot);
    out.u32(head.slots);
    out.id(head.round);
    out.u32(static_cast<std::uint32_t>(head.name.size()));
    out.u64(head.size);
    Bytes file = out.take();
    file.reserve(checkpoint_file_size(head));
    const auto name = std::as_bytes(std::span(head.name));
    file.insert(file.end(), name.begin(), name.end());
    for_pieces(head, [&](std::uint64_t number, std::uint64_t, std::uint64_t size) {
        const auto piece = part.subspan(number * kCheckpointPiece, size);
        file.insert(file.end(), piece.begin(), piece.end());
        file.resize(file.size() + kChecksumSize);
    });
    return file;
}

void seal(std::span<std::byte> file) {
    const auto checksum = head_checksum(file);
    put_number(file, kChecksumAt, checksum);
    const auto head = std::get<CheckpointHead>(read_checkpoint_head(file));
    for_pieces(head, [&](std::uint64_t number, std::uint64_t offset, std::uint64_t size) {
        put_number(file, offset + size, piece_checksum(file.subspan(offset, size), checksum, number));
    });
}

std::variant<CheckpointHead, CheckpointFault> read_checkpoint_head(std::span<const std::byte> bytes) {
    core::Reader in(bytes);
    const auto magic = in.u64();
    const auto format = in.u32();
    const auto checksum = in.u32();
    CheckpointHead head{.step = in.id<Step>(),
                        .series = in.u64(),
                        .slot = in.id<Slot>(),
                        .slots = in.u32(),
                        .round = in.id<Round>(),
                        .name = {}};
    const auto name_size = in.u32();
    head.size = in.u64();
    if (bytes.size() >= sizeof magic && magic != kMagic) return fault(0, "it is not one of muster's checkpoints");
    if (!in.ok()) return fault(bytes.size(), "it ends within its head");
    if (format != kCheckpointFormat)
        return fault(8, "it is of format " + std::to_string(format) + ", this muster reads format " +
                            std::to_string(kCheckpointFormat));
    if (name_size > kCheckpointNameMax) return fault(kNameSizeAt, "its head is damaged");
    if (bytes.size() < kCheckpointHeadSize + name_size) return fault(bytes.size(), "it ends within its head");
    if (checksum != head_checksum(bytes)) return fault(kCheckedFrom, "the checksum of its head does not fit");
    if (head.slot.value >= head.slots || head.size > kCheckpointPartMax) return fault(kCheckedFrom, "its head lies");
    for (const auto c : bytes.subspan(kCheckpointHeadSize, name_size)) head.name += static_cast<char>(c);
    return head;
}

std::variant<CheckpointPart, CheckpointFault> read_checkpoint(std::span<const std::byte> file) {
    const auto read = read_checkpoint_head(file);
    if (const auto* wrong = std::get_if<CheckpointFault>(&read)) return *wrong;
    CheckpointPart part{.head = std::get<CheckpointHead>(read), .bytes = {}};
    const auto size_wanted = checkpoint_file_size(part.head);
    if (file.size() < size_wanted)
        return fault(file.size(), "it ends there and should have " + std::to_string(size_wanted) + " bytes");
    if (file.size() > size_wanted) return fault(size_wanted, "it goes on behind its end");
    const auto checksum = number_at(file, kChecksumAt);
    std::optional<std::uint64_t> damaged;
    part.bytes.reserve(part.head.size);
    for_pieces(part.head, [&](std::uint64_t number, std::uint64_t offset, std::uint64_t size) {
        const auto piece = file.subspan(offset, size);
        if (!damaged && number_at(file, offset + size) != piece_checksum(piece, checksum, number)) damaged = offset;
        part.bytes.insert(part.bytes.end(), piece.begin(), piece.end());
    });
    if (damaged) return fault(*damaged, "the checksum of the piece that begins there does not fit");
    return part;
}

}  // namespace muster::persist
