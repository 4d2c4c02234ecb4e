// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A forward that computes: the same work each time, not the same time, so that whatever takes the core away from it
/// shows.

#include <mpi.h>

#include <cstdint>

namespace muster::bench {

class Forward {
public:
    /// So much work that it takes `microseconds` here when nothing disturbs it, the same on all members of `comm`.
    /// Collective. 0 microseconds: no work.
    [[nodiscard]] static Forward calibrated(double microseconds, MPI_Comm comm);

    void operator()();

private:
    std::int64_t rounds_ = 0;
    std::uint64_t value_ = 1;
};

}  // namespace muster::bench
