// SPDX-License-Identifier: Apache-2.0
/// Requests end once and with a reason; clients are told the truth about loads and waves, and in its order.
#include "sim/wave_witness.hpp"

#include <algorithm>

#include "core/ranks.hpp"

namespace muster::sim {
namespace {

std::string name_of(const RequestKey& request) {
    return "rank " + std::to_string(request.first.value) + "'s request " + std::to_string(request.second.value);
}

std::string name_of(const core::Load& load) {
    return "(" + std::to_string(load.waiting) + "," + std::to_string(load.running) + ")";
}

/// The way of a group: wave 0 asleep, wave 0 awake, wave 1 asleep ...
std::int64_t step_of(std::int64_t wave, bool running) { return 2 * wave + (running ? 1 : 0); }

std::string step_name(std::int64_t step) { return std::to_string(step / 2) + (step % 2 == 1 ? " awake" : " asleep"); }

}  // namespace

// Requests.

void WaveWitness::submits(const Member& client, RequestId id, std::optional<Slot> pin) {
    requests_[{client.rank, id}] = {.pin = pin, .since = client.view ? client.view->round : Round{1}};
}

void WaveWitness::takes_back(const Member& client, RequestId id) { requests_.at({client.rank, id}).taken_back = true; }

/// In some round: a request stays with its engine where that has got another slot meanwhile.
bool WaveWitness::held_slot(Rank engine, Slot slot, Round since, std::size_t ranks) const {
    return std::any_of(rounds_.lower_bound(since), rounds_.end(), [&](const auto& round) {
        const auto& world = round.second.world;
        return slot.value < world.size() && world[slot.value / ranks * ranks] == engine;
    });
}

/// Whoever holds the slot that was named has the request, and nobody has more than the bound.
void WaveWitness::delivered(const Member& engine, const RequestKey& request) {
    if (engine.cut) return;
    const auto& view = *engine.view;
    const auto& [pin, since, taken_back, begun, replied] = requests_.at(request);
    if (pin && !held_slot(engine.rank, *pin, since, view.world.size() / view.sources.size()))
        violated(name_of(request) + " named slot " + std::to_string(pin->value) + ", and rank " +
                 std::to_string(engine.rank.value) + " has it");
    const auto most = rules_.queue_max_per_engine;
    if (most > 0 && view.round == Round{1} && engine.switchboard->in_progress() > most)
        violated("rank " + std::to_string(engine.rank.value) + " has more requests than queue_max_per_engine");
}

void WaveWitness::begins(const RequestKey& request) { requests_.at(request).begun = true; }
void WaveWitness::replies(const RequestKey& request) { requests_.at(request).replied = true; }

bool WaveWitness::ends(const Member& client, RequestId id, const std::optional<Error>& error) {
    const Request& request = requests_.at({client.rank, id});
    const auto name = name_of(RequestKey{client.rank, id});
    if (!error) {
        if (!request.replied) violated(name + " is answered, and no engine has replied");
        return true;
    }
    if (error->text.empty()) violated(name + " ends without a reason");
    if (error->fault == Fault::aborted) {
        if (!request.taken_back) violated(name + " ends as aborted, and nobody took it back");
        // Once somebody has died, it may have been another engine that had begun.
        if (request.begun && rounds_.size() == 1) violated(name + " ends as aborted, and an engine had begun");
        return true;
    }
    if (error->fault == Fault::busy) {
        if (rules_.queue_max == 0 && rules_.queue_max_per_engine == 0) violated(name + " ends as busy without bounds");
        return true;
    }
    return error->fault == Fault::refused && request.pin && request.pin->value >= smallest_world_;
}

// What clients are told.

void WaveWitness::hears(const Member& client, const core::LoadsHeard& heard, const std::vector<Member>& members) {
    if (client.cut) return;
    Told& told = told_[client.rank];
    if (heard.round != client.view->round)
        violated("rank " + std::to_string(client.rank.value) + " is told of loads of another round");
    if (told.round != heard.round) told.groups.clear();
    told.round = heard.round;
    compared_ = false;
    const Comms* comms = nullptr;
    for (const auto& member : members)
        if (member.engine && member.engine->handover && member.engine->handover->round == heard.round)
            comms = member.engine->handover->comms.get();
        else if (member.engine && member.engine->now.round == heard.round)
            comms = member.engine->now.comms.get();
    for (const auto& word : heard.groups) {
        if (comms) names_who_is_there(client, word, *comms);
        goes_on(client, told, word, members);
        told.groups[word.group] = word;
    }
}

/// Counts are of the engines of the round, all of them, and of nobody else.
void WaveWitness::names_who_is_there(const Member& client, const core::GroupWord& word, const Comms& comms) {
    const auto& view = *comms.view;
    const auto ranks = view.world.size() / view.sources.size();
    const auto who = "rank " + std::to_string(client.rank.value) + " is told of ";
    std::size_t expected = 0;
    for (std::size_t slot = 0; slot < view.world.size(); slot += ranks)
        if (comms.group_of[slot] == word.group) ++expected;
    if (word.engines.size() != expected)
        violated(who + std::to_string(word.engines.size()) + " engines of group " + std::to_string(word.group) +
                 ", which has " + std::to_string(expected));
    for (const auto& engine : word.engines) {
        const auto slot = engine.slot.value;
        const bool there = slot < view.world.size() && slot % ranks == 0 && view.world[slot] == engine.rank;
        if (!there || comms.group_of[slot] != word.group)
            violated(who + "slot " + std::to_string(slot) + ", rank " + std::to_string(engine.rank.value) +
                     ", which is not there");
        if (engine.load.waiting < 0 || engine.load.running < 0)
            violated(who + "a load below nothing: " + name_of(engine.load));
    }
}

/// Also from one coordinator to the next no group goes back, and nobody tells of a wave that no engine has reached.
void WaveWitness::goes_on(const Member& client, Told& told, const core::GroupWord& word,
                          const std::vector<Member>& members) {
    const auto who = "rank " + std::to_string(client.rank.value) + " is told that group " + std::to_string(word.group);
    const auto step = step_of(word.wave.value, word.running);
    auto& last = told.steps[word.group];
    if (step < last) violated(who + " is in wave " + step_name(step) + " after wave " + step_name(last));
    last = std::max(last, step);
    auto& known = seen_[client.rank.value].above;
    known = std::max(known, word.wave.value + (word.running ? 1 : 0));
    std::int64_t reached = step_of(rounds_.at(told.round).wave, false);
    for (const auto& engine : word.engines) {
        const auto& loop = members[engine.rank.value].engine;
        if (loop) reached = std::max(reached, step_of(loop->loop.wave(), loop->loop.awake()));
    }
    if (step > reached)
        violated(who + " is in wave " + step_name(step) + ", and its engines are in " + step_name(reached));
}

/// Where nothing has changed for long enough, what each client was told last is so.
void WaveWitness::clients_know(const std::vector<Member>& members, const Comms& comms) {
    for (const auto& [rank, told] : told_) {
        const Member& client = members[rank.value];
        if (client.alive && !client.cut && !client.ended) knows(client, told, comms, members);
    }
}

void WaveWitness::knows(const Member& client, const Told& told, const Comms& comms,
                        const std::vector<Member>& members) {
    const auto who = "rank " + std::to_string(client.rank.value);
    if (told.round != comms.view->round || told.groups.size() != comms.groups.size())
        return violated(who + " watches loads and is not told of all groups");
    for (const auto& [group, word] : told.groups) {
        const auto& loop = members[comms.groups[group].members.front().value].engine->loop;
        const auto is = step_of(loop.wave(), loop.awake()), said = step_of(word.wave.value, word.running);
        if (rules_.lockstep && is != said)
            violated(who + " believes group " + std::to_string(group) + " to be in wave " + step_name(said) +
                     ", it is in " + step_name(is));
        for (const auto& engine : word.engines)
            if (const auto& load = seen_[engine.rank.value].load; load != engine.load)
                violated(who + " believes rank " + std::to_string(engine.rank.value) + " to have " +
                         name_of(engine.load) + ", it has " + name_of(load));
    }
}

}  // namespace muster::sim
