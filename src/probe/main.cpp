// SPDX-License-Identifier: Apache-2.0
/// muster-probe death|hang: 3 ranks under mpirun; rank 1 is killed (or stopped, and after 1 s of silence MPI is told
/// that it is gone, as a member's heartbeat does), the others revoke, shrink and reduce. Rank 0 prints one line of
/// JSON: {"probe":"death","survivors":2,"notice_ms":5.1,"shrink_ms":2.0,"total_ms":7.9}. Exit status: 0 survived, 3 not
/// within 10 s, 4 MPI said something else.
#include <mpi.h>
// mpi-ext.h needs mpi.h before it.
#include <mpi-ext.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <thread>

#include "mpi/declare.hpp"

namespace {

constexpr unsigned kDeadlineSeconds = 10;
constexpr int kVictim = 1;
volatile sig_atomic_t victim_pid = 0;  // set on the rank that ends a stopped victim

void end_victim() {
    if (victim_pid > 0) kill(victim_pid, SIGKILL);
}

/// In a signal handler: only calls that are safe there.
void out_of_time(int /*signal*/) {
    end_victim();
    constexpr char kText[] = "muster-probe: no answer within 10 s\n";
    [[maybe_unused]] const auto written = write(STDERR_FILENO, kText, sizeof kText - 1);
    _exit(3);
}

/// Pids of all ranks, so that a stopped one can be ended.
int pid_of_victim() {
    const int own = static_cast<int>(getpid());
    std::array<int, 64> pids{};
    int size = 0;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size <= kVictim || size > static_cast<int>(pids.size())) return 0;
    MPI_Allgather(&own, 1, MPI_INT, pids.data(), 1, MPI_INT, MPI_COMM_WORLD);
    return pids[kVictim];
}

struct Times {
    double last_good, noticed, shrunk, done;
};

/// One step of work of the whole world, about 1 ms.
bool step() {
    int one = 1;
    int sum = 0;
    usleep(1000);
    return MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD) == MPI_SUCCESS;
}

/// Works a while with the others, then dies or stops. Not at once: in the first 50 ms PRRTE is slow to tell of a death.
void be_victim(int signal) {
    const double start = MPI_Wtime();
    while (MPI_Wtime() - start < 0.3) step();
    raise(signal);
}

/// What a heartbeat would find out.
void miss_victim() {
    std::thread([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(1'300));  // It stops after 0.3 s.
        if (!muster::mpi::declare_failed(muster::Rank{kVictim}))
            std::fprintf(stderr, "muster-probe: there is no PMIx to tell MPI of a death\n");
    }).detach();
}

/// Works until somebody is missing, then goes on without them. Returns the number of survivors, 0 on failure.
int survive(Times& times) {
    int one = 1;
    int sum = 0;
    do times.last_good = MPI_Wtime();
    while (step());
    times.noticed = MPI_Wtime();
    MPIX_Comm_revoke(MPI_COMM_WORLD);
    MPI_Comm survivors = MPI_COMM_NULL;
    if (MPIX_Comm_shrink(MPI_COMM_WORLD, &survivors) != MPI_SUCCESS) return 0;
    times.shrunk = MPI_Wtime();
    MPI_Comm_set_errhandler(survivors, MPI_ERRORS_RETURN);
    if (MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, survivors) != MPI_SUCCESS) return 0;
    times.done = MPI_Wtime();
    return sum;
}

int be_survivor(const char* mode, int rank) {
    Times times{};
    const int survivors = survive(times);
    if (rank == 0) {
        end_victim();
        std::printf(R"({"probe":"%s","survivors":%d,"notice_ms":%.3f,"shrink_ms":%.3f,"total_ms":%.3f})"
                    "\n",
                    mode, survivors, (times.noticed - times.last_good) * 1e3, (times.shrunk - times.noticed) * 1e3,
                    (times.done - times.last_good) * 1e3);
        std::fflush(stdout);
    }
    return survivors > 0 ? 0 : 4;
}

}  // namespace

int main(int argc, char** argv) {
    const char* mode = argc > 1 ? argv[1] : "";
    const bool hang = std::strcmp(mode, "hang") == 0;
    if (!hang && std::strcmp(mode, "death") != 0) {
        std::fprintf(stderr, "muster-probe: say death or hang; `muster doctor` runs it under mpirun with 3 ranks\n");
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);  // else a bystander dies when it writes to the dead one's connection
    std::signal(SIGALRM, out_of_time);
    alarm(kDeadlineSeconds);
    int threads = MPI_THREAD_SINGLE;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &threads);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    const int victim = pid_of_victim();
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == kVictim) be_victim(hang ? SIGSTOP : SIGKILL);
    if (rank == kVictim) _exit(0);  // a stopped one that wakes up has no part in this any more
    if (rank == 0 && hang) victim_pid = victim;
    if (hang) miss_victim();
    _exit(be_survivor(mode, rank));  // MPI_Finalize may hang after a failure
}
