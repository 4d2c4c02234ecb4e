// SPDX-License-Identifier: Apache-2.0
#pragma once
/// All chance of a machine comes from one of these, and it from a seed: the same seed gives the same run on every
/// computer (the standard library's distributions would not). Generator: splitmix64. Thread safety: none.

#include <cstddef>
#include <cstdint>

namespace muster::core {

class Dice {
public:
    /// The seed is mixed too: a multiple of the step would give the next seed the same throws, one throw later.
    explicit Dice(std::uint64_t seed) : state_(mixed(seed + 0x632be59bd9b4e019ULL)) {}

    [[nodiscard]] std::uint64_t next() { return mixed(state_ += 0x9e3779b97f4a7c15ULL); }
    /// 0 .. count-1; count is at least 1 and below 2^32.
    [[nodiscard]] std::uint32_t below(std::uint64_t count) {
        return static_cast<std::uint32_t>(((next() >> 32) * count) >> 32);
    }
    [[nodiscard]] std::uint32_t between(std::uint32_t first, std::uint32_t last) {
        return first + below(std::uint64_t{last} - first + 1);
    }
    /// In [0, 1).
    [[nodiscard]] double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
    /// True with this probability. Zero and below cost no throw, so that a faultless run is not slowed down.
    [[nodiscard]] bool chance(double probability) { return probability > 0 && unit() < probability; }

private:
    [[nodiscard]] static std::uint64_t mixed(std::uint64_t value) {
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
        value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
        return value ^ (value >> 31);
    }
    std::uint64_t state_;
};

}  // namespace muster::core
