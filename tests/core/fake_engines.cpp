// SPDX-License-Identifier: Apache-2.0
#include "fake_engines.hpp"

namespace muster::core::testing {

FakeEngines::FakeEngines(const WorldShape& shape, std::uint64_t seed)
    : shape_(shape), dice_(seed), engines_(shape.groups * shape.engines), groups_(shape.groups) {
    for (std::uint32_t engine = 0; engine < engine_count(); ++engine)
        for (std::uint32_t rank = 0; rank < shape.ranks; ++rank)
            members_.push_back({.group = engine / shape.engines,
                                .engine = engine,
                                .source = rank == 0,
                                .loop = EngineLoop(shape.loop),
                                .order = {},
                                .turns = {}});
    for (auto& member : members_) next(member, member.loop.begin());
}

void FakeEngines::complain(const Member& member, const std::string& text) {
    complaints_ += "member " + std::to_string(&member - members_.data()) + ": " + text + "\n";
}

void FakeEngines::next(Member& member, const Order& order) {
    member.order = order;
    member.posted = false;
    const bool idle = order.kind == Order::rest || order.kind == Order::barrier || order.kind == Order::finish;
    if (idle && member.outstanding) complain(member, "a vote is outstanding in rest or barrier");
    if (order.kind == Order::drift) complain(member, "drift at vote " + std::to_string(order.number));
}

bool FakeEngines::deliver(std::uint32_t engine) {
    if (engines_[engine].heard == signals_.size()) return false;
    ++engines_[engine].heard;
    return true;
}

bool FakeEngines::take_batch(Member& member) {
    Engine& engine = engines_[member.engine];
    if (member.source) {
        if (engine.batches.size() + 1 == deliver_in_batch_) (void)deliver(member.engine);
        Batch batch{.signal = {}, .work = shape_.always_work ? engine.pending + 1 : engine.pending};
        if (engine.taken < engine.heard) batch.signal = signals_[engine.taken++];
        engine.seen = engine.pending;
        engine.batches.push_back(batch);
    }
    if (member.batches == engine.batches.size()) return false;
    next(member, member.loop.batch(engine.batches[member.batches++]));
    return true;
}

void FakeEngines::give(Member& member, const Votes& votes) {
    groups_[member.group].votes[member.loop.votes_counted() + 1].push_back(votes);
}

bool FakeEngines::count(Member& member) {
    const bool gives = member.order.kind == Order::vote && !member.posted;
    if (gives) give(member, member.order.votes);
    member.posted = true;
    const auto& votes = groups_[member.group].votes[member.order.number];
    const std::size_t all = std::size_t{shape_.engines} * shape_.ranks;
    if (votes.size() > all) complain(member, "a vote was given twice");
    if (votes.size() < all) return gives;
    Votes result = votes.front();
    for (const auto& one : votes)
        for (std::size_t i = 0; i < result.size(); ++i) result[i] = std::max(result[i], one[i]);
    member.outstanding = false;
    next(member, member.loop.counted(result));
    return true;
}

bool FakeEngines::leave_rest(Member& member) {
    const State state = member.loop.lifecycle().state();
    const bool votes = state == State::running || state == State::pausing;
    Engine& engine = engines_[member.engine];
    Group& group = groups_[member.group];
    bool news = member.source && engine.taken < engine.heard;
    if (votes)
        news = news || (member.source && engine.pending > engine.seen) || member.order.wake;
    else
        news = news || member.batches < engine.batches.size();
    const bool alone = shape_.loop.mode == ConsensusMode::off && member.batches < engine.batches.size();
    if (!news && !alone && group.wake < member.order.number) return false;
    if (news && votes && shape_.loop.mode != ConsensusMode::off) group.wake = std::max(group.wake, member.order.number);
    next(member, member.loop.woken());
    return true;
}

bool FakeEngines::cross(Member& member) {
    const auto number = member.order.number;
    if (number != member.loop.barriers_crossed() + 1) complain(member, "a barrier out of order");
    const bool arrives = !member.posted;
    if (arrives) ++arrived_[number];
    member.posted = true;
    if (arrived_[number] < members_.size()) return arrives;
    barriers_crossed_ = std::max(barriers_crossed_, number);
    next(member, member.loop.crossed());
    return true;
}

/// The program's turn: it works one to three requests off and comes back.
void FakeEngines::program(Member& member) {
    const Order order = member.order;
    const State state = member.loop.lifecycle().state();
    Engine& engine = engines_[member.engine];
    if (order.kind == Order::forward || order.kind == Order::dummy_forward) {
        if (state != State::running && state != State::pausing) complain(member, "a forward outside RUNNING, PAUSING");
        member.turns.push_back({order.kind, engine.batches[member.batches - 1].work, member.loop.votes_counted()});
        if (order.kind == Order::forward && member.source)
            engine.pending -= std::min<std::uint64_t>(engine.pending, dice_.between(1, 3));
        // In the next batch what is still here is no news.
        engine.seen = std::min(engine.seen, engine.pending);
    }
    if (order.post) {
        give(member, order.votes);
        member.outstanding = true;
    }
    next(member, member.loop.begin());
}

bool FakeEngines::step(Member& member) {
    switch (member.order.kind) {
        case Order::take_batch: return take_batch(member);
        case Order::vote:
        case Order::read_vote: return count(member);
        case Order::rest: return leave_rest(member);
        case Order::barrier: return cross(member);
        case Order::finish:
        case Order::drift: return false;
        default: program(member); return true;
    }
}

bool FakeEngines::proceed() {
    const std::uint32_t first = dice_.below(members_.size());
    for (std::size_t i = 0; i < members_.size(); ++i)
        if (step(members_[(first + i) % members_.size()])) return true;
    return false;
}

void FakeEngines::run() {
    for (int steps = 0; steps < 200'000; ++steps)
        if (!proceed()) return;
    complaints_ += "it never comes to rest\n";
}

std::uint64_t FakeEngines::pending() const {
    std::uint64_t sum = 0;
    for (const auto& engine : engines_) sum += engine.pending;
    return sum;
}

std::vector<std::vector<TurnTaken>> FakeEngines::turns_of(std::uint32_t group) const {
    std::vector<std::vector<TurnTaken>> turns;
    for (const auto& member : members_)
        if (member.group == group) turns.push_back(member.turns);
    return turns;
}

std::string FakeEngines::complaints_when(State state) {
    for (const auto& member : members_) {
        const auto& lifecycle = member.loop.lifecycle();
        if (lifecycle.state() != state)
            complain(member, std::string("is ") + name_of(lifecycle.state()) + ", not " + name_of(state));
        if (member.loop.barriers_crossed() != signals_.size())
            complain(member, "has crossed " + std::to_string(member.loop.barriers_crossed()) + " barriers of " +
                                 std::to_string(signals_.size()));
        const bool over = state == State::stopped && !shape_.loop.stay;
        if (member.order.kind != (over ? Order::finish : Order::rest)) complain(member, "waits for its peers");
        if (lifecycle.held() > 0) complain(member, "holds signals");
    }
    return complaints_;
}

}  // namespace muster::core::testing
