// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "cli/run_meeting.hpp"
#include "cli/run_relaunch.hpp"
#include "core/fault_order.hpp"
#include "launch/job.hpp"

namespace muster::cli {

namespace {

struct RunOptions {
    launch::JobSpec spec;
    MeetingOptions meeting;
    RelaunchOptions relaunch;
    std::string hosts, json_file, run_id;
    std::vector<std::string> mca, inject;
    double kill_after = 10;
    bool verbose = false, stopped_ranks = false;
};

const char* const kFooter =
    "Examples:\n"
    "  muster run -n 4 -- ./train --steps 500\n"
    "  muster run -n 4 --standbys 2 --min 3 --prefix-output -- ./train\n"
    "  muster run -n 4 --standbys 2 --hosts a:2,b:2,c:2 --interface 10.0.0.0/24 -v -- ./train\n"
    "  muster run -n 2 --rsh ./log-in.sh --hosts n0:1,n1:1 --mca btl_base_verbose 10 -- ./train\n"
    "  muster run -n 2 --clients 1 --work requests -- ./serve\n"
    "  muster run -n 4 --engine-ranks 2 --group-size 2 --standbys 2 -- ./serve     8 + 2 ranks, 2 groups of 2 engines\n"
    "  muster run -n 64 --consensus overlapped --consensus-every 16 --fan-out 8 -- ./train\n"
    "  muster run -n 8 --group-size 2 --clients 1 --work requests --routing least_loaded -- ./serve\n"
    "  muster run -n 4 --stay --signals TERM=stop,USR1=pause,USR2=unpause -- ./train\n"
    "  muster run --rendezvous /shared --run-id 41 --nodes 2:3 -- ./train    on each node: 2 or 3 meet, one launches\n"
    "  muster run --rendezvous /shared --run-id 42 --nodes 2 --host $(hostname):8 -n 12 --standbys 4 -- ./train\n"
    "  muster run --join 41 --rendezvous /shared                             asks the running job 41 to take this node "
    "in\n"
    "  muster run -n 4 --min 2 --hosts a:2,b:2,c:2 --relaunch 3 -- ./train --checkpoint /shared/dir    a node may die\n"
    "  muster run -n 8 --launcher srun --relaunch 3 --on-usr1 requeue -- ./train --checkpoint /shared/dir\n"
    "  muster run -n 4 --standbys 1 --inject 'kill:rank=3@step=120' -- ./train\n"
    "  muster run -n 4 --standbys 3 --inject 'kill:rank=any@rate=0.2/s,seed=7,max=3' -- ./train\n"
    "  muster run -n 4 --inject 'stop:rank=1@time=2.5s:0.5; slow:rank=2@step=10:20' -- ./train     stands still for "
    "0.5 s; 20 ms a turn\n"
    "  muster run -n 4 --standbys 1 --clients 1 --inject 'segv:rank=1@state=PAUSING' -- ./serve    also exit0, abort; "
    "@point=shrunk#2\n"
    "Ranks: engines x engine ranks, then standbys, then clients.\n"
    "Signals: INT, TERM and HUP stop the job (exit code 10), a second INT kills it; USR1 and USR2 go to every rank.";

void add_shape(CLI::App& run, RunOptions& options) {
    auto& spec = options.spec;
    run.add_option("-n,--engines", spec.engines,
                   "Engines of the world (with --rendezvous default: as many as the slots of all hold)");
    run.add_option("--engine-ranks", spec.engine_ranks,
                   "Members per engine: consecutive ranks, the first one receives");
    run.add_option("--standbys", spec.standbys, "Parked members that take the place of those that are lost");
    run.add_option("--clients", spec.clients, "Members that only ask: never engines or standbys; the last ranks");
    run.add_option("--min", spec.engines_min, "Below so many live engines the job stops (exit code 12)");
    run.add_option("--group-size", spec.group_size, "Engines per lockstep group; must divide -n (default: one group)");
    run.add_flag(
        "--controller", spec.controller,
        "The world holds the replicas that the controller wants, a lockstep group each; all others are standbys");
    run.add_option("--slot-order", spec.slot_order, "Who gets which slot after a loss")
        ->check(CLI::IsMember({"stable", "sorted"}));
    run.add_option("--quorum", spec.quorum, "Who may go on after a loss")->check(CLI::IsMember({"majority", "none"}));
    run.add_option("--run-id", options.run_id, "Names the job in messages and events");
}

void add_turns(CLI::App& run, RunOptions& options) {
    auto& spec = options.spec;
    run.add_option("--consensus", spec.consensus, "How a lockstep group agrees on whether to work")
        ->check(CLI::IsMember({"blocking", "overlapped", "off"}));
    run.add_option("--consensus-every", spec.consensus_every, "A vote every so many turns");
    run.add_option("--work", spec.work, "Whether there is always work, or while requests are unanswered")
        ->check(CLI::IsMember({"always", "requests"}));
    run.add_flag("--stay", spec.stay, "After stop members rest until a start, instead of leaving");
    run.add_option("--signals", spec.posix_signals,
                   "POSIX signals that become signals of the job, or off (default: TERM=stop,USR1=suspend)");
    run.add_option("--fan-out", spec.fan_out, "To how many members a member passes a broadcast on");
    run.add_option("--routing", spec.routing, "Which engine a request goes to")
        ->check(CLI::IsMember({"round_robin", "least_loaded", "power_of_two", "prefix_affinity"}));
    run.add_option("--queue-max-per-engine", spec.queue_max_per_engine,
                   "Requests that an engine may have; beyond that a client hears busy (0: no bound)");
    run.add_option("--queue-max", spec.queue_max, "Requests that may be open in the job; the same");
    run.add_option("--load-interval", spec.load_interval_ms, "Milliseconds between reports about loads");
    run.add_option("--followers", spec.followers,
                   "Members that keep a copy of what must outlive the coordinator, on other nodes first");
}

void add_state(CLI::App& run, RunOptions& options) {
    auto& spec = options.spec;
    run.add_option("--state", spec.state_directory,
                   "Directory for the job's state: the same --run-id, started again, goes on from it");
    run.add_option("--durability", spec.durability, "What a change outlives: the job (file) or a crash of its machines")
        ->check(CLI::IsMember({"file", "fsync"}));
}

void add_place(CLI::App& run, RunOptions& options) {
    auto& spec = options.spec;
    run.add_option("--hosts", options.hosts, "Where: a:2,b:2 (default: this machine, or Slurm's allocation)");
    run.add_option("--rsh", spec.remote_shell, "Command that logs in on a host, called as AGENT HOST COMMAND");
    run.add_option("--interface", spec.interface, "Network for MPI's TCP: eth0 or 10.0.0.0/24 (default: chosen)");
    run.add_option("--mpirun", spec.mpirun, "mpirun to use (default: MUSTER_MPIRUN, the build's, PATH)");
    run.add_option("--mca", options.mca, "KEY VALUE for mpirun; wins over muster's own choice")
        ->type_size(2)
        ->expected(-1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
}

void add_faults(CLI::App& run, RunOptions& options) {
    run.add_option(
           "--inject", options.inject,
           "Faults to order, WHAT:rank=RANK@WHEN, several with ';' or by repeating the option (default: "
           "MUSTER_INJECT). WHAT: kill, stop, slow, exit0, abort, segv. WHEN: step=N, time=2.5s, state=PAUSING, "
           "point=NAME, or for RANK any rate=0.2/s,seed=7,max=3. stop ends with :SECONDS (none: for ever), slow "
           "with :MS. Or crash-after-checkpoint=CHANCE[,max=N][:exit|:kill]: the coordinator, after changes")
        ->type_size(1)
        ->expected(-1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
}

void add_output(CLI::App& run, RunOptions& options) {
    run.add_flag("--prefix-output", options.spec.prefix_output, "Every line of output begins with its rank");
    run.add_option("--json", options.json_file, "Write what the job tells to this file, one JSON object a line");
    run.add_option("--kill-after", options.kill_after, "Seconds that mpirun may outlive the job")
        ->check(CLI::NonNegativeNumber);
    run.add_flag("-v,--verbose", options.verbose, "Also the command line, the parts of each stall, all of stderr");
    run.add_option("program", options.spec.program, "Program and its arguments, after --");
}

void say(const std::string& text) { std::fprintf(stderr, "muster: %s\n", text.c_str()); }

int refuse(const std::string& text) {
    say("bad_usage (2): " + text);
    return static_cast<int>(ExitCode::bad_usage);
}

/// Takes the faults to order; empty, or what is wrong with them.
std::string take_faults(RunOptions& options) {
    const char* inherited = std::getenv("MUSTER_INJECT");
    if (options.inject.empty() && inherited != nullptr) options.inject.emplace_back(inherited);
    for (const auto& part : options.inject) options.spec.inject += (options.spec.inject.empty() ? "" : ";") + part;
    const auto orders = core::parse_fault_orders(options.spec.inject);
    if (!orders) return "--inject " + orders.error().text;
    options.stopped_ranks = core::stops_for_ever(*orders);
    constexpr double kStoppedAfter = 2;  // Whoever stands still for ever needs not to be waited for.
    if (options.stopped_ranks) options.kill_after = std::min(options.kill_after, kStoppedAfter);
    return "";
}

launch::Outcome start(const RunOptions& options, const launch::Meeting& meeting, const launch::JobOptions& job) {
    if (!options.meeting.join.empty()) return launch::run_join(meeting, job);
    if (options.relaunch.dry_run) return dry_run(options.spec, job);
    if (options.meeting.wanted()) return launch::run_together(options.spec, meeting, job);
    return launch::run_job(options.spec, job);
}

int run(RunOptions& options) {
    if (!options.hosts.empty()) {
        auto list = launch::parse_hosts(options.hosts);
        if (!list.error.empty()) return refuse(list.error);
        options.spec.hosts = std::move(list.hosts);
    }
    for (std::size_t i = 0; i + 1 < options.mca.size(); i += 2)
        options.spec.mca.emplace_back(options.mca[i], options.mca[i + 1]);
    if (const auto wrong = take_faults(options); !wrong.empty()) return refuse(wrong);
    std::ofstream json;
    if (!options.json_file.empty()) {
        options.spec.events = "link";
        json.open(options.json_file);
        if (!json) return refuse("--json: " + options.json_file + " cannot be written");
    }
    const auto asked = meeting_of(options.meeting, options.spec, options.run_id);
    if (!asked.error.empty()) return refuse(asked.error);
    if (!options.run_id.empty()) options.spec.run_id = options.run_id;
    launch::JobOptions job{.verbose = options.verbose, .stopped_ranks = options.stopped_ranks};
    if (const auto wrong = take_relaunch(options.relaunch, options.spec, job); !wrong.empty()) return refuse(wrong);
    job.relaunching.returned_hosts = options.meeting.allow_relaunch;
    job.kill_after = std::chrono::milliseconds(static_cast<long>(options.kill_after * 1000));
    if (json.is_open()) job.on_event = [&](const nlohmann::json& event) { json << event.dump() << std::endl; };
    const auto outcome = start(options, asked.meeting, job);
    if (!outcome.text.empty() && (!outcome.detail || options.verbose)) say(outcome.text);
    return outcome.code;
}

}  // namespace

void register_run(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<RunOptions>();
    auto* command = app.add_subcommand("run", "Start a job under mpirun, see it through its losses, tell how it ended");
    add_shape(*command, *options);
    add_turns(*command, *options);
    add_state(*command, *options);
    add_place(*command, *options);
    add_meeting(*command, options->meeting);
    add_relaunch(*command, options->relaunch);
    add_faults(*command, *options);
    add_output(*command, *options);
    command->footer(kFooter);
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace muster::cli
