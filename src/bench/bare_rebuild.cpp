// SPDX-License-Identifier: Apache-2.0
#include <mpi.h>

#include "bench/rebuild.hpp"
#include "mpi/ulfm.hpp"

namespace muster::bench {
namespace {

constexpr int kStandbyPollUs = 200;
constexpr int kSettleUs = 50'000;
constexpr int kStepUs = 1'000;
constexpr int kStepsBetweenDeaths = 30;

/// The communicators of one round, as muster has them (mpi/round_comms.hpp). Freed as soon as the next pool is there.
class BareRound {
public:
    explicit BareRound(int engines) : engines_(engines) {}

    [[nodiscard]] bool is_engine() const { return engine_; }
    [[nodiscard]] MPI_Comm pool() const { return pool_; }
    [[nodiscard]] MPI_Comm world() const { return world_; }

    void revoke() const {
        for (const MPI_Comm comm : {pool_, world_, group_, ours_})
            if (comm != MPI_COMM_NULL) MPIX_Comm_revoke(comm);
    }

    int shrink_from(MPI_Comm broken) {
        MPI_Comm pool = MPI_COMM_NULL;
        if (const int code = MPIX_Comm_shrink(broken, &pool)) return code;
        free_all();
        pool_ = pool;
        return MPI_Comm_set_errhandler(pool_, MPI_ERRORS_RETURN);
    }

    /// The first `engines` of the pool are the world: a hole is filled by the first standby, as the pool keeps its
    /// order.
    int build() {
        int place = 0;
        MPI_Comm_rank(pool_, &place);
        engine_ = place < engines_;
        const int color = engine_ ? 0 : MPI_UNDEFINED;
        if (const int code = split(pool_, color, place, world_)) return code;
        if (const int code = split(pool_, color, place, group_)) return code;
        return split(pool_, color, place, ours_);
    }

private:
    static int split(MPI_Comm from, int color, int key, MPI_Comm& to) {
        const int code = MPI_Comm_split(from, color, key, &to);
        if (code == MPI_SUCCESS && to != MPI_COMM_NULL) MPI_Comm_set_errhandler(to, MPI_ERRORS_RETURN);
        return code;
    }
    void free_all() {
        for (MPI_Comm* comm : {&pool_, &world_, &group_, &ours_})
            if (*comm != MPI_COMM_NULL) MPI_Comm_free(comm);
    }

    int engines_;
    bool engine_ = false;
    MPI_Comm pool_ = MPI_COMM_NULL, world_ = MPI_COMM_NULL, group_ = MPI_COMM_NULL, ours_ = MPI_COMM_NULL;
};

/// Steps of the world until somebody dies (an error, returned) or `steps` are done. The victim dies inside the last.
int run_steps(const BareRound& round, int steps, bool victim, Board& board, std::size_t death) {
    for (int step = 0; step < steps; ++step) {
        pause_us(kStepUs);
        if (victim && step == steps - 1) {
            pause_us(2 * kStepUs);  // the others are in their allreduce by now
            die(board, death);
        }
        int mine = step, sum = 0;
        if (const int code = MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, round.world())) return code;
    }
    return MPI_SUCCESS;
}

/// A standby's wait: until the pool says that somebody died.
int wait_parked(const BareRound& round) {
    static int nothing = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    int code = MPI_Irecv(&nothing, 1, MPI_INT, MPI_ANY_SOURCE, 7, round.pool(), &request);
    while (code == MPI_SUCCESS) {
        int arrived = 0;
        code = MPI_Test(&request, &arrived, MPI_STATUS_IGNORE);
        if (code == MPI_SUCCESS) pause_us(kStandbyPollUs);
    }
    if (request != MPI_REQUEST_NULL) {
        MPI_Cancel(&request);
        MPI_Request_free(&request);
    }
    return code;
}

}  // namespace

Samples bare_rebuilds(const RebuildSettings& settings, Board& board) {
    Samples samples;
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    BareRound round(settings.engines);
    if (round.shrink_from(MPI_COMM_WORLD) || round.build()) return samples;
    for (int death = 0; death < settings.deaths; ++death) {
        const auto entry = static_cast<std::size_t>(death);
        if (round.is_engine()) {
            int slot = 0;
            MPI_Comm_rank(round.world(), &slot);
            const int victim = 1 + death % (settings.engines - 1);
            run_steps(round, kStepsBetweenDeaths, slot == victim, board, entry);
        } else {
            wait_parked(round);
        }
        const auto noticed = now_ns();
        round.revoke();
        const MPI_Comm broken = round.pool();
        if (round.shrink_from(broken)) return samples;
        const auto shrunk = now_ns();
        if (round.build()) return samples;
        const auto built = now_ns();
        int mine = 1, sum = 0;
        if (round.is_engine() && MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, round.world())) return samples;
        const auto stepped = now_ns();
        // Nobody may exit while others are still at it; and who waits for that does not take their cores.
        if (!round.is_engine()) pause_us(kSettleUs);
        MPI_Barrier(round.pool());
        if (rank != 0) continue;
        const auto add = [&](const char* name, std::int64_t from, std::int64_t to) {
            samples[name].push_back(static_cast<double>(to - from) / 1e3);
        };
        add("bare_detection", board.killed_at.at(entry), noticed);
        add("bare_shrink", noticed, shrunk);
        add("bare_build", shrunk, built);
        add("bare", noticed, stepped);
    }
    return samples;
}

}  // namespace muster::bench
