// SPDX-License-Identifier: Apache-2.0
#include "persist/crc32c.hpp"

#include <array>

namespace muster::persist {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Castagnoli's, bits reversed.

constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t rest = byte;
        for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1U) ^ ((rest & 1U) != 0 ? kPolynomial : 0);
        table[byte] = rest;
    }
    return table;
}();

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes) {
    std::uint32_t crc = ~0U;
    for (const std::byte b : bytes) crc = (crc >> 8U) ^ kTable[(crc ^ std::to_integer<std::uint32_t>(b)) & 0xffU];
    return ~crc;
}

/// A CRC is linear: what a turned bit changes depends only on how many bytes are behind it.
bool is_one_bit(std::uint32_t difference, std::size_t size) {
    for (unsigned bit = 0; bit < 8; ++bit) {
        std::uint32_t change = kTable[1U << bit];
        for (std::size_t behind = 0; behind < size; ++behind) {
            if (change == difference) return true;
            change = (change >> 8U) ^ kTable[change & 0xffU];
        }
    }
    return false;
}

}  // namespace muster::persist
