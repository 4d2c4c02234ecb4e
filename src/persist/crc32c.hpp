// SPDX-License-Identifier: Apache-2.0
#pragma once
/// CRC-32C (Castagnoli): tells a torn or damaged file from a whole one; no defence against intent.
/// Source: RFC 3720, appendix B.4 (the test has its examples). Thread safety: pure.

#include <cstddef>
#include <cstdint>
#include <span>

namespace muster::persist {

[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes);

}  // namespace muster::persist
