// SPDX-License-Identifier: Apache-2.0
#include "train/options.hpp"

#include <CLI/CLI.hpp>

#include "moe/dataset.hpp"
#include "muster/exit_codes.hpp"

namespace train {
namespace {

constexpr const char* kAbout =
    "Trains a mixture of experts on handwritten digits and survives the death of its ranks.\n"
    "Examples:\n"
    "  muster run -n 4 --standbys 2 -- train --steps 300 --json out.json\n"
    "  muster run -n 4 --standbys 2 -- train --steps 300 --kill 2@100 --kill 4@100:in-restore --json out.json\n"
    "  mpirun --with-ft ulfm -n 4 train --steps 300 --kill 0@50:in-commit --json -\n"
    "  muster run -n 4 -- train --steps 300 --checkpoint /shared/dir --every 20    # again, after all have died: goes "
    "on";

constexpr const char* kAboutKill =
    "RANK@STEP[:POINT], may be given again: the rank (in MPI_COMM_WORLD) kills itself in that step. POINT: in-alltoall "
    "(default), in-step, in-replicate, in-commit, in-restore (its first rewire that leads to STEP or a later one), "
    "in-eval";

}  // namespace

std::variant<Options, int> parse_options(int argc, char** argv) {
    Options options;
    options.data = moe::default_data_path();
    std::vector<std::string> kills;
    CLI::App app(kAbout, "train");
    app.add_option("--steps", options.steps, "Steps to train")->capture_default_str();
    app.add_option("--kill", kills, kAboutKill)->allow_extra_args(false);
    app.add_option("--json", options.json, "File for the result; - is standard output");
    app.add_option("--data", options.data, "The digits, CSV, gzipped or not")->capture_default_str();
    app.add_option("--step-ms", options.step_ms, "Makes each step longer by so many milliseconds");
    app.add_option(
        "--checkpoint", options.checkpoint,
        "Begins from the newest whole checkpoint in this directory, which must be there, and saves new ones");
    app.add_option("--every", options.every, "Committed steps from one checkpoint to the next")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_flag("--track", options.track, "Exchange tokens over a communicator of the program's own");
    try {
        app.parse(argc, argv);
        for (const auto& text : kills) {
            const auto kill = parse_kill(text);
            if (!kill) throw CLI::ValidationError(kill.error().text);
            if (kill->step > options.steps) throw CLI::ValidationError("--kill " + text + ": there is no such step");
            options.kills.push_back(*kill);
        }
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : static_cast<int>(muster::ExitCode::bad_usage);
    }
    return options;
}

}  // namespace train
