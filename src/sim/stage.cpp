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
constexpr std::uint64_t kHop = 2;  ///< Ticks of a collective per level of its tree.

core::PlanSettings plan_settings(const WorldOptions& options) {
    return {.placement = {.engines = options.engines,
                          .engine_ranks = options.engine_ranks,
                          .group_size = options.group_size,
                          .order = options.slot_order},
            .engines_min = 1,
            .quorum = options.quorum,
            .launcher_node = "n0"};
}

}  // namespace

const char* name_of(Doing doing) {
    switch (doing) {
        case Doing::parked: return "parked";
        case Doing::batch: return "waits for its source";
        case Doing::vote: return "votes";
        case Doing::meeting: return "meets in a forward";
        case Doing::computing: return "computes";
        case Doing::hooks: return "in its hooks";
        case Doing::rest: return "rests";
        case Doing::barrier: return "in the barrier";
        case Doing::finished: return "finished";
    }
    return "unknown";
}

World::Stage::Stage(const WorldOptions& options)
    : options_(options),
      dice_(options.seed),
      network_(kDelayMin, kDelayMax),
      plan_settings_(plan_settings(options)),
      witness_(options.engines * options.engine_ranks + options.standbys + options.clients),
      deaths_left_(options.faults.any() ? options.faults.deaths_max : 0) {
    const auto world = options.engines * options.engine_ranks;
    const auto size = world + options.standbys + options.clients;
    small_ = size <= kSmall;
    Pool all;
    members_.resize(size);
    for (std::uint32_t rank = 0; rank < size; ++rank) {
        Member& member = members_[rank];
        member.rank = Rank{rank};
        member.client = rank >= world + options.standbys;
        member.switchboard.emplace(member.rank, core::SwitchboardSettings{.fan_out = options.fan_out});
        member.desk = std::make_unique<core::LeaveDesk>(kLeaveWindowMs);
        all.members.push_back(member.rank);
        if (!options.recovery) continue;
        const auto node = "n" + std::to_string(rank % options.nodes);
        launch_.push_back({.rank = member.rank, .node = node, .location = node, .client = member.client});
    }
    pools_.push_back(std::move(all));
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
        witness_.enters_round(members_.front(), plan, members_);
    }
    for (auto& member : members_) {
        if (options_.recovery) {
            member.recovery = std::make_unique<core::Recovery>(member.rank, plan_settings_, launch_);
            answer(member, Waits::certainty, dice_.below(100), core::Shrunk{pools_.front().members});
        } else {
            enter_round(member, plan, Rank{0}, pools_.front().members);
        }
    }
    if (options_.acts_per_ms <= 0) return;
    for (auto& member : members_) {
        const bool acts = options_.clients > 0 ? member.client : dice_.below(members_.size()) < 2;
        if (!acts) continue;
        member.book = std::make_unique<ClientBook>();
        arrange(dice_.between(1, 1'000), member, Happening::client_acts);
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
    }
}

void World::Stage::happen(const Event& event) {
    ++counts_.events;
    Member& member = members_[event.member];
    if (deaths_left_ > 0 && member.alive) tempt_fate(member);
    if (!member.alive) return void_event(event);
    if (event.what >= Happening::engine_begins && event.what <= Happening::barrier_crossed)
        to_engine(member, event);
    else
        to_agent(member, event);
    if (member.alive && member.dies_after) die(member);  // It did not come to send that much.
}

/// Half of those who die do so before what happens to them, half in the middle of what they do then.
void World::Stage::tempt_fate(Member& member) {
    const Faults& faults = options_.faults;
    double risk = faults.kill_per_event;
    if (!member.steady)
        risk += faults.kill_per_recovery_event;
    else if (member.switchboard->coordinates())
        risk += faults.kill_coordinator;
    if (!dice_.chance(risk)) return;
    if (dice_.below(2) == 0) return die(member);
    member.dies_after = dice_.below(4);
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

bool World::Stage::dies_now(Member& member) {
    if (!member.dies_after || (*member.dies_after)-- > 0) return false;
    die(member);
    return true;
}

/// SIGKILL: it sends nothing more, and those who share a pool with it learn of that sooner or later.
void World::Stage::die(Member& member) {
    if (!member.alive) return;
    MUSTER_ASSERT(options_.recovery);
    tell(member, "dies");
    member.alive = false;
    member.dies_after.reset();
    ++counts_.deaths;
    if (deaths_left_ > 0) --deaths_left_;
    for (const auto& peer : members_) {
        if (!peer.alive || peer.ended) continue;
        const auto& pool = pools_[peer.pool].members;
        if (std::binary_search(pool.begin(), pool.end(), member.rank))
            arrange(dice_.between(20, dice_.below(3) == 0 ? 4'000 : 200), peer, Happening::notice, peer.pool);
    }
    for (std::uint32_t index = 0; index < pools_.size(); ++index) {
        auto& arrivals = pools_[index].arrivals;
        if (arrivals.empty()) continue;
        std::erase_if(arrivals, [&](const Arrival& arrival) { return arrival.rank == member.rank; });
        resolve(index);
    }
}

void World::Stage::heal() {
    healed_ = true;
    deaths_left_ = 0;
    for (auto& member : members_) member.dies_after.reset();
}

const Member* World::Stage::newest() const {
    const Member* found = nullptr;
    for (const auto& member : members_)
        if (member.alive && !member.ended && member.view && (!found || member.view->round > found->view->round))
            found = &member;
    return found;
}

/// In its round, and where it is an engine: in `state`, with nothing on its way there.
bool World::Stage::works(const Member& member, State state) const {
    if (!member.steady || member.broken || !member.mail.empty()) return false;
    if (!member.engine_role) return true;
    const auto& engine = *member.engine;
    return !engine.interrupted && !engine.handover && engine.loop.lifecycle().state() == state;
}

bool World::Stage::settled(State state) const {
    const Member* some = newest();
    if (some && std::any_of(some->view->members.begin(), some->view->members.end(),
                            [this](Rank rank) { return !members_[rank.value].alive; }))
        return false;  // Not everybody has noticed yet.
    for (const auto& member : members_) {
        if (!member.alive) continue;
        const bool waits = member.book && (!member.book->open_operations.empty() ||
                                           (state == State::running && !member.book->open_requests.empty()));
        if (waits || (!member.ended && !works(member, state))) return false;
        if (!member.ended && member.view->round != some->view->round) return false;
    }
    return some || state == State::stopped;
}

Counts World::Stage::counts() const {
    Counts counts = counts_;
    counts.barriers = witness_.crossed();
    for (const auto& member : members_) counts.packets_most = std::max(counts.packets_most, member.packets);
    return counts;
}

std::string World::Stage::story() const {
    std::string text = "tick " + std::to_string(now()) + ", " + std::to_string(witness_.crossed()) + " barriers\n";
    for (const auto& member : members_) {
        text += "  rank " + std::to_string(member.rank.value) + (member.client ? " client" : "") +
                (member.alive ? "" : " dead") + (member.ended ? " ended" : "") + (member.steady ? " steady" : "") +
                (member.broken ? " broken" : "");
        if (member.view) text += " round " + std::to_string(member.view->round.value);
        if (member.recovery) text += std::string(" ") + core::name_of(member.recovery->phase());
        text += " waits " + std::to_string(static_cast<int>(member.waits)) + " pool " + std::to_string(member.pool);
        if (const auto& facts = member.switchboard->facts(); true)
            text += " facts " + std::to_string(facts.crossed) + "+" + std::to_string(facts.pending.size());
        if (member.engine && member.engine_role)
            text += std::string(" engine ") + muster::name_of(member.engine->loop.lifecycle().state()) + " " +
                    name_of(member.engine->doing) + " open " + std::to_string(member.engine->open.size()) + " group " +
                    std::to_string(member.engine->now.group) + " votes " + std::to_string(member.engine->votes) +
                    " crossed " + std::to_string(member.engine->loop.barriers_crossed()) +
                    (member.engine->interrupted ? " interrupted" : "");
        if (member.book)
            text += " operations " + std::to_string(member.book->open_operations.size()) + " requests " +
                    std::to_string(member.book->open_requests.size());
        text += "\n";
    }
    return text + "last note: " + witness_.last_note() + "\n";
}

}  // namespace muster::sim
