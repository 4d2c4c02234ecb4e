// SPDX-License-Identifier: Apache-2.0
#include "fake_job.hpp"

#include <algorithm>
#include <map>

namespace muster::core::testing {
namespace {

bool holds(const std::vector<Rank>& list, Rank rank) { return std::find(list.begin(), list.end(), rank) != list.end(); }

std::uint64_t last_of(const LifecycleFacts& facts) { return facts.crossed + facts.pending.size(); }

}  // namespace

FakeJob::FakeJob(const FakeJobSettings& settings)
    : settings_(settings), dice_(settings.seed), deaths_left_(settings.deaths) {
    const auto members = settings.engines * settings.engine_ranks + settings.standbys + settings.clients;
    launch_ = scattered(dice_, members, dice_.between(2, 5), 2);
    for (auto& member : launch_) member.client = member.rank.value >= members - settings.clients;
    const auto pool = std::make_shared<Pool>();
    pool->members = ranks_up_to(members);
    placement_ = {.engines = settings.engines,
                  .engine_ranks = settings.engine_ranks,
                  .group_size = settings.group_size,
                  .order = dice_.one_in(4) ? SlotOrder::sorted : SlotOrder::stable};
    if (settings.strided) placement_.layout = strided(settings.group_size);
    const PlanSettings plan{
        .placement = placement_, .engines_min = settings.engines_min, .launcher_node = launch_.front().node};
    for (const Rank rank : pool->members)
        seats_.push_back({.machine = Recovery(rank, plan, launch_), .pool = pool, .todo = {Shrink{}}});
}

bool FakeJob::run(std::uint32_t ticks) {
    for (std::uint32_t tick = 0; tick < ticks && violations_.empty(); ++tick) {
        fate();
        work();
        std::vector<Rank> order = ranks_up_to(static_cast<std::uint32_t>(seats_.size()));
        for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[dice_.below(i)]);
        for (const Rank rank : order)
            if (!dice_.one_in(4)) advance(seat(rank), rank);  // Some are slower than others.
        if (at_rest() && deaths_left_ == 0 && split_ == settings_.network_splits) {
            check_all();
            return true;
        }
    }
    return false;
}

/// What befalls the job before the next effects: a death, a split.
void FakeJob::fate() {
    if (deaths_left_ > 0 && dice_.one_in(12)) {
        --deaths_left_;
        seats_[dice_.below(seats_.size())].alive = false;
    }
    if (settings_.network_splits && !split_ && dice_.one_in(40)) {
        split_ = true;
        for (std::size_t i = 0; i < seats_.size(); ++i)
            seats_[i].side = launch_[i].node.back() % 2 == launch_[0].node.back() % 2 ? 0 : 1;
    }
}

/// The engines' own part, where all work in one unbroken world.
void FakeJob::work() {
    const Seat* first = nullptr;
    for (auto& one : seats_) {
        if (!one.alive || one.ended) continue;
        if (one.machine.phase() != Phase::steady || !one.todo.empty() || broken(one)) return;
        if (!first && one.plan && holds(one.plan->world, launch_[static_cast<std::size_t>(&one - seats_.data())].rank))
            first = &one;
    }
    if (!first) return;
    if (!settings_.network_splits) signal();
    if (dice_.one_in(2)) commit(*first);
}

void FakeJob::signal() {
    Seat& one = seats_[dice_.below(seats_.size())];
    if (!one.alive || one.ended) return;
    const auto all = [this](auto what) {
        return std::all_of(seats_.begin(), seats_.end(),
                           [&](const Seat& other) { return !other.alive || other.ended || what(other.lifecycle); });
    };
    LifecycleFacts& own = one.lifecycle;
    if (last_of(own) < signals_.size()) {
        own.pending.push_back(signals_[last_of(own)]);
    } else if (!own.pending.empty()) {
        if (!all([&](const LifecycleFacts& other) { return last_of(other) == signals_.size(); })) return;
        own = {.crossed = own.crossed + 1, .state = wanted_state(own), .pending = {}};
    } else if (all([&](const LifecycleFacts& other) { return other.crossed == signals_.size(); })) {
        signals_.push_back({.number = own.crossed + 1,
                            .signal = own.state == State::running ? Signal::pause : Signal::unpause,
                            .origin = {},
                            .operation = {}});
        own.pending.push_back(signals_.back());
    }
}

/// All attempt a step, and some see that it is agreed on.
void FakeJob::commit(const Seat& first) {
    const auto world = first.plan->world;
    // A newcomer's state was fed to it; the step itself counts on from what was agreed on.
    std::optional<Step> last = first.plan->step;
    for (const Rank rank : world) last = std::max(last, seat(rank).committed);
    const Step next{last ? last->value + 1 : 1};
    for (const Rank rank : world) seat(rank).attempted = next;
    const bool all = !dice_.one_in(3);
    for (const Rank rank : world) {
        if (!all && dice_.one_in(2)) continue;
        seat(rank).committed = next;
        seat(rank).committed_in = first.machine.round();
        seat(rank).attempted.reset();
    }
    if (!all) {  // A death in the middle of the agreement: only so can some not know.
        seat(world[dice_.below(world.size())]).alive = false;
        if (deaths_left_ > 0) --deaths_left_;
    }
}

std::vector<Rank> FakeJob::peers(const Seat& seat) const {
    std::vector<Rank> there;
    for (const Rank rank : seat.pool->members)
        if (seats_[rank.value].alive && seats_[rank.value].side == seat.side) there.push_back(rank);
    return there;
}

bool FakeJob::broken(const Seat& seat) const {
    return seat.pool->revoked[seat.side] || peers(seat).size() < seat.pool->members.size();
}

bool FakeJob::at_rest() const {
    return std::all_of(seats_.begin(), seats_.end(), [this](const Seat& one) {
        return !one.alive || one.ended || (one.machine.phase() == Phase::steady && one.todo.empty() && !broken(one));
    });
}

std::uint32_t FakeJob::ended() const {
    return static_cast<std::uint32_t>(
        std::count_if(seats_.begin(), seats_.end(), [](const Seat& one) { return one.alive && one.ended; }));
}

void FakeJob::answer(Seat& seat, const Input& input) {
    if (!seat.todo.empty()) seat.todo.pop_front();
    for (auto& effect : seat.machine.step(input)) seat.todo.push_back(std::move(effect));
}

void FakeJob::advance(Seat& seat, Rank self) {
    if (!seat.alive || seat.ended) return;
    if (!seat.todo.empty())
        carry_out(seat, self);
    else if (broken(seat) && dice_.one_in(2))  // Nobody notices at the same moment.
        answer(seat, Noticed{});
}

void FakeJob::carry_out(Seat& seat, Rank self) {
    Pool& pool = *seat.pool;
    const Effect effect = seat.todo.front();
    if (std::holds_alternative<Revoke>(effect)) {
        pool.revoked[seat.side] = true;
        seat.todo.pop_front();
    } else if (std::holds_alternative<Shrink>(effect) || std::holds_alternative<Agree>(effect)) {
        meet(seat);
    } else if (const auto* over = std::get_if<HandOver>(&effect)) {
        seat.todo.pop_front();
        hand_over(seat, self, over->plan);
    } else if (std::holds_alternative<End>(effect)) {
        seat.todo.pop_front();
        seat.ended = true;
    } else if (pool.revoked[seat.side] || (broken(seat) && dice_.one_in(2))) {
        answer(seat, Failed{});
    } else if (const auto* gather = std::get_if<Gather>(&effect)) {
        if (pool.gathered.insert(self).second) {
            Facts facts;
            facts.rank = self;
            facts.committed = seat.committed;
            facts.attempted = seat.attempted;
            facts.committed_in = seat.committed_in;
            facts.lifecycle = seat.lifecycle;
            for (const Rank rank : gather->prove)
                if (!seats_[rank.value].alive) facts.proven_dead.push_back(rank);
            pool.facts.push_back(facts);
        }
        if (pool.gathered.size() == pool.members.size())
            answer(seat, gather->root == self ? Gathered{pool.facts} : Gathered{});
    } else if (const auto* broadcast = std::get_if<Broadcast>(&effect)) {
        if (broadcast->root == self) pool.plan = broadcast->plan;
        if (pool.plan) {
            seat.plan = *pool.plan;
            answer(seat, Planned{*pool.plan});
        }
    } else if (std::holds_alternative<Build>(effect)) {
        pool.built.insert(self);
        if (pool.built.size() == pool.members.size()) answer(seat, Built{});
    }
}

/// MPI's agreement, of which a shrink is one: everybody who lives takes part, whatever else has failed before.
void FakeJob::meet(Seat& seat) {
    const auto there = peers(seat);
    bool all_agree = true, all_shrink = true, all_yes = true;
    for (const Rank rank : there) {
        const auto& todo = seats_[rank.value].todo;
        const bool agrees = !todo.empty() && std::holds_alternative<Agree>(todo.front());
        all_yes = all_yes && agrees && std::get<Agree>(todo.front()).yes;
        const bool shrinks = !todo.empty() && std::holds_alternative<Shrink>(todo.front());
        if (!agrees && !shrinks) return;  // Not there yet.
        all_agree = all_agree && agrees;
        all_shrink = all_shrink && shrinks;
    }
    const bool whole = there.size() == seat.pool->members.size();
    if (all_shrink) {
        const auto next = std::make_shared<Pool>();
        next->members = there;
        for (const Rank rank : there) {
            seats_[rank.value].pool = next;
            answer(seats_[rank.value], Shrunk{there});
        }
        return;
    }
    if (!all_agree) return violated("a shrink beside an agreement on one pool: MPI would take one for the other");
    for (const Rank rank : there) {
        Seat& one = seats_[rank.value];
        answer(one, all_yes && whole ? Input(Agreed{}) : Input(Failed{}));
        if (split_ && one.machine.phase() == Phase::steady) sides_going_on_.insert(one.side);
    }
}

void FakeJob::hand_over(Seat& seat, Rank self, const Plan& plan) {
    check_hand_over(seat, self, plan);
    ++rounds_;
    seat.round_seen = plan.round;
    seat.plan = plan;
    if (plan.step && (seat.committed == plan.step || seat.attempted == plan.step)) {
        if (seat.attempted == plan.step) seat.committed_in = plan.state_round;
        seat.committed = plan.step;
    } else {
        seat.committed.reset();
        seat.committed_in = Round{0};
    }
    seat.attempted.reset();
    seat.lifecycle = plan.lifecycle;
    signals_.resize(std::min<std::size_t>(signals_.size(), last_of(plan.lifecycle)));  // The dead took the rest along.
}

void FakeJob::violated(const std::string& what) { violations_ += what + "\n"; }

// What must hold at each hand-over.
void FakeJob::check_hand_over(const Seat& seat, Rank self, const Plan& plan) {
    const std::string who =
        "rank " + std::to_string(self.value) + " in round " + std::to_string(plan.round.value) + ": ";
    if (plan.round <= seat.round_seen) violated(who + "the round went back");
    check_places(who, plan);
    if (!holds(launch_[self.value].client ? plan.clients : plan.world, self) && !holds(plan.standbys, self))
        violated(who + "has no place");
    if (plan.lifecycle.crossed < seat.lifecycle.crossed) violated(who + "a barrier that it crossed is undone");
    if (last_of(plan.lifecycle) < last_of(seat.lifecycle)) violated(who + "a signal that it has heard of is gone");
    if (plan.world != seat.machine.world()) violated(who + "the machine believes in another world");
    if (seat.committed && plan.step < seat.committed) violated(who + "a step that it saw committed is undone");
    bool newcomer = !holds(plan.world, self);
    for (const auto& one : plan.newcomers) newcomer = newcomer || one.rank == self;
    if (!newcomer && seat.committed != plan.step && seat.attempted != plan.step)
        violated(who + "is counted on for a step that it does not hold");
}

void FakeJob::check_places(const std::string& who, const Plan& plan) {
    const auto size = static_cast<std::uint32_t>(plan.world.size());
    if (size < settings_.engines_min * settings_.engine_ranks) violated(who + "the world is below min");
    if (size > settings_.engines * settings_.engine_ranks) violated(who + "the world is larger than was asked for");
    if (size % unit_of(placement_) != 0) return violated(who + "an engine or a group is not whole");
    if (std::set<Rank>(plan.world.begin(), plan.world.end()).size() != size) violated(who + "a member holds two slots");
    std::map<std::uint32_t, std::uint32_t> in_group;
    for (const auto group : groups_of(placement_, size)) ++in_group[group];
    for (const auto& [group, count] : in_group)
        if (settings_.group_size > 0 && count != unit_of(placement_)) violated(who + "a group is not whole");
    for (const auto& member : launch_)
        if (member.client && (holds(plan.world, member.rank) || holds(plan.standbys, member.rank)))
            violated(who + "a client works");
}

// What must hold when all is quiet.
void FakeJob::check_all() {
    if (sides_going_on_.size() > 1) violated("both sides of a split network went on");
    std::map<int, const Seat*> first;
    for (const auto& one : seats_) {
        if (!one.alive || one.ended) continue;
        const Seat& other = *first.emplace(one.side, &one).first->second;
        if (one.machine.round() != other.machine.round()) violated("survivors are in different rounds");
        if (one.machine.world() != other.machine.world()) violated("survivors see different worlds");
        if (one.machine.pool() != other.machine.pool()) violated("survivors see different pools");
        for (const Rank rank : one.machine.world())
            if (!seat(rank).alive || seat(rank).ended) violated("a slot is held by nobody");
    }
    if (first.size() > 1) violated("members of both sides are at work");
}

}  // namespace muster::core::testing
