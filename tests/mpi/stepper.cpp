// SPDX-License-Identifier: Apache-2.0
/// A member that adds up numbers, for tests: each step all-reduces and commits; what it holds is checked at the end.
/// stepper STEPS [--kill RANK@STEP]... [--vanish RANK@STEP] [--hang RANK@STEP] [--suspect RANK@STEP:OTHER]...
/// [--step-us N] Vanish: _exit(0), of which nobody is told. Hang: the engine's thread is busy for ever, the process
/// lives. Suspect: MPI in RANK is told that OTHER is dead, which it is not. The sum after N steps is sum over steps s
/// of s * size-independent value, so it must be the same whoever died.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "mpi/declare.hpp"
#include "muster/mpi.hpp"
#include "muster/waiting.hpp"

int main(int argc, char** argv) {
    const std::uint64_t steps = std::strtoull(argv[1], nullptr, 10);
    std::multimap<std::uint64_t, std::uint32_t> kills;
    std::map<std::uint64_t, std::uint32_t> vanishes, hangs;
    std::multimap<std::uint64_t, std::pair<std::uint32_t, std::uint32_t>> suspicions;
    useconds_t step_us = 0;
    for (int i = 2; i + 1 < argc; i += 2) {
        unsigned rank = 0, other = 0;
        unsigned long step = 0;
        if (std::strcmp(argv[i], "--kill") == 0 && std::sscanf(argv[i + 1], "%u@%lu", &rank, &step) == 2)
            kills.emplace(step, rank);
        if (std::strcmp(argv[i], "--suspect") == 0 && std::sscanf(argv[i + 1], "%u@%lu:%u", &rank, &step, &other) == 3)
            suspicions.emplace(step, std::pair{rank, other});
        for (auto [name, orders] : {std::pair{"--vanish", &vanishes}, std::pair{"--hang", &hangs}})
            if (std::strcmp(argv[i], name) == 0 && std::sscanf(argv[i + 1], "%u@%lu", &rank, &step) == 2)
                orders->emplace(step, rank);
        if (std::strcmp(argv[i], "--step-us") == 0) step_us = static_cast<useconds_t>(std::atoi(argv[i + 1]));
    }
    auto config = muster::Config::from_environment();
    if (!config) return std::fprintf(stderr, "stepper: %s\n", config.error().text.c_str()), 2;
    auto session = muster::Session::join(*config);
    if (!session) return std::fprintf(stderr, "stepper: %s\n", session.error().text.c_str()), 2;
    std::uint64_t sum = 0, next_sum = 0, step = 0, repeated = 0;
    bool started = false;
    while (auto turn = session->next()) {
        const auto& world = session->world();
        if (turn.kind == muster::Turn::rebuilt) {
            if (!world.step) {
                sum = next_sum = step = 0;
                started = false;
                continue;
            }
            if (started && world.step->value == step + 1) sum = next_sum;  // The commit was agreed, its answer lost.
            if (started) repeated += world.step->value == step ? 1 : 0;
            step = world.step->value;
            started = true;
            if (world.newcomers.empty()) continue;
            MPI_Bcast(&sum, 1, MPI_UINT64_T, static_cast<int>(world.source->value), muster::communicator(*session));
            continue;
        }
        if (started && step == steps) {
            session->leave();
            continue;
        }
        const std::uint64_t now = started ? step + 1 : 0;
        for (auto [it, end] = kills.equal_range(now); it != end; ++it)
            if (it->second == session->rank().value) std::raise(SIGKILL);
        for (auto [it, end] = suspicions.equal_range(now); it != end; ++it)
            if (it->second.first == session->rank().value &&
                !muster::mpi::declare_failed(muster::Rank{it->second.second}))
                return std::fprintf(stderr, "stepper: MPI cannot be told\n"), 4;
        const auto mine_now = [&](const auto& orders) {
            const auto found = orders.find(now);
            return found != orders.end() && found->second == session->rank().value;
        };
        if (mine_now(vanishes)) _exit(0);
        if (mine_now(hangs))
            for (volatile bool busy = true; busy;) usleep(1000);
        std::uint64_t mine = world.slot->value == 0 ? now * now : 0, all = 0;
        if (step_us > 0) usleep(step_us);
        {
            const muster::Waiting waiting(*session);
            if (MPI_Allreduce(&mine, &all, 1, MPI_UINT64_T, MPI_SUM, muster::communicator(*session)) != MPI_SUCCESS)
                continue;
        }
        next_sum = sum + all;
        if (!session->commit(muster::Step{now})) continue;
        sum = next_sum;
        step = now;
        started = true;
    }
    std::uint64_t expected = 0;
    for (std::uint64_t s = 1; s <= steps; ++s) expected += s * s;
    const bool right =
        !session->world().slot || sum == expected || session->ending().code != muster::ExitCode::finished;
    std::printf("rank %u ended %s: step %lu sum %lu %s rounds %zu repeated %lu %s\n", session->rank().value,
                muster::name_of(session->ending().code), step, sum, right ? "right" : "WRONG", session->rounds().size(),
                repeated, session->ending().reason.c_str());
    for (const auto& round : session->rounds())
        std::printf(
            "  rank %u round %u->%u lost %zu promoted %zu size %u stalled %.2f ms (detect %.2f shrink %.2f build %.2f "
            "hand over %.2f)\n",
            session->rank().value, round.from.value, round.to.value, round.lost.size(), round.promoted.size(),
            round.size, round.stalled_ms, round.detect_ms, round.shrink_ms, round.build_ms, round.hand_over_ms);
    return right ? 0 : 3;
}
