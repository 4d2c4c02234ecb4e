// SPDX-License-Identifier: Apache-2.0
/// `muster`: options and nothing else; what the subcommands do is in src/launch and src/bench.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "cli/commands.hpp"
#include "muster/exit_codes.hpp"

namespace {

int parse_and_do(int argc, char** argv) {
    CLI::App app("muster: an MPI job that loses processes and goes on", "muster");
    app.set_version_flag("--version", "muster " MUSTER_VERSION);
    app.require_subcommand(1);
    app.footer(
        "Examples:\n"
        "  muster doctor                                     what this machine's MPI survives\n"
        "  muster run -n 4 --standbys 2 -- ./train           4 engines, 2 standbys, on this machine\n"
        "  muster run -n 4 --hosts a:2,b:2 -v -- ./train     two nodes, with details\n"
        "Exit codes: 0 finished, 1 program failed, 2 bad usage, 10 stopped, 12 below min, 13 lost quorum,\n"
        "14 state lost, 15 launcher failed, 16 aborted, 17 timed out, 18 refused, 70 internal. `muster COMMAND --help` "
        "has more.");
    int exit_code = 0;
    muster::cli::register_run(app, exit_code);
    muster::cli::register_doctor(app, exit_code);
    muster::cli::register_transcript(app, exit_code);
    muster::cli::register_simulate(app, exit_code);
    muster::cli::register_journal(app, exit_code);
#ifdef MUSTER_HAVE_BENCH
    muster::cli::register_bench(app, exit_code);
#endif
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& fault) {
        return app.exit(fault) == 0 ? 0 : static_cast<int>(muster::ExitCode::bad_usage);
    }
    return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return parse_and_do(argc, argv);
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "muster: internal (70): %s\n", fault.what());
        return static_cast<int>(muster::ExitCode::internal);
    }
}
