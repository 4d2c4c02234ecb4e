// SPDX-License-Identifier: Apache-2.0
#include "serve/report.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

namespace serve {
namespace {

using Json = nlohmann::ordered_json;
constexpr double kMib = 1 << 20;

double accuracy_of(const TrafficReport& traffic) {
    return traffic.answered == 0 ? 0 : static_cast<double>(traffic.right) / static_cast<double>(traffic.answered);
}

/// The value that a part of all answer times stays below.
double time_at(std::vector<double> times, double part) {
    if (times.empty()) return 0;
    const auto at = times.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(times.size() - 1));
    std::nth_element(times.begin(), at, times.end());
    return *at;
}

Json to_json(const muster::RoundReport& round) {
    Json json{{"round", round.to.value}, {"lost", Json::array()}, {"promoted", Json::array()}};
    for (const auto& loss : round.lost) json["lost"].push_back(loss.rank.value);
    for (const auto& promotion : round.promoted) json["promoted"].push_back(promotion.rank.value);
    json["stalled_ms"] = round.stalled_ms;
    return json;
}

Json to_json(const Report& report, const std::vector<std::string>& problems) {
    const auto& traffic = report.traffic;
    Json json{{"sent", traffic.sent},
              {"answered", traffic.answered},
              {"accuracy", accuracy_of(traffic)},
              {"differing", traffic.differing},
              {"answered_twice", traffic.twice},
              {"median_ms", time_at(traffic.times_ms, 0.5)},
              {"slowest_ms", time_at(traffic.times_ms, 1)},
              {"transitions", Json::array()},
              {"engines", Json::array()},
              {"rounds", Json::array()},
              {"scalings", Json::array()},
              {"calls", report.deployment.calls},
              {"goals", report.deployment.goals},
              {"replicas", traffic.replicas},
              {"problems", problems}};
    for (const auto& t : report.signals.transitions)
        json["transitions"].push_back({{"signal", t.signal}, {"ms", t.ms}, {"open_requests", t.open_requests}});
    for (const auto& [rank, engine] : traffic.engines)
        json["engines"].push_back({{"rank", rank},
                                   {"answered", engine.answered},
                                   {"forwards", engine.word.forwards},
                                   {"dummy_forwards", engine.word.dummy_forwards},
                                   {"released_mib", static_cast<double>(engine.word.released_bytes) / kMib}});
    for (const auto& s : report.deployment.scalings)
        json["scalings"].push_back({{"replicas", s.replicas}, {"ms", s.ms}});
    for (const auto& round : report.rounds) json["rounds"].push_back(to_json(round));
    return json;
}

unsigned long long wide(std::uint64_t number) { return number; }

void print_transitions(const OperatorReport& signals) {
    std::printf("\n%-12s%12s%16s\n", "transition", "ms", "open requests");
    for (const auto& t : signals.transitions)
        std::printf("%-12s%12.1f%16zu\n", t.signal.c_str(), t.ms, t.open_requests);
}

void print_scalings(const DeploymentReport& deployment) {
    if (!deployment.scalings.empty()) std::printf("\n%-12s%12s\n", "replicas", "ms");
    for (const auto& s : deployment.scalings) std::printf("%-12u%12.1f\n", s.replicas, s.ms);
    if (deployment.calls > 0)
        std::printf("%llu random calls of the controller, %llu goals, all of them there at the end\n",
                    wide(deployment.calls), wide(deployment.goals));
}

void print_engines(const TrafficReport& traffic) {
    std::printf("\n%-12s%12s%16s%16s%22s\n", "engine", "answered", "forwards", "dummy forwards", "released, suspended");
    for (const auto& [rank, engine] : traffic.engines)
        std::printf("rank %-7u%12llu%16llu%16llu%18.1f MiB\n", rank, wide(engine.answered), wide(engine.word.forwards),
                    wide(engine.word.dummy_forwards), static_cast<double>(engine.word.released_bytes) / kMib);
}

void print_rounds(const std::vector<muster::RoundReport>& rounds) {
    if (!rounds.empty()) std::printf("\n");
    for (const auto& round : rounds) {
        std::printf("round %u->%u:", round.from.value, round.to.value);
        for (const auto& loss : round.lost) std::printf(" lost rank %u (%s),", loss.rank.value, loss.text.c_str());
        for (const auto& promotion : round.promoted)
            std::printf(" rank %u promoted to slot %u,", promotion.rank.value, promotion.slot.value);
        std::printf(" stalled %.1f ms\n", round.stalled_ms);
    }
}

void print_table(const Report& report, const std::vector<std::string>& problems) {
    const auto& traffic = report.traffic;
    std::printf("%-12s%12llu\n", "sent", wide(traffic.sent));
    std::printf("%-12s%12llu   %llu of them twice\n", "answered", wide(traffic.answered), wide(traffic.twice));
    std::printf("%-12s%12.4f   %llu answers differ from a quiet run's\n", "accuracy", accuracy_of(traffic),
                wide(traffic.differing));
    std::printf("%-12s%12.1f ms, the slowest %.1f ms\n", "median", time_at(traffic.times_ms, 0.5),
                time_at(traffic.times_ms, 1));
    print_transitions(report.signals);
    print_scalings(report.deployment);
    print_engines(traffic);
    print_rounds(report.rounds);
    std::printf("\n");
    for (const auto& problem : problems) std::printf("serve: failed: %s\n", problem.c_str());
    if (problems.empty()) std::printf("serve: every request was answered once, and as in a quiet run.\n");
    std::fflush(stdout);
}

}  // namespace

std::vector<std::string> problems_of(const Report& report, const Options& options) {
    const auto& traffic = report.traffic;
    std::vector<std::string> problems = traffic.failures;
    const auto unless_zero = [&](std::uint64_t number, const char* what) {
        if (number != 0) problems.push_back(std::to_string(number) + what);
    };
    unless_zero(options.requests - traffic.answered, " requests were not answered");
    unless_zero(traffic.twice, " answers came to requests that had one");
    unless_zero(traffic.strange, " answers came to nothing that was asked");
    unless_zero(traffic.differing, " answers are not those of a quiet run");
    if (report.deployment.failure) problems.push_back("deployment: " + *report.deployment.failure);
    if (report.signals.failure) problems.push_back("operator: " + *report.signals.failure);
    for (const auto& order : options.kills) {
        const auto died = [&](const muster::Loss& loss) { return loss.rank == order.rank; };
        const bool happened = std::any_of(report.rounds.begin(), report.rounds.end(), [&](const auto& round) {
            return std::any_of(round.lost.begin(), round.lost.end(), died);
        });
        if (!happened) problems.push_back("rank " + std::to_string(order.rank.value) + " was to be killed and was not");
    }
    return problems;
}

bool show(const Report& report, const std::vector<std::string>& problems, const Options& options) {
    const auto json = to_json(report, problems);
    if (options.json == "-") return static_cast<bool>(std::cout << json.dump(2) << std::endl);
    print_table(report, problems);
    if (options.json.empty()) return true;
    std::ofstream file(options.json);
    return static_cast<bool>(file << json.dump(2) << std::endl);
}

}  // namespace serve
