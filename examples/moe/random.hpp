// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Random numbers as a pure function of what they are for, so that any rank can draw any of them at any time.

#include <cstdint>

namespace moe {

/// Mixes a 64-bit number well (the finaliser of splitmix64).
inline std::uint64_t mixed(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/// The random number named by (seed, a, b): equal names give equal numbers.
inline std::uint64_t random_bits(std::uint64_t seed, std::uint64_t a, std::uint64_t b) {
    return mixed(mixed(mixed(seed) ^ a) ^ b);
}

/// Uniform in [-1, 1), exact in float.
inline float random_unit(std::uint64_t seed, std::uint64_t a, std::uint64_t b) {
    return static_cast<float>(random_bits(seed, a, b) >> 40) * 0x1p-23F - 1.0F;
}

}  // namespace moe
