// SPDX-License-Identifier: Apache-2.0
/// A member with one peculiarity, for tests/mpi/scenarios.py: member MODE [STEPS]. Each mode is one function below.
/// Prints one line a rank at the end: "rank 2 finished step 40 sum 22140 rounds 1 ...".
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include "mpi/ulfm.hpp"
#include "muster/mpi.hpp"

namespace {

using muster::Session;

/// What the loop below asks of a mode. Returns false where the step shall not be committed.
using InStep = std::function<bool(Session&, std::uint64_t step)>;

std::uint64_t steps = 40;
std::uint64_t commits_of_blob = 0;
unsigned warm_ups = 0, world_changes = 0;
useconds_t before_commit_us = 0;

bool is(const Session& session, std::uint32_t rank, std::uint64_t step, std::uint64_t when) {
    return session.rank().value == rank && step == when;
}

struct State {
    std::uint64_t sum = 0, pending = 0, step = 0;
    bool has = false;
};

void rewire(Session& session, State& state) {
    const auto& world = session.world();
    if (!world.step) {
        state = {};
        return;
    }
    if (state.has && world.step->value == state.step + 1) state.sum = state.pending;
    state.step = world.step->value;
    state.has = true;
    if (world.blob.size() == sizeof state.step && std::memcmp(world.blob.data(), &state.step, sizeof state.step) == 0)
        ++commits_of_blob;
    if (!world.newcomers.empty())
        MPI_Bcast(&state.sum, 1, MPI_UINT64_T, static_cast<int>(world.source->value), muster::communicator(session));
}

bool forward(Session& session, State& state, const InStep& in_step) {
    const std::uint64_t now = state.has ? state.step + 1 : 0;
    if (!in_step(session, now)) return false;
    std::uint64_t mine = session.world().slot->value == 0 ? now : 0, all = 0;
    if (MPI_Allreduce(&mine, &all, 1, MPI_UINT64_T, MPI_SUM, muster::communicator(session)) != MPI_SUCCESS)
        return false;
    state.pending = state.sum + all;
    if (before_commit_us > 0) usleep(std::exchange(before_commit_us, 0));
    if (!session.commit(muster::Step{now}, std::as_bytes(std::span(&now, 1)))) return false;
    state.sum = state.pending;
    state.step = now;
    state.has = true;
    return true;
}

int run(const InStep& in_step, muster::Config config) {
    config.hooks.warm_up = [] { ++warm_ups; };
    config.hooks.world_changed = [](const muster::World&) { ++world_changes; };
    auto session = Session::join(config);
    if (!session)
        return std::fprintf(stderr, "member: %s: %s\n", name_of(session.error().fault), session.error().text.c_str()),
               2;
    State state;
    while (auto turn = session->next()) {
        if (turn.kind == muster::Turn::rebuilt)
            rewire(*session, state);
        else if (state.has && state.step >= steps)
            session->leave();
        else
            forward(*session, state, in_step);
    }
    const auto& rounds = session->rounds();
    std::printf("rank %u %s step %lu sum %lu rounds %zu warm_ups %u world_changes %u blobs %lu lost '%s' reason '%s'\n",
                session->rank().value, name_of(session->ending().code), state.step, state.sum, rounds.size(), warm_ups,
                world_changes, commits_of_blob,
                rounds.empty() || rounds[0].lost.empty() ? "" : rounds[0].lost[0].text.c_str(),
                session->ending().reason.c_str());
    std::fflush(stdout);
    return static_cast<int>(session->ending().code);
}

bool plain(Session&, std::uint64_t) { return true; }

bool kill_one(Session& session, std::uint64_t step) {
    if (is(session, 1, step, 10)) std::raise(SIGKILL);
    return true;
}

bool exit_in_step(Session& session, std::uint64_t step) {
    if (is(session, 1, step, 10)) std::exit(7);
    return true;
}

bool throw_in_step(Session& session, std::uint64_t step) {
    if (is(session, 1, step, 10)) throw std::runtime_error("an engine that throws");
    return true;
}

bool abort_in_step(Session& session, std::uint64_t step) {
    if (is(session, 1, step, 10)) session.abort("the data is gone");
    return true;
}

bool one_leaves(Session& session, std::uint64_t step) {
    if (!is(session, 1, step, 10)) return true;
    session.leave();
    return false;
}

bool bad_call(Session& session, std::uint64_t) {
    int value = 0;
    return MPI_Send(&value, 1, MPI_INT, 9999, 0, muster::communicator(session)) == MPI_SUCCESS;
}

bool disagree(Session& session, std::uint64_t step) {
    const std::uint64_t odd = session.rank().value == 1 && step == 10 ? 99 : step;
    if (step != 10) return true;
    (void)session.commit(muster::Step{step}, std::as_bytes(std::span(&odd, 1)));
    return false;
}

/// The others wait in a collective on a communicator of the program's own; only track() frees them.
bool tracked(Session& session, std::uint64_t step) {
    if (step != 10 || session.world().round.value > 1) return true;
    MPI_Comm mine = MPI_COMM_NULL;
    if (MPI_Comm_split(muster::communicator(session), 0, 0, &mine) != MPI_SUCCESS) return false;
    if (!muster::track(session, mine)) return false;
    // Rank 1 dies, rank 2 waits for it directly, the rest wait for rank 2, who will never come.
    int value = 0;
    int code = MPI_SUCCESS;
    if (session.rank().value == 1) std::raise(SIGKILL);
    if (session.rank().value == 2)
        code = MPI_Recv(&value, 1, MPI_INT, 1, 5, mine, MPI_STATUS_IGNORE);
    else
        code = MPI_Recv(&value, 1, MPI_INT, 2, 5, mine, MPI_STATUS_IGNORE);
    muster::untrack(session, mine);  // Or free it after next() said rebuilt.
    MPI_Comm_free(&mine);
    return code == MPI_SUCCESS;
}

bool late(Session& session, std::uint64_t step) {
    if (is(session, 1, step, 10)) before_commit_us = 5'000'000;
    return true;
}

long resident_kib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/// Every step breaks its round: as many rebuilds as steps. Memory is printed on the way.
bool rebuild_every_step(Session& session, std::uint64_t step) {
    static std::uint64_t broken = ~std::uint64_t{0};
    if (session.world().slot->value == 0 && (step % 1000 == 0 || step == 100))
        std::printf("step %lu round %u resident %ld KiB\n", step, session.world().round.value, resident_kib());
    if (step > 0 && broken != step) {
        broken = step;
        MPI_Barrier(muster::communicator(session));
        MPIX_Comm_revoke(muster::communicator(session));
    }
    return true;
}

/// Open descriptors of this process.
long descriptors() {
    long count = -1;  // The listing's own.
    for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
    return count;
}

/// Open MPI gives a new communicator the lowest free number: whatever is not freed, pushes it up.
int next_communicator() {
    MPI_Comm probe = MPI_COMM_NULL;
    MPI_Comm_dup(MPI_COMM_SELF, &probe);
    const int number = MPI_Comm_c2f(probe);
    MPI_Comm_free(&probe);
    return number;
}

/// Every step but a round's first breaks its round: all see alike which one that is. Every engine says what it holds.
bool rebuild_for_long(Session& session, std::uint64_t step) {
    constexpr std::uint64_t kEach = 50;
    static muster::Round seen{};
    if (step % kEach == 0) {
        long pages = 0, resident = 0;
        std::ifstream("/proc/self/statm") >> pages >> resident;
        std::printf("holds: rank %u step %lu round %u resident %ld descriptors %ld communicators %d\n",
                    session.rank().value, step, session.world().round.value, resident * 4, descriptors(),
                    next_communicator());
        std::fflush(stdout);
    }
    if (std::exchange(seen, session.world().round) == session.world().round) {
        MPI_Barrier(muster::communicator(session));
        MPIX_Comm_revoke(muster::communicator(session));
    }
    return true;
}

/// A write to a dead peer's socket, as the transport does it.
bool sigpipe(Session& session, std::uint64_t step) {
    if (is(session, 1, step, 10)) std::raise(SIGPIPE);
    return true;
}

int self_initialised(int level, bool finalize, const InStep& in_step) {
    int provided = 0;
    MPI_Init_thread(nullptr, nullptr, level, &provided);
    const int code = run(in_step, *muster::Config::from_environment());
    if (finalize) MPI_Finalize();
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string mode = argc > 1 ? argv[1] : "plain";
    if (argc > 2) steps = std::strtoull(argv[2], nullptr, 10);
    const std::map<std::string, InStep> modes{
        {"plain", plain},           {"sigpipe", sigpipe},     {"kill", kill_one},
        {"exit", exit_in_step},     {"throw", throw_in_step}, {"abort", abort_in_step},
        {"one-leaves", one_leaves}, {"bad-call", bad_call},   {"disagree", disagree},
        {"tracked", tracked},       {"late", late},           {"rebuild", rebuild_every_step},
        {"long", rebuild_for_long}};
    if (mode == "init-single") return self_initialised(MPI_THREAD_SINGLE, false, plain);
    if (mode == "init-multiple") return self_initialised(MPI_THREAD_MULTIPLE, true, kill_one);
    if (mode == "init-exit") return self_initialised(MPI_THREAD_MULTIPLE, true, exit_in_step);
    auto config = muster::Config::from_environment();
    if (!config) return std::fprintf(stderr, "member: %s\n", config.error().text.c_str()), 2;
    if (mode == "differ") {
        if (const char* rank = std::getenv("OMPI_COMM_WORLD_RANK"); rank != nullptr && std::strcmp(rank, "1") == 0)
            config->group_size = 2;
        return run(plain, *config);
    }
    const auto found = modes.find(mode);
    if (found == modes.end()) return std::fprintf(stderr, "member: no mode %s\n", mode.c_str()), 2;
    return run(found->second, *config);
}
