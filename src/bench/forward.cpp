// SPDX-License-Identifier: Apache-2.0
#include "bench/forward.hpp"

#include <algorithm>
#include <limits>

#include "bench/board.hpp"

namespace muster::bench {

void Forward::operator()() {
    // Each round needs the one before: nothing can be left out or done at once. Touches no memory.
    std::uint64_t value = value_;
    for (std::int64_t round = 0; round < rounds_; ++round)
        value = (value ^ (value >> 29)) * 0x9E3779B97F4A7C15ULL + static_cast<std::uint64_t>(round);
    // The compiler shall believe that somebody looks at it.
    asm volatile("" : : "r"(value));
    value_ = value;
}

Forward Forward::calibrated(double microseconds, MPI_Comm comm) {
    Forward forward;
    if (microseconds <= 0) return forward;
    // Short and often: the shortest of them was not disturbed, also where ranks share a core.
    constexpr std::int64_t kRounds = 100'000;
    constexpr int kTries = 40;
    forward.rounds_ = kRounds;
    std::int64_t shortest = std::numeric_limits<std::int64_t>::max();
    for (int attempt = 0; attempt < kTries; ++attempt) {
        const auto start = now_ns();
        forward();
        shortest = std::min(shortest, std::max<std::int64_t>(1, now_ns() - start));
    }
    forward.rounds_ = static_cast<std::int64_t>(microseconds * 1e3 / static_cast<double>(shortest) * kRounds);
    MPI_Allreduce(MPI_IN_PLACE, &forward.rounds_, 1, MPI_INT64_T, MPI_MIN, comm);
    return forward;
}

}  // namespace muster::bench
