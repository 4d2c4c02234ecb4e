// SPDX-License-Identifier: Apache-2.0
#include "mpi/environment.hpp"

#include <mpi.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>

#include "mpi/fault.hpp"

namespace muster::mpi {
namespace {

/// A write to a dead peer's socket would kill this process (DESIGN.md, "SIGPIPE"). A handler of the program's stays.
void ignore_sigpipe(Started& started) {
    struct sigaction now = {};
    sigaction(SIGPIPE, nullptr, &now);
    if ((now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL)
        std::signal(SIGPIPE, SIG_IGN);
    else if ((now.sa_flags & SA_SIGINFO) != 0 || now.sa_handler != SIG_IGN)
        started.notes.emplace_back("the program has a SIGPIPE handler of its own: it will be called when a peer dies");
}

/// Started by srun itself, not by an mpirun in Slurm (which sets OMPI_COMM_WORLD_SIZE).
bool started_by_srun() {
    return std::getenv("SLURM_STEP_ID") != nullptr && std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr;
}

/// Parameters that a program started by plain mpirun needs too; what the user has set stays.
void set_parameters() {
    setenv("OMPI_MCA_pml", "ob1", 0);
    setenv("OMPI_MCA_coll", "^han,cuda", 0);
    setenv("OMPI_MCA_coll_ftagree_agreement", "1", 0);
    setenv("OMPI_MCA_mpi_preconnect_mpi", "1", 0);
    // Without it a communicator that was revoked, when the engines leave, cannot be shrunk: MPIX_Comm_shrink hangs.
    if (started_by_srun()) setenv("OMPI_MCA_mpi_ft_enable", "1", 0);
}

bool fault_tolerance_on() {
    for (const char* name : {"OMPI_MCA_mpi_ft_enable", "PRTE_MCA_prte_enable_ft", "OMPI_MCA_ft_enable"}) {
        const char* value = std::getenv(name);
        if (value != nullptr && (std::string(value) == "1" || std::string(value) == "true")) return true;
    }
    return false;
}

Result<Done> check_threads(AgentThread agent) {
    int level = MPI_THREAD_SINGLE;
    MPI_Query_thread(&level);
    if (agent == AgentThread::engine || level >= MPI_THREAD_MULTIPLE) return Done{};
    return Error{Fault::bad_setup,
                 "MPI was initialised without MPI_THREAD_MULTIPLE. Replace MPI_Init(&argc, &argv) by "
                 "MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided), or do not initialise MPI before "
                 "join(), or set Config::agent = AgentThread::engine (failures are then noticed between turns only)"};
}

Result<Done> check_size(std::uint32_t ranks) {
    const char* tasks = std::getenv("SLURM_NTASKS");
    const int wanted = tasks != nullptr && started_by_srun() ? std::atoi(tasks) : 0;
    if (wanted <= 0 || ranks == static_cast<std::uint32_t>(wanted)) return Done{};
    return Error{Fault::bad_setup,
                 "srun started " + std::string(tasks) + " tasks (SLURM_NTASKS) but MPI sees " +
                     (ranks == 1 ? "one: srun has no PMIx here. Use srun --mpi=pmix, or muster run inside the "
                                   "allocation"
                                 : std::to_string(ranks) + ". Start one program in a step of its own")};
}

/// What this job will not survive, in one line; empty: nothing that is known here.
std::string limits() {
    if (started_by_srun())
        return "started by srun: when any process dies, Slurm ends the whole step, so nothing is repaired in place; "
               "muster run in the allocation survives it, muster run --launcher srun --relaunch N starts again";
    if (!fault_tolerance_on())
        return "started without mpirun --with-ft ulfm: the death of any process will end the whole job (use muster "
               "run, or add the option)";
    return "";
}

ExitHooks* hooks = nullptr;  // Never freed: used while the process ends.

void exit_after_deadline(int status) {
    std::thread([status] {
        std::this_thread::sleep_for(std::chrono::milliseconds(hooks->finalize_deadline_ms));
        std::fflush(nullptr);
        _exit(status);
    }).detach();
}

/// MPI_COMM_SELF's attributes go first in MPI_Finalize: there a hang can still be seen coming.
int on_finalize(MPI_Comm, int, void*, void*) {
    if (hooks->finalize_may_hang()) exit_after_deadline(0);
    return MPI_SUCCESS;
}

void watch_finalize() {
    int key = MPI_KEYVAL_INVALID;
    MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, on_finalize, &key, nullptr);
    MPI_Comm_set_attr(MPI_COMM_SELF, key, nullptr);
}

void at_exit(int status, void*) {
    if (hooks == nullptr) return;
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (finalized != 0) return;
    const int last = hooks->departing(status);
    std::fflush(nullptr);
    if (!hooks->finalize) return;
    if (!hooks->finalize_may_hang()) {
        exit_after_deadline(last);
        MPI_Finalize();
    }
    if (last != status || hooks->finalize_may_hang()) _exit(last);
}

/// Registered before any of the program's own exit handlers, and so called after all of them.
__attribute__((constructor(101))) void register_at_exit() { on_exit(at_exit, nullptr); }

std::terminate_handler previous_terminate = nullptr;

}  // namespace

Result<Started> start(AgentThread agent) {
    Started started;
    ignore_sigpipe(started);
    int initialized = 0;
    MPI_Initialized(&initialized);
    if (initialized == 0) {
        set_parameters();
        int provided = MPI_THREAD_SINGLE;
        const int code = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided);
        if (code != MPI_SUCCESS) return Error{Fault::bad_setup, fault_of(code, "MPI_Init_thread").text};
        started.ours = true;
    }
    if (auto threads = check_threads(agent); !threads) return threads.error();
    int size = 0, rank = 0;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    started.ranks = static_cast<std::uint32_t>(size);
    started.self = Rank{static_cast<std::uint32_t>(rank)};
    if (auto count = check_size(started.ranks); !count) return count.error();
    MPI_Errhandler handler = MPI_ERRHANDLER_NULL;
    MPI_Comm_get_errhandler(MPI_COMM_WORLD, &handler);
    if (handler == MPI_ERRORS_ARE_FATAL) MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (handler != MPI_ERRHANDLER_NULL) MPI_Errhandler_free(&handler);
    if (auto text = limits(); started.ranks > 1 && !text.empty()) started.notes.push_back(std::move(text));
    return started;
}

void install_exit_hooks(ExitHooks new_hooks) {
    hooks = new ExitHooks(std::move(new_hooks));
    watch_finalize();
    previous_terminate = std::set_terminate([] {
        hooks->departing(-1);
        if (previous_terminate != nullptr) previous_terminate();
        std::abort();
    });
}

}  // namespace muster::mpi
