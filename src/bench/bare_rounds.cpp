// SPDX-License-Identifier: Apache-2.0
#include "bench/bare_rounds.hpp"

#include <array>
#include <cstdint>
#include <optional>

#include "bench/board.hpp"
#include "bench/sleepers.hpp"
#include "mpi/ulfm.hpp"

namespace muster::bench {
namespace {

constexpr int kSettleUs = 2'000;  ///< Long after all have gone to sleep.
constexpr int kSplits = 3;        ///< As a round without several groups has: world, group, ours.

int split(MPI_Comm from, MPI_Comm& to) {
    int rank = 0;
    MPI_Comm_rank(from, &rank);
    return MPI_Comm_split(from, 0, rank, &to);
}

void free_one(MPI_Comm& comm) {
    if (comm != MPI_COMM_NULL) MPI_Comm_free(&comm);
}

int revoke_shrink_split(MPI_Comm broken) {
    MPI_Comm pool = MPI_COMM_NULL;
    std::array<MPI_Comm, kSplits> parts;
    parts.fill(MPI_COMM_NULL);
    MPIX_Comm_revoke(broken);
    int code = MPIX_Comm_shrink(broken, &pool);
    for (auto& part : parts)
        if (code == MPI_SUCCESS) code = split(pool, part);
    for (auto& part : parts) free_one(part);
    free_one(pool);
    return code;
}

/// From the earliest begin to the latest end over all members, in microseconds; known to all of them.
std::optional<double> spread(MPI_Comm comm, std::int64_t begin, std::int64_t end) {
    std::array<std::int64_t, 2> both{-begin, end};
    if (MPI_Allreduce(MPI_IN_PLACE, both.data(), 2, MPI_INT64_T, MPI_MAX, comm) != MPI_SUCCESS) return std::nullopt;
    return static_cast<double>(both[1] + both[0]) / 1e3;
}

template <class Call>
std::optional<double> time_of(MPI_Comm comm, Call&& call) {
    if (MPI_Barrier(comm) != MPI_SUCCESS) return std::nullopt;
    const auto begin = now_ns();
    if (call() != MPI_SUCCESS) return std::nullopt;
    return spread(comm, begin, now_ns());
}

std::optional<double> split_time(MPI_Comm comm) {
    MPI_Comm part = MPI_COMM_NULL;
    const auto us = time_of(comm, [&] { return split(comm, part); });
    free_one(part);
    return us;
}

std::optional<double> split_asleep_time(MPI_Comm comm) {
    int rank = 0;
    MPI_Comm_rank(comm, &rank);
    Sleepers sleepers(comm);
    if (MPI_Barrier(comm) != MPI_SUCCESS) return std::nullopt;
    if (rank == 0) pause_us(kSettleUs);
    auto begin = now_ns();
    sleepers.wake();
    if (rank != 0) begin = now_ns();  // Nobody has called anything before.
    MPI_Comm part = MPI_COMM_NULL;
    if (split(comm, part) != MPI_SUCCESS) return std::nullopt;
    const auto us = spread(comm, begin, now_ns());
    free_one(part);
    return us;
}

std::optional<double> bare_round_time(MPI_Comm comm) {
    MPI_Comm broken = MPI_COMM_NULL;
    if (MPI_Comm_dup(comm, &broken) != MPI_SUCCESS) return std::nullopt;
    MPI_Comm_set_errhandler(broken, MPI_ERRORS_RETURN);
    const auto us = time_of(comm, [&] { return revoke_shrink_split(broken); });
    free_one(broken);
    return us;
}

}  // namespace

bool bare_rounds(MPI_Comm comm, Samples& samples) {
    int rank = 0;
    MPI_Comm_rank(comm, &rank);
    const auto add = [&](const char* name, std::optional<double> us) {
        if (us && rank == 0) samples[name].push_back(*us);
        return us.has_value();
    };
    return add("split", split_time(comm)) && add("split_asleep", split_asleep_time(comm)) &&
           add("bare_round", bare_round_time(comm));
}

bool on_one_machine(MPI_Comm comm) {
    MPI_Comm machine = MPI_COMM_NULL;
    MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    int all = 0, here = 0;
    MPI_Comm_size(comm, &all);
    MPI_Comm_size(machine, &here);
    MPI_Comm_free(&machine);
    return here == all;
}

}  // namespace muster::bench
