// SPDX-License-Identifier: Apache-2.0
/// `muster simulate`: virtual members under a seed, live through signals and deaths; the rules that must hold are
/// looked at all the time.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/commands.hpp"
#include "cli/simulate_waves.hpp"
#include "muster/exit_codes.hpp"
#include "sim/controller_worlds.hpp"
#include "sim/study.hpp"

namespace muster::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// Where members die each has a core::Recovery, which knows all others.
constexpr std::uint32_t kRecoveryMembersMax = 1024;
constexpr std::uint32_t kControllerMembersMin = 12;
constexpr double kSeatsPerMs = 0.1;      ///< Of each member's; only the coordinator's count.
constexpr std::uint32_t kHugeGroup = 8;  ///< Engines a lockstep group, where one of all is beyond belief.
constexpr auto kProgressEvery = std::chrono::seconds(2);

struct SimulateOptions {
    std::string machine = "lifecycle";
    std::optional<std::uint32_t> members, standbys, clients, nodes, cycles;  ///< Else the machine's own.
    std::optional<double> kill, acts;
    sim::Study study;
    bool json = false, trace = false;
    SimulateOptions() {
        study.world.stay = false;
        study.world.faults.deaths_max = 8;
        study.world.faults.hangs_max = 8;
    }
};

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

double memory_mib() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// One lockstep group to begin with, and all others are room for replicas.
void choose_seats(SimulateOptions& options) {
    auto& world = options.study.world;
    world.seats_per_ms = kSeatsPerMs;
    if (world.group_size == 0) world.group_size = 2;
    const auto taken = world.clients + world.group_size * world.engine_ranks;
    if (!options.standbys) world.standbys = *options.members - std::min(*options.members, taken);
}

/// All is drawn by the seed, but for how many members there are.
void choose_deployments(SimulateOptions& options) {
    auto& world = options.study.world;
    if (!options.members) options.members = 20;
    world.engines = *options.members;
    world.recovery = world.controller = true;
    world.acts_per_ms = 1;  // So that nobody leads it from state to state.
    options.study.cycles = options.cycles.value_or(40);
    options.study.draw = sim::draw_deployments;
}

/// What was not said. Of a rendezvous there is much to see only where much happens to it.
void choose(SimulateOptions& options) {
    auto& world = options.study.world;
    const bool waves = options.machine == "waves";
    const bool huge = waves && options.members.value_or(0) > kRecoveryMembersMax;  // Nobody dies there.
    const bool rendezvous = options.machine == "rendezvous" || (waves && !huge);
    if (!options.members) options.members = rendezvous ? 20 : 8;
    world.standbys = options.standbys.value_or(rendezvous ? *options.members / 5 : 0);
    world.clients = options.clients.value_or(rendezvous && *options.members > 5 ? 1 : 0);
    world.nodes =
        options.nodes.value_or(rendezvous ? std::max(1U, *options.members * 3 / 4) : 1);  // Some are alone on theirs.
    world.acts_per_ms = options.acts.value_or(waves ? (huge ? 0 : 0.1) : rendezvous ? 0.3 : 0);
    world.faults.kill_per_event = options.kill.value_or(rendezvous ? 0.0001 : 0);
    options.study.cycles = options.cycles.value_or(rendezvous ? 20 : 1);
    if (waves) options.study.draw = sim::draw_requests;
    if (huge && world.group_size == 0) world.group_size = kHugeGroup;
    if (world.controller) choose_seats(options);
    if (!rendezvous) return;
    world.calls_per_ms = waves ? 0.02 : 0.2;
    world.wishes_per_ms = 0.003;
    world.closing_worlds = 0.1;
    world.faults.hang_per_event = 2 * world.faults.kill_per_event;
    world.faults.hang_coordinator = world.faults.kill_coordinator = 5 * world.faults.kill_per_event;
    world.faults.stale_packet = 0.2;
}

/// What is wrong with the numbers; empty: nothing. Fills in what follows from them.
std::string complete(SimulateOptions& options) {
    if (options.machine == "controller") {
        choose_deployments(options);
        const bool fits = *options.members >= kControllerMembersMin && *options.members <= kRecoveryMembersMax;
        return fits ? ""
                    : "--machine controller needs " + std::to_string(kControllerMembersMin) + " to " +
                          std::to_string(kRecoveryMembersMax) + " members";
    }
    choose(options);
    auto& world = options.study.world;
    const auto members = *options.members;
    const auto others = world.standbys + world.clients;
    const auto unit = world.engine_ranks * std::max<std::uint32_t>(1, world.group_size);
    if (members <= others) return "--members counts standbys and clients too: no engine is left";
    if ((members - others) % unit != 0)
        return std::to_string(members - others) + " members that are no standbys or clients are no multiple of " +
               std::to_string(unit) + " (--engine-ranks x --group-size)";
    world.engines = (members - others) / world.engine_ranks;
    world.stay = world.acts_per_ms > 0;  // Clients stop it as they like; it is started again.
    world.recovery = world.faults.kill() || world.wishes_per_ms > 0 || world.controller;
    world.faults.kill_per_recovery_event = world.faults.kill_per_event;
    world.faults.deaths_max = std::min(world.faults.deaths_max, members - 1);
    if (world.recovery && members > kRecoveryMembersMax)
        return "--kill and --controller need at most " + std::to_string(kRecoveryMembersMax) + " members";
    return "";
}

nlohmann::json as_json(const SimulateOptions& options, const sim::Findings& findings,
                       const std::vector<sim::WaveCost>& costs, double seconds) {
    const auto& counts = findings.counts;
    nlohmann::json violations = nlohmann::json::array();
    for (const auto& violation : findings.violations)
        violations.push_back({{"seed", violation.seed}, {"text", violation.text}});
    nlohmann::json figures{{"machine", options.machine},
                           {"members", *options.members},
                           {"first_seed", options.study.world.seed},
                           {"seeds", findings.seeds},
                           {"seconds", seconds},
                           {"events", counts.events},
                           {"events_per_s", static_cast<double>(counts.events) / seconds},
                           {"memory_mib", memory_mib()},
                           {"rounds", counts.rounds},
                           {"deaths", counts.deaths},
                           {"hangs", counts.hangs},
                           {"cut_off", counts.cut_off},
                           {"fenced", counts.fenced},
                           {"wishes", counts.wishes},
                           {"store_calls", counts.calls},
                           {"store_answered", counts.answered},
                           {"store_refused", counts.refused_calls},
                           {"store_timed_out", counts.late_calls},
                           {"registry_calls", counts.registry_calls},
                           {"registry_answered", counts.registry_answered},
                           {"ended_early", findings.ended_early},
                           {"barriers", counts.barriers},
                           {"packets", counts.packets},
                           {"votes", counts.votes},
                           {"forwards", counts.forwards},
                           {"dummy_forwards", counts.dummy_forwards},
                           {"operations", counts.operations},
                           {"requests", counts.requests},
                           {"answered", counts.replies},
                           {"refused_requests", counts.errors},
                           {"violations", violations}};
    if (options.study.world.controller)
        figures["seats"] = {{"seated", counts.seated},
                            {"unseated", counts.unseated},
                            {"no_room", counts.no_room},
                            {"dissolved", counts.dissolved}};
    if (options.machine == "controller")
        figures["controller"] = {{"changes", counts.orders},
                                 {"done", counts.orders_done},
                                 {"refused", counts.orders_refused},
                                 {"looked", counts.looked},
                                 {"goals_waited_for", counts.waited},
                                 {"changes_heard", counts.heard},
                                 {"prepares", counts.prepares},
                                 {"prepares_failed", counts.prepares_failed},
                                 {"copies", counts.copies},
                                 {"states_lost", counts.losses}};
    if (!costs.empty()) add_waves(figures, counts, costs, options.study.world.fan_out);
    return figures;
}

void print(const SimulateOptions& options, const sim::Findings& findings, const std::vector<sim::WaveCost>& costs,
           double seconds) {
    const auto& counts = findings.counts;
    const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    std::printf("%u members, %llu seed%s, %.1f s\n", *options.members, number(findings.seeds),
                findings.seeds == 1 ? "" : "s", seconds);
    std::printf("  events      %llu, %.2f M/s\n", number(counts.events),
                static_cast<double>(counts.events) / seconds / 1e6);
    std::printf("  memory      %.0f MiB\n", memory_mib());
    std::printf("  deaths      %llu, rounds %llu, jobs with too few left %llu\n", number(counts.deaths),
                number(counts.rounds), number(findings.ended_early));
    std::printf("  hangs       %llu, cut off %llu, of these stopped themselves %llu\n", number(counts.hangs),
                number(counts.cut_off), number(counts.fenced));
    std::printf("  wishes      %llu; store calls %llu, answered %llu, refused %llu, timed out %llu\n",
                number(counts.wishes), number(counts.calls), number(counts.answered), number(counts.refused_calls),
                number(counts.late_calls));
    std::printf("  registry    %llu calls, answered %llu\n", number(counts.registry_calls),
                number(counts.registry_answered));
    std::printf("  barriers    %llu, votes %llu, forwards %llu, dummy forwards %llu\n", number(counts.barriers),
                number(counts.votes), number(counts.forwards), number(counts.dummy_forwards));
    std::printf("  messages    %llu, most by one member %llu\n", number(counts.packets), number(counts.packets_most));
    std::printf("  requests    %llu, answered %llu, refused %llu\n", number(counts.requests), number(counts.replies),
                number(counts.errors));
    if (options.study.world.controller)
        std::printf("  replicas    seated %llu, unseated %llu, without room %llu, dissolved %llu\n",
                    number(counts.seated), number(counts.unseated), number(counts.no_room), number(counts.dissolved));
    if (options.machine == "controller")
        std::printf(
            "  controller  %llu changes, done %llu, refused %llu; goals waited for %llu, changes heard %llu\n"
            "  preparing   %llu, failed %llu; copies of requests %llu; all holders of the state gone %llu times\n",
            number(counts.orders), number(counts.orders_done), number(counts.orders_refused), number(counts.waited),
            number(counts.heard), number(counts.prepares), number(counts.prepares_failed), number(counts.copies),
            number(counts.losses));
    if (!costs.empty()) print_waves(counts, costs, options.study.world.fan_out);
    std::printf("  violations  %zu\n", findings.violations.size());
    for (const auto& violation : findings.violations)
        std::printf("seed %llu (again: the same command with --seed %llu --seeds 1 --trace)\n%s\n",
                    number(violation.seed), number(violation.seed), violation.text.c_str());
}

int simulate(SimulateOptions options) {
    if (const auto wrong = complete(options); !wrong.empty()) {
        std::fprintf(stderr, "muster: simulate: %s\n", wrong.c_str());
        return static_cast<int>(ExitCode::bad_usage);
    }
    if (options.trace)
        options.study.world.trace = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
    const auto begin = Clock::now();
    auto said = begin;
    auto findings = sim::run(options.study, [&](const sim::Findings& so_far) {
        if (Clock::now() - said < kProgressEvery) return;
        said = Clock::now();
        std::fprintf(stderr, "muster: simulate: %llu of %llu seeds, %.1f M events, %.0f s\n",
                     static_cast<unsigned long long>(so_far.seeds),
                     static_cast<unsigned long long>(options.study.seeds),
                     static_cast<double>(so_far.counts.events) / 1e6, seconds_since(begin));
    });
    std::vector<sim::WaveCost> costs;
    if (options.machine == "waves")
        costs = sim::wave_costs(*options.members, options.study.world.fan_out, options.study.world.seed);
    for (const auto& cost : costs)
        if (!cost.violations.empty()) findings.violations.push_back({options.study.world.seed, cost.violations});
    const double seconds = seconds_since(begin);
    if (options.json)
        std::printf("%s\n", as_json(options, findings, costs, seconds).dump().c_str());
    else
        print(options, findings, costs, seconds);
    return findings.violations.empty() ? 0 : 1;
}

}  // namespace

void register_simulate(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<SimulateOptions>();
    auto& world = options->study.world;
    auto* command = app.add_subcommand("simulate", "Run the core with virtual members, clock, network and deaths");
    command->add_option("--machine", options->machine, "What is simulated")
        ->check(CLI::IsMember({"lifecycle", "rendezvous", "waves", "controller"}));
    command->add_option("--members", options->members, "All of them: engines' ranks, standbys, clients (8, others: 20)")
        ->check(CLI::Range(1, 1'000'000));
    command->add_option("--engine-ranks", world.engine_ranks, "Members per engine")->check(CLI::Range(1, 64));
    command->add_option("--group-size", world.group_size, "Engines per lockstep group; 0: one group");
    command->add_flag("--controller", world.controller, "The world holds replicas that come and go, of a group each");
    command->add_option("--standbys", options->standbys, "Members beyond the world");
    command->add_option("--clients", options->clients, "Members that only ask; none: any member does");
    command->add_option("--fan-out", world.fan_out, "To how many a member passes a signal on")
        ->check(CLI::Range(1, 64));
    command->add_option("--nodes", options->nodes, "Members are dealt to them in turn")->check(CLI::Range(1, 100'000));
    command->add_option("--seed", world.seed, "The first one");
    command->add_option("--seeds", options->study.seeds, "How many worlds, one seed each")->check(CLI::PositiveNumber);
    command->add_option("--cycles", options->cycles, "Pause, suspend, resume, unpause so often");
    command->add_option("--acts", options->acts, "Instead: so many random acts a client and virtual ms");
    command->add_option("--kill", options->kill, "Probability that an event kills its member")
        ->check(CLI::Range(0.0, 1.0));
    command->add_option("--deaths", world.faults.deaths_max, "At most so many a world (8)");
    command->add_option("--hangs", world.faults.hangs_max,
                        "At most so many members stopped a world (8; not lifecycle)");
    command->add_flag("--json", options->json, "One JSON object");
    command->add_flag("--trace", options->trace, "Every message, death, round and crossing on stderr");
    command->footer(
        "Examples:\n"
        "  muster simulate --members 100000 --group-size 8\n"
        "  muster simulate --members 11 --standbys 2 --clients 1 --kill 0.001 --acts 2 --seeds 1000\n"
        "  muster simulate --members 11 --standbys 2 --clients 1 --kill 0.001 --acts 2 --seed 17 --trace\n"
        "  muster simulate --machine rendezvous --members 20 --seeds 1000    # they die, hang, come back, regroup, use "
        "the store\n"
        "  muster simulate --machine waves --members 20 --seeds 1000    # bursts of requests, loads, waves, beside all "
        "that\n"
        "  muster simulate --machine waves --members 10000              # and what loads and wakes cost\n"
        "  muster simulate --machine controller --seeds 1000            # calls, replicas, requests by endpoint; "
        "coordinators die\n"
        "Exit code: 0 all rules held, 1 one was broken (its seed is printed), 2 bad usage.");
    command->callback([options, &exit_code] { exit_code = simulate(*options); });
}

}  // namespace muster::cli
