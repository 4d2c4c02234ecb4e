// SPDX-License-Identifier: Apache-2.0
#include "bench/pause.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "bench/board.hpp"
#include "bench/serving.hpp"
#include "bench/sleepers.hpp"

namespace muster::bench {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
constexpr int kCyclesPerBlock = 10;
constexpr int kSettleUs = 2'000;  ///< Long after all have gone to rest, or to sleep.

enum : Command { bare = 1, bare_asleep = 2 };

/// What signal and barrier come to in bare calls.
class BareSignal {
public:
    explicit BareSignal(MPI_Comm comm) : comm_(comm) { MPI_Comm_rank(comm, &rank_); }

    /// All others wait in the bcast already.
    double spinning() {
        MPI_Barrier(comm_);
        if (rank_ == 0) pause_us(kSettleUs);
        const auto start = now_ns();
        signal_and_cross();
        return static_cast<double>(now_ns() - start) / 1e3;
    }

    /// All others sleep on their bell.
    double asleep(Sleepers& sleepers) {
        MPI_Barrier(comm_);
        if (rank_ == 0) pause_us(kSettleUs);
        const auto start = now_ns();
        sleepers.wake();
        signal_and_cross();
        return static_cast<double>(now_ns() - start) / 1e3;
    }

    [[nodiscard]] bool reports() const { return rank_ == 0; }

private:
    void signal_and_cross() const {
        std::int64_t signal = 1;
        MPI_Bcast(&signal, 1, MPI_INT64_T, 0, comm_);
        const std::array<std::int64_t, 4> mine{0, -signal, 7, -7};
        std::array<std::int64_t, 4> all{};
        MPI_Allreduce(mine.data(), all.data(), 4, MPI_INT64_T, MPI_MAX, comm_);
        MPI_Barrier(comm_);
    }

    MPI_Comm comm_;
    int rank_ = 0;
};

/// A block of bare signals, inside a turn that all ranks have.
void bare_block(Command command, MPI_Comm comm, Samples& samples) {
    BareSignal signal(comm);
    Sleepers sleepers(comm);
    for (int cycle = 0; cycle < kCyclesPerBlock; ++cycle) {
        const double us = command == bare ? signal.spinning() : signal.asleep(sleepers);
        if (signal.reports()) samples[command == bare ? "bare" : "bare_asleep"].push_back(us);
    }
}

/// The time from the call to the end of its wait. Below 0: it broke off.
template <class Ask>
double time_of(const char* name, Ask&& ask_for) {
    pause_us(kSettleUs);
    const auto start = now_ns();
    const auto done = ask_for().wait(kPatience);
    const double us = static_cast<double>(now_ns() - start) / 1e3;
    if (done) return us;
    std::fprintf(stderr, "muster-bench: %s: %s\n", name, done.error().text.c_str());
    return -1;
}

bool signal_block(Client& client, Samples& samples) {
    for (int cycle = 0; cycle < kCyclesPerBlock; ++cycle) {
        const double paused = time_of("pause", [&] { return client.pause(); });
        const double unpaused = paused < 0 ? -1 : time_of("unpause", [&] { return client.unpause(); });
        if (unpaused < 0) return false;
        samples["pause"].push_back(paused);
        samples["unpause"].push_back(unpaused);
    }
    return true;
}

}  // namespace

Samples pause_cycles(const PauseSettings& settings) {
    Samples by_calls, by_signals;  // Of the engine thread and of the operator's.
    bool whole = true;
    const int blocks = std::max(1, settings.cycles / kCyclesPerBlock);
    const bool served = serve(
        [&](Client& client) {
            for (int block = 0; whole && block < blocks; ++block)
                whole = ask(client, bare) && signal_block(client, by_signals) && ask(client, bare_asleep);
        },
        [&](Command command, MPI_Comm comm) { bare_block(command, comm, by_calls); });
    if (!served || !whole) return {};
    by_calls.merge(by_signals);
    return by_calls;
}

}  // namespace muster::bench
