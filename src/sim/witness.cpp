// SPDX-License-Identifier: Apache-2.0
/// The rules that every run keeps, a list: each says in its text what would be wrong.
#include "sim/witness.hpp"

#include <algorithm>

#include "core/ranks.hpp"

namespace muster::sim {
namespace {

std::string barrier(std::uint64_t number) { return "barrier " + std::to_string(number); }

/// What an operation was asked for: having been in one of these states is enough.
bool is_goal(core::Wanted wanted, State state) {
    using core::Wanted;
    switch (wanted) {
        case Wanted::pause: return state == State::paused || state == State::suspended;
        case Wanted::unpause:
        case Wanted::start: return state == State::running;
        case Wanted::resume: return state == State::paused;
        case Wanted::suspend:
        case Wanted::suspended: return state == State::suspended;
        case Wanted::stop:
        case Wanted::stopped: return state == State::stopped;
    }
    return false;
}

using GroupKey = std::pair<const Comms*, std::uint32_t>;

/// Groups in which somebody has had work since then.
std::set<GroupKey> groups_with_work(const std::vector<Member>& members, std::uint64_t since) {
    std::set<GroupKey> groups;
    for (const auto& member : members) {
        const auto* engine = member.engine.get();
        if (engine && engine->source && !(engine->open.empty() && engine->inbox.empty()) && engine->work_since <= since)
            groups.insert({engine->now.comms.get(), engine->now.group});
    }
    return groups;
}

}  // namespace

void Witness::violated(const std::string& what) { violations_ += what + "\n"; }

State Witness::state_after(std::uint64_t crossed) const {
    if (crossed == 0 || history_.empty()) return State::running;
    return history_[std::min<std::uint64_t>(crossed, history_.size()) - 1].to;
}

// Barriers and signals.

/// A barrier that nobody alive has crossed has not been: its transition is repeated, or another takes its place.
void Witness::forget_what_only_the_dead_know(std::uint64_t agreed) {
    if (agreed >= history_.size()) return;
    history_.resize(agreed);
    for (auto& [operation, barriers] : led_to_)
        std::erase_if(barriers, [agreed](auto number) { return number > agreed; });
}

void Witness::shrinks_beside_agreement() {
    violated("a shrink beside an agreement on one pool: MPI would take one for the other");
}

void Witness::arrives(const Member& member, const Comms& comms, std::uint64_t number) {
    if (member.cut) return;
    const bool first = comms.barriers.posted() == 0;
    if (!first && number != comms.barrier_number)
        violated(who(member) + " comes to " + barrier(number) + ", the others to " + barrier(comms.barrier_number));
    if (is_stable(member.engine->loop.lifecycle().state())) violated(who(member) + " is in a barrier without a signal");
}

/// Each source has taken the signal: it must be the same one.
void Witness::all_arrived(const Comms& comms, std::uint64_t number, const std::vector<Member>& members) {
    std::optional<core::SignalEntry> agreed;
    for (const Rank source : comms.view->sources)
        for (const auto& entry : members[source.value].engine->signals) {
            if (entry.number != number) continue;
            if (!agreed) agreed = entry;
            if (entry.signal != agreed->signal || entry.origin != agreed->origin ||
                entry.operation != agreed->operation)
                violated(barrier(number) + " is crossed for different signals");
        }
    if (!agreed) return violated(barrier(number) + " is crossed without a signal");
    arriving_ = *agreed;
}

/// What a member sees that the others have gone on without is as if it had not been.
void Witness::crosses(const Member& member, std::uint64_t number, const std::optional<core::SignalEntry>& entry) {
    if (member.cut) return;
    if (number <= crossings_[member.rank.value].number)
        violated(who(member) + " crosses " + barrier(number) + " twice");
    crossings_[member.rank.value] = {number, member.engine->now.round};
    if (number > history_.size() + 1) return violated(barrier(number) + " comes before its predecessor");
    if (number == history_.size() + 1) {
        history_.push_back({core::after(state_after(number - 1), arriving_.signal), arriving_});
        auto& led = led_to_[{arriving_.origin, arriving_.operation.value}];
        led.insert(number);
        const auto asked = asked_.find({arriving_.origin, arriving_.operation.value});
        if (asked == asked_.end()) return violated(barrier(number) + ": nobody has asked for its signal");
        const bool compound =
            asked->second.wanted == core::Wanted::suspended || asked->second.wanted == core::Wanted::stopped;
        if (led.size() > (compound ? 2 : 1)) violated(barrier(number) + ": a signal is applied twice");
    }
    const Crossing& crossing = history_[number - 1];
    if (entry && (entry->origin != crossing.entry.origin || entry->operation != crossing.entry.operation))
        violated(who(member) + " crosses " + barrier(number) + " for another signal than others did");
    const State now = member.engine->loop.lifecycle().state();
    if (is_stable(now) && now != crossing.to)
        violated(who(member) + " is " + name_of(now) + " after " + barrier(number) + ", not " + name_of(crossing.to));
}

// Turns.

void Witness::meets_in_forward(const Member& member, const core::Votes& turns, bool every_turn) {
    if (member.cut) return;
    if (turns[0] != -turns[1]) violated(who(member) + "'s group meets in forwards of different turns");
    if (every_turn && turns[2] == 0) violated(who(member) + "'s group runs a forward without any work");
}

void Witness::drifts(const Member& member, std::uint64_t vote) {
    violated(who(member) + " sees a drift in vote " + std::to_string(vote));
}

// Operations and requests.

void Witness::asks(const Member& client, core::OperationId operation, core::Wanted wanted) {
    // What only the dead have crossed may never have been.
    asked_[{client.rank, operation.value}] = {wanted, std::min(crossed(), client.switchboard->facts().crossed)};
}

void Witness::operation_ends(const Member& client, core::OperationId operation, const std::optional<Error>& error) {
    const auto name = who(client) + "'s operation " + std::to_string(operation.value);
    if (!client.book->open_operations.contains(operation.value)) return violated(name + " ends twice");
    const Asked& asked = asked_.at({client.rank, operation.value});
    if (error) {
        const auto led = led_to_.find({client.rank, operation.value});
        const bool compound = asked.wanted == core::Wanted::suspended || asked.wanted == core::Wanted::stopped;
        const bool says_so =
            error->fault == Fault::ended || error->text.find("a coordinator that is gone") != std::string::npos;
        if (led != led_to_.end() && !led->second.empty() && !compound && !says_so)
            violated(name + " is refused (" + error->text + "), and was done");
        return;
    }
    for (auto crossed = asked.crossed; crossed <= history_.size(); ++crossed)
        if (is_goal(asked.wanted, state_after(crossed))) return;
    violated(name + " is said to be done, and what it asked for never was so");
}

void Witness::submits(const Member& client, RequestId id) {
    submitted_[{client.rank, id}] = std::min(crossed(), client.switchboard->facts().crossed);
}

/// An error is the answer only where the engines were stopped, the job has ended, or WaveWitness knows why.
void Witness::request_ends(const Member& client, RequestId id, const std::optional<Error>& error, bool job_ended,
                           std::uint64_t now) {
    const auto name = who(client) + "'s request " + std::to_string(id.value);
    const auto submitted = submitted_.find({client.rank, id});
    if (submitted == submitted_.end()) return violated(name + " is answered twice, or was never submitted");
    // The coordinator may not have crossed yet what the first engine has.
    const auto first = submitted->second > 0 ? submitted->second - 1 : 0;
    submitted_.erase(submitted);
    if (waves_.ends(client, id, error) || controller_.ends(client, id, error, now) || job_ended) return;
    for (auto crossed = first; crossed <= history_.size(); ++crossed)
        if (state_after(crossed) == State::stopped) return;
    violated(name + " is lost (" + error->text + "), and engines were there");
}

// All members, between two events.

void Witness::looks_at(const std::vector<Member>& members, std::uint64_t now, std::uint64_t rested_max) {
    states_fit(members);
    nobody_rests_beside_work(members, now, rested_max);
}

/// Between two stable states lies a barrier, so engines of the world are never in two different ones: none is PAUSED
/// while another is RUNNING.
void Witness::states_fit(const std::vector<Member>& members) {
    const Member* stable = nullptr;
    for (const auto& member : members) {
        if (!member.alive || member.cut || !member.engine_role || member.engine->now.round == Round{}) continue;
        const State state = member.engine->loop.lifecycle().state();
        if (!is_stable(state)) continue;
        // Whoever has not heard of the newest round yet may have no place in its world any more.
        const auto& [newest, plan] = *plans_.rbegin();
        if (member.view->round != newest && !core::contains(plan.world, member.rank)) continue;
        if (!stable) stable = &member;
        const State other = stable->engine->loop.lifecycle().state();
        if (state != other)
            return violated(who(member) + " is " + name_of(state) + " while " + who(*stable) + " is " + name_of(other));
    }
}

void Witness::nobody_rests_beside_work(const std::vector<Member>& members, std::uint64_t now,
                                       std::uint64_t rested_max) {
    const auto busy = groups_with_work(members, now - std::min(now, rested_max));
    for (const auto& member : members) {
        if (!member.alive || member.hung || member.cut || !member.steady || member.broken || !member.engine_role)
            continue;
        const Engine& engine = *member.engine;
        const State state = engine.loop.lifecycle().state();
        if (engine.doing != Doing::rest || (state != State::running && state != State::pausing)) continue;
        if (now < engine.resting_since + rested_max) continue;
        if (busy.contains({engine.now.comms.get(), engine.now.group}))
            return violated(who(member) + " rests while its group has work");
    }
}

}  // namespace muster::sim
