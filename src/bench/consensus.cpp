// SPDX-License-Identifier: Apache-2.0
#include "bench/consensus.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <utility>
#include <vector>

#include "bench/board.hpp"
#include "bench/forward.hpp"
#include "muster/mpi.hpp"
#include "muster/session.hpp"

namespace muster::bench {
namespace {

constexpr int kTurnsPerBlock = 25;
constexpr int kCallsPerBlock = 250;

/// One thing that is done again and again. False: it broke off.
struct Variant {
    const char* name;
    std::function<bool()> once;
};

/// Runs variants in blocks on all members of a communicator.
class Blocks {
public:
    explicit Blocks(MPI_Comm comm) : comm_(comm) {
        MPI_Comm_rank(comm_, &rank_);
        MPI_Comm_size(comm_, &size_);
    }

    /// `blocks` of each, in turn, each time another one first: what else the machine does meets all of them.
    bool run(std::vector<Variant> variants, int blocks, int times_per_block) {
        for (int block = 0; block < blocks; ++block) {
            for (const auto& variant : variants)
                if (!run_block(variant, times_per_block)) return false;
            std::rotate(variants.begin(), variants.begin() + 1, variants.end());
        }
        return true;
    }

    [[nodiscard]] Samples take() { return std::move(samples_); }

private:
    bool run_block(const Variant& variant, int times) {
        MPI_Barrier(comm_);
        const auto start = now_ns();
        for (int i = 0; i < times; ++i)
            if (!variant.once()) return false;
        double us = static_cast<double>(now_ns() - start) / 1e3 / times;
        MPI_Allreduce(MPI_IN_PLACE, &us, 1, MPI_DOUBLE, MPI_SUM, comm_);
        if (rank_ == 0) samples_[variant.name].push_back(us / size_);
        return true;
    }

    MPI_Comm comm_;
    int rank_ = 0, size_ = 1;
    Samples samples_;
};

/// The bare call that agrees on what a vote agrees on.
bool agree_bare(MPI_Comm comm) {
    const std::array<std::int64_t, 4> mine{1, 0, 7, -7};
    std::array<std::int64_t, 4> all{};
    return MPI_Allreduce(mine.data(), all.data(), 4, MPI_INT64_T, MPI_MAX, comm) == MPI_SUCCESS;
}

Samples alone(const ConsensusSettings& settings, Forward& forward) {
    Blocks blocks(MPI_COMM_WORLD);
    blocks.run({{"forward_alone", [&] { return forward(), true; }}}, settings.turns / kTurnsPerBlock, kTurnsPerBlock);
    return blocks.take();
}

Samples in_session(const ConsensusSettings& settings, Forward& forward, Session& session) {
    // Of the same kind as the one that muster votes on: made from the world, with the same members.
    MPI_Comm comm = MPI_COMM_NULL;
    MPI_Comm_dup(communicator(session), &comm);
    Blocks blocks(comm);
    const auto next = [&] { return session.next().kind == Turn::forward; };
    const int count = std::max(1, settings.turns / kTurnsPerBlock);
    const bool whole =
        blocks.run({{"allreduce", [&] { return agree_bare(comm); }}, {"next", next}}, count, kCallsPerBlock) &&
        blocks.run({{"forward", [&] { return forward(), true; }},
                    {"forward_allreduce", [&] { return agree_bare(comm) && (forward(), true); }},
                    {"turn", [&] { return next() && (forward(), true); }}},
                   count, kTurnsPerBlock);
    if (whole) MPI_Barrier(comm);
    MPI_Comm_free(&comm);
    return blocks.take();
}

}  // namespace

Samples consensus_turns(const ConsensusSettings& settings) {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    auto forward = Forward::calibrated(settings.forward_us, MPI_COMM_WORLD);
    auto samples = alone(settings, forward);
    auto from_launcher = Config::from_environment();
    Config config = from_launcher ? *from_launcher : Config{};
    config.work = Work::always;
    auto session = Session::join(std::move(config));
    if (!session) {
        std::fprintf(stderr, "muster-bench: rank %d: %s\n", rank, session.error().text.c_str());
        return {};
    }
    if (session->next().kind == Turn::rebuilt) samples.merge(in_session(settings, forward, *session));
    session->leave();
    if (session->ending().code != ExitCode::finished)
        std::fprintf(stderr, "muster-bench: rank %d: %s\n", rank, session->ending().reason.c_str());
    return samples;
}

}  // namespace muster::bench
