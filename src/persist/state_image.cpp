// SPDX-License-Identifier: Apache-2.0
#include "persist/state_image.hpp"

#include <algorithm>

#include "persist/crc32c.hpp"

namespace muster::persist {
namespace {

constexpr std::uint64_t kMagic = 0x5352524554'53554dULL;  // "MUSTERRS", read as it lies in the file.
constexpr std::size_t kCheckedFrom = 16;                  // The CRC covers everything from here on.

std::span<const std::byte> checked(std::span<const std::byte> bytes) { return bytes.subspan(kCheckedFrom); }

Failure corrupt(const std::string& path, const std::string& what) {
    return {Failure::corrupt_state, "the state file '" + path + "' " + what};
}

}  // namespace

Bytes encode(const StateImage& image) {
    core::Writer body;
    body.id(image.token);
    body.u64(image.changes);
    body.u64(image.state.size());
    Bytes rest = body.take();
    rest.insert(rest.end(), image.state.begin(), image.state.end());
    core::Writer head;
    head.u64(kMagic);
    head.u32(kStateFormat);
    head.u32(crc32c(rest));
    Bytes bytes = head.take();
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    return bytes;
}

Or<StateImage> decode_state_image(std::span<const std::byte> bytes, const std::string& path) {
    core::Reader in(bytes);
    const auto magic = in.u64();
    const auto format = in.u32();
    const auto crc = in.u32();
    StateImage image;
    image.token = in.id<Token>();
    image.changes = in.u64();
    const auto size = in.u64();
    if (bytes.size() < sizeof kMagic || magic != kMagic) return corrupt(path, "is not one of muster's");
    if (!in.ok()) return corrupt(path, "is torn: " + std::to_string(bytes.size()) + " bytes are less than a header");
    if (format != kStateFormat)
        return corrupt(path, "is of format " + std::to_string(format) + "; this muster reads format " +
                                 std::to_string(kStateFormat));
    if (size != bytes.size() - kStateHeaderSize)
        return corrupt(path, "is torn: it has " + std::to_string(bytes.size() - kStateHeaderSize) +
                                 " bytes of state where its header says " + std::to_string(size));
    if (crc != crc32c(checked(bytes))) return corrupt(path, "is damaged: its checksum does not fit its contents");
    const auto state = bytes.subspan(kStateHeaderSize);
    image.state.assign(state.begin(), state.end());
    return image;
}

}  // namespace muster::persist
