// SPDX-License-Identifier: Apache-2.0
#include "sim/stage.hpp"

#include <algorithm>
#include <bit>

#include "core/assert.hpp"

namespace muster::sim {
namespace {

constexpr std::size_t kSmall = 64;            ///< Up to so many members all are looked at after each event.
constexpr std::uint64_t kRestedMax = 60'000;  ///< Ticks; more than anything takes but a recovery.
constexpr std::uint32_t kDelayMin = 1, kDelayMax = 8;
constexpr std::uint64_t kSettleMs = 100;      ///< Of a publication, core/load_board: its settle_ms, and as much again.
constexpr std::uint64_t kHop = 2;             ///< Ticks of a collective per level of its tree.
constexpr std::uint64_t kStartLimitMs = 150;  ///< Of a replica.

core::PlanSettings plan_settings(const WorldOptions& options) {
    return {.placement = {.engines = options.engines,
                          .engine_ranks = options.engine_ranks,
                          .group_size = options.group_size,
                          .order = options.slot_order},
            .engines_min = options.engines_min,
            .controller = options.controller,
            .quorum = options.quorum,
            .launcher_node = "n0"};
}

std::uint32_t size_of(const WorldOptions& options) {
    return options.engines * options.engine_ranks + options.standbys + options.clients;
}

/// As in a job, at a tenth and less of its times. Ended goals are not forgotten, so that a lost one shows.
core::ControllerServerSettings controller_settings(const WorldOptions& options, std::uint32_t rank) {
    core::ControllerServerSettings settings{.period_ms = 20, .seed = 1'000 * options.seed + rank};
    settings.controller.health = {.every_ms = 60, .limit_ms = 100};
    settings.controller.goals_kept_ms = std::uint64_t{1} << 40;
    settings.controller.start_limit_ms = kStartLimitMs + 50;
    settings.controller.start_again_ms = 60;
    return settings;
}

core::SwitchboardSettings switchboard_settings(const WorldOptions& options, std::uint32_t rank) {
    return {.fan_out = options.fan_out,
            .router = {.routing = options.routing,
                       .seed = options.seed + rank,
                       .queue_max_per_engine = options.queue_max_per_engine,
                       .queue_max = options.queue_max},
            .load_interval_ms = options.load_interval_ms,
            .coordination = options.consensus != ConsensusMode::off,
            .controller = controller_settings(options, rank),
            .replicas = options.controller && options.orders_per_ms > 0,
            .steward = {.unit = std::max<std::uint32_t>(1, options.group_size) * options.engine_ranks,
                        .start_limit_ms = kStartLimitMs,
                        .gather_ms = 10}};
}

WaveRules wave_rules(const WorldOptions& options) {
    return {.lockstep = options.consensus != ConsensusMode::off,
            .always_work = options.work == Work::always,
            .told_within = told_within(options).value,
            .queue_max_per_engine = options.queue_max_per_engine,
            .queue_max = options.queue_max};
}

std::vector<core::Member> launch_of(const WorldOptions& options) {
    std::vector<core::Member> launch;
    const auto others = options.engines * options.engine_ranks + options.standbys;
    for (std::uint32_t rank = 0; options.recovery && rank < others + options.clients; ++rank) {
        const auto node = "n" + std::to_string(rank % options.nodes);
        launch.push_back({.rank = Rank{rank}, .node = node, .location = node, .client = rank >= others});
    }
    return launch;
}

}  // namespace

/// Up the tree a load waits at each level for the interval and a tick; then it is published, in the worst case after
/// the last whole step before it.
Tick told_within(const WorldOptions& options) {
    const std::uint64_t wait = options.load_interval_ms + kAgentTickMs;
    std::uint64_t levels = 1;
    for (auto last = size_of(options) - 1; last > 0; last = (last - 1) / options.fan_out) ++levels;
    return Tick{(levels * wait + 2 * wait + kSettleMs) * kTicksPerMs};
}

World::Stage::Stage(const WorldOptions& options)
    : options_(options),
      dice_(options.seed),
      network_(kDelayMin, kDelayMax),
      plan_settings_(plan_settings(options)),
      launch_(launch_of(options)),
      witness_(size_of(options), plan_settings_, launch_),
      traffic_(options.loads ? witness_.size() : 0, options.load_interval_ms),
      may_close_(dice_.chance(options.closing_worlds)),
      deaths_left_(options.faults.kill() ? options.faults.deaths_max : 0),
      hangs_left_(options.faults.hang() ? options.faults.hangs_max : 0) {
    const auto world = options.engines * options.engine_ranks;
    const auto size = size_of(options);
    small_ = size <= kSmall;
    Pool all;
    members_.resize(size);
    for (std::uint32_t rank = 0; rank < size; ++rank) {
        Member& member = members_[rank];
        member.rank = Rank{rank};
        member.client = rank >= world + options.standbys;
        member.switchboard.emplace(member.rank, switchboard_settings(options, rank));
        member.desk = std::make_unique<core::LeaveDesk>(kLeaveWindowMs);
        all.members.push_back(member.rank);
    }
    pools_.push_back(std::move(all));
    witness_.waves().expect(wave_rules(options));
    if (deploys()) witness_.expect_deployments();
    begin();
}

/// The first round takes the way of all others, from the gathering on; without a recovery it is simply there.
void World::Stage::begin() {
    core::Plan plan;
    plan.round = Round{1};
    for (std::uint32_t rank = 0; rank < options_.engines * options_.engine_ranks; ++rank)
        plan.world.push_back(Rank{rank});
    if (!options_.recovery) {
        counts_.rounds = 1;
        witness_.enters_round(members_.front(), plan, {}, members_);
    }
    for (auto& member : members_) {
        if (options_.recovery) {
            member.recovery = std::make_unique<core::Recovery>(member.rank, plan_settings_, launch_);
            answer(member, Waits::certainty, dice_.below(100), core::Shrunk{pools_.front().members});
        } else {
            enter_round(member, plan, Rank{0}, pools_.front().members);
        }
    }
    begin_programs();
    if (options_.acts_per_ms <= 0 && options_.bursts_per_ms <= 0) return;
    for (auto& member : members_) {
        const bool acts = options_.clients > 0 ? member.client : dice_.below(members_.size()) < 2;
        if (!acts) continue;
        member.book = std::make_unique<ClientBook>();
        if (options_.acts_per_ms > 0) arrange(dice_.between(1, 1'000), member, Happening::client_acts);
        if (options_.bursts_per_ms > 0) arrange(dice_.between(1, 1'000), member, Happening::client_bursts);
        if (!options_.loads) continue;
        witness_.waves().watches(member);
        post(member, mail::Watch{});
    }
}

void World::Stage::arrange(std::uint64_t in, const Member& member, Happening what, std::uint32_t payload,
                           std::uint32_t epoch) {
    queue_.push({.at = now() + in, .member = member.rank.value, .epoch = epoch, .payload = payload, .what = what});
}

void World::Stage::tell(const Member& member, const std::string& what) const {
    if (followed()) options_.trace(std::to_string(now()) + " rank " + std::to_string(member.rank.value) + ": " + what);
}

std::uint64_t World::Stage::depth(std::size_t members) {
    return kHop * static_cast<std::uint64_t>(std::bit_width(members - (members > 0 ? 1 : 0))) + 1;
}

void World::Stage::run(std::uint64_t until) {
    std::uint64_t since = 0;
    while (witness_.violations().empty()) {
        const auto event = queue_.pop(until);
        if (!event) return;
        happen(*event);
        if (!small_ && ++since < 4 * members_.size()) continue;
        since = 0;
        witness_.looks_at(members_, now(), kRestedMax);
        if (options_.loads) witness_.waves().looks_at(members_, now());
    }
}

void World::Stage::happen(const Event& event) {
    Member& member = members_[event.member];
    if (event.what == Happening::wakes || event.what == Happening::evicted) {
        if (!member.alive || !member.hung || event.epoch != member.hangs) return;
        return event.what == Happening::wakes ? wake(member) : evict(member);
    }
    if (member.alive && (member.hung || falls_asleep(member))) return member.frozen.push_back(event);
    ++counts_.events;
    if (deaths_left_ > 0 && member.alive) tempt_fate(member);
    if (!member.alive) return void_event(event);
    if (event.what >= Happening::engine_begins && event.what <= Happening::barrier_crossed)
        to_engine(member, event);
    else
        to_agent(member, event);
    if (member.alive && member.dies_after) die(member);  // It did not come to send that much.
}

/// Nobody is there for it any more.
void World::Stage::void_event(const Event& event) {
    if (event.what == Happening::packet) (void)network_.take(event.payload);
    if (event.what == Happening::agent_hears) free_inputs_.push_back(event.payload);
}

void World::Stage::to_agent(Member& member, const Event& event) {
    const bool late = event.epoch != member.agent_epoch;
    switch (event.what) {
        case Happening::packet: return receive(member, event.payload);
        case Happening::notice: return notice(member, event.payload);
        case Happening::agent_goes_on: return late ? void() : go_on(member);
        case Happening::agent_hears: return late ? void_event(event) : hear_answer(member, event.payload);
        case Happening::mail: return read_mail(member);
        case Happening::tick: return agent_tick(member);
        case Happening::client_acts: return client_acts(member);
        case Happening::client_bursts: return client_bursts(member);
        case Happening::client_aborts: return take_back(member, RequestId{event.payload});
        case Happening::program_wishes: return program_wishes(member);
        case Happening::program_seats: return program_seats(member);
        case Happening::program_calls: return program_calls(member);
        case Happening::program_orders: return program_orders(member);
        case Happening::program_listens: return program_listens(member);
        case Happening::replica_prepared: return replica_prepared(member, core::SeatId{event.payload});
        case Happening::call_due: return call_due(member, event.payload);
        default: MUSTER_ASSERT(false);
    }
}

void World::Stage::to_engine(Member& member, const Event& event) {
    if (event.what == Happening::engine_begins) return take_round(member);
    if (event.epoch != member.engine->epoch || member.engine->doing == Doing::finished) return;
    switch (event.what) {
        case Happening::engine_looks: return look(member);
        case Happening::batch_there:
            if (member.engine->doing != Doing::batch) return;
            if (const auto order = take_batch(member)) carry_out(member, *order);
            return;
        case Happening::vote_counted: return vote_counted(member, event.payload);
        case Happening::forward_done: return finish_forward(member);
        case Happening::hooks_done: return program_returns(member);
        case Happening::barrier_crossed: return cross(member);
        default: MUSTER_ASSERT(false);
    }
}

}  // namespace muster::sim
