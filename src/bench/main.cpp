// SPDX-License-Identifier: Apache-2.0
/// muster-bench: the part of `muster bench` that runs under mpirun. People call `muster bench`.
///     muster-bench rebuild|bare-rebuild --engines N --deaths K --board FILE --out FILE
///     muster-bench rendezvous --rounds R --board FILE --out FILE
///     muster-bench succession|bare-succession --engines N --deaths K [--board FILE] --out FILE
///     muster-bench consensus|pause|rest|route|changes [--turns T ...] --out FILE
/// Rank 0 writes {"name": [microseconds, ...], ...} to --out; the last rank where it is the client.

#include <mpi.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/changes.hpp"
#include "bench/consensus.hpp"
#include "bench/pause.hpp"
#include "bench/rebuild.hpp"
#include "bench/rendezvous.hpp"
#include "bench/route.hpp"
#include "bench/succession.hpp"

namespace {

namespace bench = muster::bench;
using bench::Samples;

/// One benchmark: takes its samples; says what a whole run has.
struct Job {
    std::function<Samples()> measure;
    std::string key{};         ///< The row that tells how far it came.
    std::size_t promised = 0;  ///< Samples in that row.
    bool last_writes = false;  ///< Rank 0 may be dead by then, or knows nothing.
};

int run(const Job& job, const std::string& out) {
    int rank = 0, size = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    const Samples samples = job.measure();
    if (rank != (job.last_writes ? size - 1 : 0)) return 0;
    std::ofstream(out) << nlohmann::json(samples).dump(1) << '\n';
    const auto row = samples.find(job.key);
    const auto taken = row == samples.end() ? 0 : row->second.size();
    if (taken >= job.promised) return 0;
    std::fprintf(stderr, "muster-bench: broke off after %zu of %zu samples\n", taken, job.promised);
    return 1;
}

Samples rebuilds(bool bare, const bench::RebuildSettings& settings, const std::string& board_path) {
    int rank = 0, size = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    auto* board = bench::open_board<bench::Board>(board_path);
    if (board == nullptr) {
        std::perror(("muster-bench: " + board_path).c_str());
        return {};
    }
    if (size < settings.engines + settings.deaths) {
        if (rank == 0)
            std::fprintf(stderr, "muster-bench: %d ranks are not enough for %d engines and %d deaths\n", size,
                         settings.engines, settings.deaths);
        return {};
    }
    return bare ? bench::bare_rebuilds(settings, *board) : bench::session_rebuilds(settings, *board);
}

/// After a failure MPI_Finalize can wait for ever for the dead: everything is written by now, so leave like this.
[[noreturn]] void leave_at_once(int status) {
    std::fflush(nullptr);
    ::_exit(status);
}

void add_rebuild(CLI::App& app, const std::string& name, bool bare, Job& job) {
    auto settings = std::make_shared<bench::RebuildSettings>();
    auto board = std::make_shared<std::string>();
    auto* command =
        app.add_subcommand(name, bare ? "the same by bare calls" : "deaths and their repair through muster");
    command->add_option("--engines", settings->engines)->check(CLI::Range(2, 4096));
    command->add_option("--deaths", settings->deaths)->check(CLI::Range(1, static_cast<int>(bench::kDeathsMax)));
    command->add_option("--board", *board, "file in shared memory")->required();
    if (!bare) command->add_flag("--parked", settings->measure_parked, "also what a parked standby costs (2 s)");
    command->callback([=, &job] {
        job = {[=] { return rebuilds(bare, *settings, *board); }, bare ? "bare" : "total",
               static_cast<std::size_t>(settings->deaths)};
    });
}

void add_rendezvous(CLI::App& app, Job& job) {
    auto settings = std::make_shared<bench::RendezvousSettings>();
    auto board = std::make_shared<std::string>();
    auto* command = app.add_subcommand("rendezvous", "rounds that somebody asks for, and bare splits");
    command->add_option("--rounds", settings->rounds)->check(CLI::Range(1, 1'000'000));
    command->add_option("--board", *board, "file in shared memory")->required();
    command->callback([=, &job] { job = {[=] { return bench::rendezvous_rounds(*settings, *board); }, "split", 1}; });
}

void add_consensus(CLI::App& app, Job& job) {
    auto settings = std::make_shared<bench::ConsensusSettings>();
    auto* command = app.add_subcommand("consensus", "turns with a vote, and bare calls for it");
    command->add_option("--forward-us", settings->forward_us)->check(CLI::Range(0, 1'000'000));
    command->add_option("--turns", settings->turns)->check(CLI::Range(1, 1'000'000));
    command->callback([=, &job] { job = {[=] { return bench::consensus_turns(*settings); }, "turn", 1}; });
}

void add_pause(CLI::App& app, Job& job) {
    auto settings = std::make_shared<bench::PauseSettings>();
    auto* command = app.add_subcommand("pause", "pause and unpause of idle engines, and bare calls for it");
    command->add_option("--cycles", settings->cycles)->check(CLI::Range(1, 1'000'000));
    command->callback([=, &job] { job = {[=] { return bench::pause_cycles(*settings); }, "bare_asleep", 1}; });
}

void add_rest(CLI::App& app, Job& job) {
    auto settings = std::make_shared<bench::RestSettings>();
    auto* command = app.add_subcommand("rest", "what resting engines cost, and how quickly they wake");
    command->add_option("--seconds", settings->seconds)->check(CLI::Range(1, 3'600));
    command->add_option("--wakes", settings->wakes)->check(CLI::Range(1, 1'000'000));
    command->callback([=, &job] { job = {[=] { return bench::rest(*settings); }, "resting_cpu", 1}; });
}

void add_route(CLI::App& app, Job& job) {
    auto settings = std::make_shared<bench::RouteSettings>();
    auto* command = app.add_subcommand("route", "requests through the coordinator, and a bare loop for it");
    command->add_option("--requests", settings->requests)->check(CLI::Range(1, 10'000'000));
    command->add_option("--window", settings->window)->check(CLI::Range(1, 4'096));
    command->add_option("--bytes", settings->bytes)->check(CLI::Range(1, 1 << 24));
    command->callback([=, &job] { job = {[=] { return bench::route(*settings); }, "request", 1}; });
}

void add_changes(CLI::App& app, Job& job) {
    auto settings = std::make_shared<bench::ChangeSettings>();
    auto* command = app.add_subcommand("changes", "calls of the controller, and a bare loop for them");
    command->add_option("--changes", settings->changes)->check(CLI::Range(1, 10'000'000));
    command->add_option("--window", settings->window)->check(CLI::Range(1, 1'024));
    command->add_option("--followers", settings->followers)->check(CLI::Range(0, 4'096));
    command->add_option("--directory", settings->directory, "where the session writes its journals");
    command->add_flag("--sync", settings->sync, "to the disk");
    command->callback([=, &job] {
        job = {[=] { return bench::controller_changes(*settings); }, "window",
               static_cast<std::size_t>(settings->blocks), true};
    });
}

void add_succession(CLI::App& app, const std::string& name, bool bare, Job& job) {
    auto settings = std::make_shared<bench::SuccessionSettings>();
    auto board = std::make_shared<std::string>();
    auto* command = app.add_subcommand(name, bare ? "the same by bare calls" : "deaths of coordinators");
    command->add_option("--engines", settings->engines)->check(CLI::Range(2, 4096));
    command->add_option("--deaths", settings->deaths)->check(CLI::Range(1, 1'000));
    if (!bare) command->add_option("--board", *board, "file in shared memory")->required();
    command->callback([=, &job] {
        job = {[=] { return bare ? bench::bare_successions(*settings) : bench::successions(*settings, *board); },
               bare ? "bare" : "succession", static_cast<std::size_t>(settings->deaths), true};
    });
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("The part of `muster bench` that runs under mpirun");
    app.require_subcommand(1);
    std::string out = "/dev/stdout";
    unsigned seconds_max = 60;
    app.add_option("--out", out, "where the samples go");
    app.add_option("--seconds-max", seconds_max, "a benchmark that hangs is worth nothing");
    Job job;
    add_rebuild(app, "rebuild", false, job);
    add_rebuild(app, "bare-rebuild", true, job);
    add_rendezvous(app, job);
    add_consensus(app, job);
    add_pause(app, job);
    add_rest(app, job);
    add_route(app, job);
    add_changes(app, job);
    add_succession(app, "succession", false, job);
    add_succession(app, "bare-succession", true, job);
    for (auto* command : app.get_subcommands({})) command->fallthrough();
    CLI11_PARSE(app, argc, argv);

    ::alarm(seconds_max);
    std::signal(SIGPIPE, SIG_IGN);  // Open MPI's TCP transport writes to the sockets of the dead
    int provided = 0;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    leave_at_once(run(job, out));
}
