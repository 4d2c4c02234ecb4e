// SPDX-License-Identifier: Apache-2.0
/// Requests at engines and clients, what engines say of their loads, and what clients hear of them.
#include <algorithm>

#include "sim/stage.hpp"

namespace muster::sim {
namespace {

constexpr std::uint32_t kAnswersMax = 4;  ///< Requests that one forward can finish: some stay open over turns.

}  // namespace

// Requests.

void World::Stage::perform(Member& member, core::RequestArrived& effect) {
    if (!member.engine || !member.engine_role) return;
    Engine& engine = *member.engine;
    if (engine.open.empty() && engine.inbox.empty()) engine.work_since = now();
    engine.inbox.emplace_back(effect.client, effect.id);
    if (deploys()) witness_.controller().delivered(member, {effect.client, effect.id}, now());
    if (core::is_shadow(effect.client))
        ++counts_.copies;
    else
        witness_.waves().delivered(member, {effect.client, effect.id});
    if (engine.doing == Doing::rest) arrange(dice_.below(3), member, Happening::engine_looks, 0, engine.epoch);
}

core::Batch World::Stage::collect(Engine& engine) {
    core::Batch batch;
    batch.signal = next_signal(engine);
    for (const auto& request : engine.inbox)
        if (!core::is_shadow(request.first)) witness_.waves().begins(request);
    engine.open.insert(engine.open.end(), engine.inbox.begin(), engine.inbox.end());
    engine.inbox.clear();
    batch.work = engine.open.size() + (options_.work == Work::always ? 1 : 0);
    return batch;
}

void World::Stage::answer_some(Member& member) {
    Engine& engine = *member.engine;
    const auto some = std::min<std::size_t>(engine.open.size(), dice_.between(1, kAnswersMax));
    for (std::size_t i = 0; i < some; ++i) {
        if (!core::is_shadow(engine.open[i].first)) witness_.waves().replies(engine.open[i]);
        post(member, mail::Reply{engine.open[i]});
    }
    engine.open.erase(engine.open.begin(), engine.open.begin() + static_cast<std::ptrdiff_t>(some));
}

void World::Stage::perform(Member& member, core::RequestEnded& effect) {
    ++(effect.error ? counts_.errors : counts_.replies);
    if (effect.error && effect.error->fault == Fault::aborted) ++counts_.aborted;
    if (effect.error && effect.error->fault == Fault::busy) ++counts_.busy;
    witness_.request_ends(member, effect.id, effect.error, member.ended, now());
    member.book->open_requests.erase(effect.id.value);
}

/// Where no batch has taken it, it is as if it had never come; else its reply is what became of it.
void World::Stage::perform(Member& member, core::RequestCalledOff& effect) {
    if (!member.engine || std::erase(member.engine->inbox, RequestKey{effect.client, effect.id}) == 0) return;
    apply(member, member.switchboard->dropped(effect.client, effect.id));
}

// Loads.

/// As Inbox::says of src/agent, before each tick and each gathering of facts.
void World::Stage::say_load(Member& member) {
    if (!member.engine) return;
    const Engine& engine = *member.engine;
    if (!options_.loads)  // Waves there are all the same, and the next round must be above them.
        return member.switchboard->wave_seen(core::Wave{engine.loop.wave() + (engine.loop.awake() ? 1 : 0)});
    const auto open = member.switchboard->in_progress();
    const auto waiting = std::min(engine.inbox.size(), open);
    core::EngineSays says{.wave = core::Wave{engine.loop.wave()}, .awake = engine.loop.awake()};
    says.at = {says.wave.value, static_cast<std::int64_t>(engine.loop.votes_counted())};
    says.load.waiting = static_cast<std::int64_t>(waiting);
    says.load.running = static_cast<std::int64_t>(open - waiting);
    if (options_.restless_loads) says.load.gauges["kv"] = static_cast<double>(now_ms());
    member.switchboard->engine_says(says);
}

void World::Stage::perform(Member& member, core::LoadsHeard& effect) {
    counts_.told += effect.groups.size();
    witness_.waves().hears(member, effect, members_);
}

}  // namespace muster::sim
