// SPDX-License-Identifier: Apache-2.0
/// muster-bench: the part of `muster bench` that runs under mpirun. People call `muster bench`.
///     muster-bench rebuild|bare-rebuild --engines N --deaths K --board FILE --out FILE
/// The director, rank 0, writes {"name": [microseconds, ...], ...} to --out.

#include <mpi.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/rebuild.hpp"

namespace {

using muster::bench::Samples;

/// After a failure MPI_Finalize can wait for ever for the dead: everything is written by now, so leave like this.
[[noreturn]] void leave_at_once(int status) {
    std::fflush(nullptr);
    ::_exit(status);
}

int run(bool bare, const muster::bench::RebuildSettings& settings, const std::string& board_path,
        const std::string& out) {
    int rank = 0, size = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    auto* board = muster::bench::open_board(board_path);
    if (board == nullptr) {
        std::perror(("muster-bench: " + board_path).c_str());
        return 1;
    }
    if (size < settings.engines + settings.deaths) {
        if (rank == 0)
            std::fprintf(stderr, "muster-bench: %d ranks are not enough for %d engines and %d deaths\n", size,
                         settings.engines, settings.deaths);
        return 2;
    }
    const Samples samples =
        bare ? muster::bench::bare_rebuilds(settings, *board) : muster::bench::session_rebuilds(settings, *board);
    if (rank != 0) return 0;
    std::ofstream(out) << nlohmann::json(samples).dump(1) << '\n';
    const auto total = samples.find(bare ? "bare" : "total");
    const auto rebuilds = total == samples.end() ? 0 : total->second.size();
    if (rebuilds == static_cast<std::size_t>(settings.deaths)) return 0;
    std::fprintf(stderr, "muster-bench: broke off after %zu of %d rebuilds\n", rebuilds, settings.deaths);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("The part of `muster bench` that runs under mpirun");
    app.require_subcommand(1);
    muster::bench::RebuildSettings settings;
    std::string board, out = "/dev/stdout";
    auto* session = app.add_subcommand("rebuild", "deaths and their repair through muster");
    auto* bare = app.add_subcommand("bare-rebuild", "the same by bare calls");
    for (auto* command : {session, bare}) {
        command->add_option("--engines", settings.engines)->check(CLI::Range(2, 4096));
        command->add_option("--deaths", settings.deaths)
            ->check(CLI::Range(1, static_cast<int>(muster::bench::kDeathsMax)));
        command->add_option("--board", board, "file in shared memory")->required();
        command->add_option("--out", out, "where the samples go");
    }
    session->add_flag("--parked", settings.measure_parked, "also what a parked standby costs (2 s)");
    CLI11_PARSE(app, argc, argv);

    constexpr unsigned kSecondsMax = 60;
    ::alarm(kSecondsMax);           // a benchmark that hangs is worth nothing
    std::signal(SIGPIPE, SIG_IGN);  // Open MPI's TCP transport writes to the sockets of the dead
    int provided = 0;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    leave_at_once(run(bare->parsed(), settings, board, out));
}
