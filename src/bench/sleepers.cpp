// SPDX-License-Identifier: Apache-2.0
#include "bench/sleepers.hpp"

namespace muster::bench {
namespace {

constexpr int kFanOut = 4;      ///< As Config::fan_out.
constexpr int kTickMs = 1'000;  ///< A ring that is lost would show in the maximum.

}  // namespace

Sleepers::Sleepers(MPI_Comm comm) {
    MPI_Comm_rank(comm, &rank_);
    MPI_Comm_size(comm, &size_);
    bells_.resize(static_cast<std::size_t>(size_));
    const auto mine = bell_.address();
    MPI_Allgather(&mine, sizeof mine, MPI_BYTE, bells_.data(), sizeof mine, MPI_BYTE, comm);
}

void Sleepers::wake() {
    if (rank_ != 0) (void)bell_.wait(kTickMs);
    for (int child = kFanOut * rank_ + 1; child <= kFanOut * rank_ + kFanOut && child < size_; ++child)
        bell_.ring(bells_[static_cast<std::size_t>(child)], /*same_node=*/true);
}

}  // namespace muster::bench
