// SPDX-License-Identifier: Apache-2.0
#include "sim/study.hpp"

#include <algorithm>
#include <array>

namespace muster::sim {
namespace {

constexpr Tick kPatience{20'000'000};             ///< For one state; a world that needs longer has come to a stop.
constexpr std::uint64_t kRestlessTicks = 10'000;  ///< Per cycle, where clients act of their own accord.
constexpr std::uint32_t kRequestsPerState = 8, kRequestsInAPause = 30;

void add(const Counts& one, Counts& sum) {
    sum.events += one.events;
    sum.packets += one.packets;
    sum.bytes += one.bytes;
    sum.votes += one.votes;
    sum.forwards += one.forwards;
    sum.dummy_forwards += one.dummy_forwards;
    sum.barriers += one.barriers;
    sum.rounds += one.rounds;
    sum.deaths += one.deaths;
    sum.hangs += one.hangs;
    sum.cut_off += one.cut_off;
    sum.fenced += one.fenced;
    sum.wishes += one.wishes;
    sum.seated += one.seated;
    sum.unseated += one.unseated;
    sum.no_room += one.no_room;
    sum.dissolved += one.dissolved;
    sum.calls += one.calls;
    sum.answered += one.answered;
    sum.refused_calls += one.refused_calls;
    sum.late_calls += one.late_calls;
    sum.registry_calls += one.registry_calls;
    sum.registry_answered += one.registry_answered;
    sum.registry_refused += one.registry_refused;
    for (const auto figure :
         {&Counts::orders, &Counts::orders_done, &Counts::orders_refused, &Counts::looked, &Counts::waited,
          &Counts::heard, &Counts::prepares, &Counts::prepares_failed, &Counts::copies, &Counts::losses})
        sum.*figure += one.*figure;
    sum.operations += one.operations;
    sum.refused += one.refused;
    sum.requests += one.requests;
    sum.replies += one.replies;
    sum.errors += one.errors;
    sum.taken_back += one.taken_back;
    sum.aborted += one.aborted;
    sum.busy += one.busy;
    sum.waves += one.waves;
    sum.wakes += one.wakes;
    sum.told += one.told;
    sum.load_packets += one.load_packets;
    sum.loads_most = std::max(sum.loads_most, one.loads_most);
    sum.traffic_most = std::max(sum.traffic_most, one.traffic_most);
    sum.last_wake = std::max(sum.last_wake, one.last_wake);
    sum.packets_most = std::max(sum.packets_most, one.packets_most);
    sum.last_crossing = std::max(sum.last_crossing, one.last_crossing);
}

/// What went wrong on the way to `state`; empty where nothing did.
std::string lead(World& world, State state) {
    const bool there = world.reaches(state, kPatience);
    if (!world.violations().empty()) return world.violations();
    if (there || world.ended()) return "";
    return std::string("the job never comes to ") + name_of(state) + "\n" + world.story();
}

/// Requests wait through a pause and are answered after it, and clients are told of both.
std::string come_to_rest(World& world, const WorldOptions& options) {
    for (const State state : {State::running, State::paused, State::running}) {
        if (world.ended()) return "";
        if (auto wrong = lead(world, state); !wrong.empty()) return wrong;
        if (state == State::paused) world.submit(kRequestsInAPause);
        world.run(Tick{told_within(options).value + kRestlessTicks});
        if (!world.violations().empty()) return world.violations();
    }
    return "";
}

std::string live_through(World& world, const Study& study, const WorldOptions& options,
                         const std::function<void(const World&)>& look) {
    constexpr std::array kCycle{State::running, State::paused, State::suspended, State::paused};
    const bool restless = study.world.acts_per_ms > 0;
    for (std::uint32_t cycle = 0; cycle < study.cycles && !world.ended(); ++cycle) {
        if (restless) world.run(Tick{kRestlessTicks});
        if (!world.violations().empty()) return world.violations();
        look(world);
        for (const State state : kCycle) {
            if (restless) break;  // The clients lead it elsewhere all the time.
            world.submit(kRequestsPerState);
            if (auto wrong = lead(world, state); !wrong.empty()) return wrong;
            look(world);
        }
    }
    world.heal();
    if (options.loads)
        if (auto wrong = come_to_rest(world, options); !wrong.empty()) return wrong;
    for (const State state : {State::running, State::stopped}) {
        if (world.ended()) return "";
        if (auto wrong = lead(world, state); !wrong.empty()) return wrong;
    }
    return "";
}

}  // namespace

Findings run(const Study& study, const std::function<void(const Findings&)>& progress) {
    Findings findings;
    for (std::uint64_t i = 0; i < study.seeds && findings.violations.size() < kViolationsMax; ++i) {
        WorldOptions options = study.world;
        options.seed = study.world.seed + i;
        if (study.draw) study.draw(options);
        World world(options);
        auto wrong = live_through(world, study, options, [&](const World& now) {
            Findings so_far = findings;
            add(now.counts(), so_far.counts);
            progress(so_far);
        });
        ++findings.seeds;
        add(world.counts(), findings.counts);
        if (world.ended() && *world.ended() != ExitCode::finished) ++findings.ended_early;
        if (!wrong.empty()) findings.violations.push_back({options.seed, std::move(wrong)});
        progress(findings);
    }
    return findings;
}

}  // namespace muster::sim
