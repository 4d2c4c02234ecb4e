// SPDX-License-Identifier: Apache-2.0
#pragma once
/// CRC-32C (Castagnoli): tells a torn or damaged file from a whole one; no defence against intent.
/// Source: RFC 3720, appendix B.4 (the test has its examples). Thread safety: pure.

#include <cstddef>
#include <cstdint>
#include <span>

namespace muster::persist {

[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes);

/// Whether one turned bit in `size` bytes, up to the end of what was checked, changes the CRC by `difference` (xor).
/// A damaged bit looks like this, a write that was broken off does not.
[[nodiscard]] bool is_one_bit(std::uint32_t difference, std::size_t size);

}  // namespace muster::persist
