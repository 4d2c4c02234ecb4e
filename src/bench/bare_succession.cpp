// SPDX-License-Identifier: Apache-2.0
#include <mpi.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <vector>

#include "bench/board.hpp"
#include "bench/succession.hpp"
#include "mpi/ulfm.hpp"

namespace muster::bench {
namespace {

constexpr int kStepUs = 1'000;
constexpr int kSettleUs = 30'000;

/// Until somebody dies.
void run_steps(MPI_Comm pool) {
    for (int mine = 1, sum = 0; MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, pool) == MPI_SUCCESS;)
        pause_us(kStepUs);
}

/// The process of the pool's first rank; 0: the pool is broken.
pid_t first_of(MPI_Comm pool) {
    std::int64_t first = ::getpid();
    return MPI_Bcast(&first, 1, MPI_INT64_T, 0, pool) == MPI_SUCCESS ? static_cast<pid_t>(first) : 0;
}

}  // namespace

Samples bare_successions(const SuccessionSettings& settings) {
    Samples samples;
    int rank = 0, size = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    const bool kills = rank == size - 1;
    MPI_Comm pool = MPI_COMM_WORLD;
    for (int death = 0; death < settings.deaths; ++death) {
        const auto victim = first_of(pool);
        if (victim == 0 || MPI_Barrier(pool) != MPI_SUCCESS) return samples;
        std::int64_t killed = 0;
        if (kills) {
            pause_us(kSettleUs);  // The others are in their allreduce by now.
            killed = now_ns();
            ::kill(victim, SIGKILL);
        }
        run_steps(pool);
        const auto noticed = now_ns();
        MPI_Comm next = MPI_COMM_NULL;
        MPIX_Comm_revoke(pool);
        if (MPIX_Comm_shrink(pool, &next) != MPI_SUCCESS) return samples;
        const auto shrunk = now_ns();
        MPI_Comm_set_errhandler(next, MPI_ERRORS_RETURN);
        if (pool != MPI_COMM_WORLD) MPI_Comm_free(&pool);
        pool = next;
        if (!kills) continue;
        const auto add = [&](const char* name, std::int64_t from, std::int64_t to) {
            samples[name].push_back(static_cast<double>(to - from) / 1e3);
        };
        add("bare_detection", killed, noticed);
        add("bare_shrink", noticed, shrunk);
        add("bare", killed, shrunk);
    }
    // Nobody exits while others are still at it.
    MPI_Barrier(pool);
    return samples;
}

}  // namespace muster::bench
