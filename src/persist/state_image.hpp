// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the state's file holds, byte for byte.
/// Shape: magic "MUSTERRS", format (4 bytes), CRC-32C of all that follows it (4), token (8), changes (8), size of the
/// state (8), the state; numbers little-endian; nothing behind it. The format goes up when an older muster could not
/// read it. Errors: anything else is Failure::corrupt_state, which says what is wrong and names the file.
/// Thread safety: pure.

#include <cstdint>
#include <span>
#include <string>

#include "persist/backend.hpp"

namespace muster::persist {

constexpr std::uint32_t kStateFormat = 1;
constexpr std::size_t kStateHeaderSize = 40;
constexpr std::size_t kStateMax = 64U << 20;  ///< Bytes of a state; 5,000 + 5,000 nodes take 1.6 MB.

struct StateImage {
    Token token;
    std::uint64_t changes = 0;  ///< How many sets were accepted, this one too. For people and tests.
    Bytes state;
};

[[nodiscard]] Bytes encode(const StateImage& image);
[[nodiscard]] Or<StateImage> decode_state_image(std::span<const std::byte> bytes, const std::string& path);

}  // namespace muster::persist
