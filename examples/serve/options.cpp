// SPDX-License-Identifier: Apache-2.0
#include "serve/options.hpp"

#include <CLI/CLI.hpp>

#include "moe/dataset.hpp"
#include "muster/exit_codes.hpp"

namespace serve {
namespace {

constexpr const char* kAbout =
    "Classifies handwritten digits on request, while an operator pauses, suspends, resumes and stops the job and "
    "ranks\n"
    "die. One rank is the client and the operator; the others are engines in lockstep groups that share their "
    "experts.\n"
    "Ends with a table; status 1 where a request was lost or answered twice, or where an answer is not the one of a\n"
    "quiet run.\n"
    "Examples:\n"
    "  muster run -n 4 --group-size 2 --standbys 1 --clients 1 --work requests -- serve --kill 1@150\n"
    "  muster run -n 4 --group-size 2 --standbys 1 --clients 1 --work requests -- serve --kill 2@suspend --json -\n"
    "  muster run -n 4 --group-size 2 --clients 1 --work requests -- serve --only-slots 2 --cycles 0\n"
    "  muster run -n 8 --group-size 1 --clients 1 --work requests --controller -- serve --replicas 2,6,3 --cycles 0\n"
    "  muster run -n 8 --group-size 1 --clients 1 --work requests --controller --inject "
    "crash-after-checkpoint=0.1,max=4:kill "
    "-- serve --replicas 1,2 --calls 50 --cycles 0\n"
    "  MUSTER_GROUP_SIZE=2 MUSTER_STANDBYS=1 MUSTER_CLIENTS=1 MUSTER_WORK=requests mpirun --with-ft ulfm -n 6 serve";

constexpr const char* kAboutKill =
    "RANK@REQUEST, RANK@suspend or RANK@resume, may be given again: the rank (in MPI_COMM_WORLD) kills itself in the "
    "forward that follows its n-th request, or in the middle of the first such transition";

void add_options(CLI::App& app, Options& options) {
    const auto number = [&](const char* name, auto& value, const char* about) {
        return app.add_option(name, value, about)->capture_default_str();
    };
    number("--requests", options.requests, "Requests to send")->check(CLI::Range(1, 10'000'000));
    number("--rate", options.rate, "Requests a second, on average")->check(CLI::Range(0.1, 1e6));
    number("--seed", options.seed, "Of the moments of sending and of the choice of images");
    number("--cycles", options.cycles, "How often the operator pauses, suspends, resumes and unpauses");
    number("--batch", options.batch, "Requests that an engine answers in one forward")->check(CLI::Range(1, 10'000));
    number("--forward-ms", options.forward_ms, "Makes each forward with requests longer by so many milliseconds");
    number("--cache-mib", options.cache_mib, "Each engine's cache, released while suspended")
        ->check(CLI::Range(1, 65'536));
    number("--patience", options.patience_s, "Seconds that a transition or the next answer may take")
        ->check(CLI::Range(1, 86'400));
    number("--only-slots", options.only_slots,
           "Ask only the engines at the first so many slots, and show what the others do meanwhile");
    app.add_option("--replicas", options.replicas,
                   "In a job with a controller: N,N,...: how many replicas serve, changed at equal distances in the "
                   "course of the requests")
        ->delimiter(',')
        ->check(CLI::Range(1, 10'000));
    number("--calls", options.calls,
           "In a job with a controller: so many random calls of it at equal distances in the course of the requests "
           "(backends, traffic, and the numbers of --replicas at random); at the end all that was answered must hold");
    app.add_option("--json", options.json, "File for the result; - is standard output, in place of the table");
    number("--data", options.data, "The digits, CSV, gzipped or not");
}

}  // namespace

std::variant<Options, int> parse_options(int argc, char** argv) {
    Options options;
    options.data = moe::default_data_path();
    std::vector<std::string> kills;
    CLI::App app(kAbout, "serve");
    add_options(app, options);
    app.add_option("--kill", kills, kAboutKill)->allow_extra_args(false);
    try {
        app.parse(argc, argv);
        for (const auto& text : kills) {
            const auto kill = parse_kill(text);
            if (!kill) throw CLI::ValidationError(kill.error().text);
            options.kills.push_back(*kill);
        }
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : static_cast<int>(muster::ExitCode::bad_usage);
    }
    return options;
}

}  // namespace serve
