// SPDX-License-Identifier: Apache-2.0
/// Loads and waves: engines' words go up a tree to the coordinator, which keeps a wave tracker for each lockstep group,
/// tells the router, and tells whoever watches.
/// The groups wake and rest by their own votes (DESIGN.md, "A wake"): a tracker here says what they do, and wakes
/// nobody.
#include <algorithm>
#include <utility>

#include "core/ranks.hpp"
#include "core/switchboard.hpp"

namespace muster::core {

// Every member.

void Switchboard::enter_loads(SwitchEffects& out) {
    const auto size = static_cast<std::uint32_t>(view_->members.size());
    const auto place = place_of(self_), root = place_of(view_->coordinator);
    const auto& members = view_->members;
    const auto parent = tree_parent(place, root, size, settings_.fan_out);
    std::vector<Rank> children;
    for (const auto child : tree_children(place, root, size, settings_.fan_out)) children.push_back(members[child]);
    loads_up_.enter(parent ? std::optional(members[*parent]) : std::nullopt, std::move(children));
    place_in_groups_.clear();
    auto before = std::exchange(groups_, {});
    if (!coordinates()) return;
    std::map<Rank, Load> known;
    for (auto& group : before)
        for (std::size_t i = 0; i < group.engines.size(); ++i)
            known[group.engines[i]] = group.tracker.board().loads()[i];
    std::erase_if(watchers_, [this](Rank rank) { return !is_member(rank); });
    form_groups(known);
    pause_waves(out);
    GroupWords all;
    for (std::size_t group = 0; group < groups_.size(); ++group) all.push_back(word_of(group));
    tell_watchers(all, out);
}

/// The round's groups, each above every wave that anybody knows, with what was known of the engines that stay.
void Switchboard::form_groups(const std::map<Rank, Load>& known) {
    const auto ranks = view_->sources.empty() ? 1 : view_->world.size() / view_->sources.size();
    std::map<std::uint32_t, std::vector<std::uint32_t>> engines_of;
    for (std::uint32_t engine = 0; engine < view_->sources.size(); ++engine)
        engines_of[view_->groups.empty() ? 0 : view_->groups[engine * ranks]].push_back(engine);
    for (const auto& [number, engines] : engines_of) {
        Group group{
            .number = number,
            .slots = {},
            .engines = {},
            .capacities = std::vector<std::uint64_t>(engines.size()),
            .tracker = WaveTracker({.load = {.engines = engines.size(), .interval_ms = settings_.load_interval_ms},
                                    .coordination = settings_.coordination},
                                   static_cast<std::int64_t>(now_ms_)),
            .published = {}};
        for (const auto engine : engines) {
            const Rank rank = view_->sources[engine];
            place_in_groups_[rank] = {groups_.size(), group.engines.size()};
            group.slots.push_back(Slot{static_cast<std::uint32_t>(engine * ranks)});
            group.engines.push_back(rank);
            const auto load = known.find(rank);
            group.published.push_back(load == known.end() ? Load{} : load->second);
        }
        group.tracker.adopt({.wave = Wave{facts().wave}, .running = false, .held = false, .loads = group.published});
        groups_.push_back(std::move(group));
    }
}

void Switchboard::engine_says(const EngineSays& says) {
    wave_seen(Wave{says.wave.value + (says.awake ? 1 : 0)});
    if (view_ == nullptr || !contains(view_->sources, self_)) return;
    const bool leads = !group_.empty() && group_.front() == self_;
    loads_up_.own({.engine = self_,
                   .load = says.load,
                   .capacity = says.capacity,
                   .given = given_,
                   .answered = answered_,
                   .at = says.at,
                   .leads = leads,
                   .running = leads && says.awake,
                   .wave = leads ? says.wave : Wave{}});
}

void Switchboard::collect_loads(SwitchEffects& out) {
    if (!reachable()) return;
    auto words = loads_up_.due(now_ms_);
    if (coordinates()) {
        take_words(words, out);
        for (std::size_t group = 0; group < groups_.size(); ++group)
            if (auto& tracker = groups_[group].tracker; tracker.board().due(static_cast<std::int64_t>(now_ms_)))
                publish(group, tracker.step(static_cast<std::int64_t>(now_ms_), {}).effects, out);
    } else if (!words.empty()) {
        send(*loads_up_.parent(), message::LoadsUp{view_->round, std::move(words)}, out);
    }
}

void Switchboard::on(Rank from, message::LoadsUp up, SwitchEffects& out) {
    if (up.round != view_->round) return;  // Everybody says it anew.
    for (const auto& word : up.words)
        if (word.leads) wave_seen(Wave{word.wave.value + (word.running ? 1 : 0)});
    if (!loads_up_.heard(from, up.words))
        out.emplace_back(
            Note{"dropped: loads from rank " + std::to_string(from.value) + ", who is not below this member"});
    else if (coordinates())
        take_words(loads_up_.due(now_ms_), out);
}

// The coordinator's side.

void Switchboard::take_words(const EngineWords& words, SwitchEffects& out) {
    for (const auto& word : words) take_word(word, out);
}

void Switchboard::take_word(const EngineWord& word, SwitchEffects& out) {
    const auto place = place_in_groups_.find(word.engine);
    if (place == place_in_groups_.end()) {
        out.emplace_back(Note{"dropped: a load of rank " + std::to_string(word.engine.value) + ", which is no engine"});
        return;
    }
    const auto requests = static_cast<std::uint64_t>(word.load.waiting + word.load.running);
    (void)routers_.reported(word.engine, {requests, word.capacity, word.given, word.answered});  // Not a leaver's.
    const auto [number, index] = place->second;
    auto& group = groups_[number];
    group.capacities[index] = word.capacity;
    EngineNews news{.engine = EngineIndex{static_cast<std::int64_t>(index)}, .load = LoadReport{word.at, word.load}};
    news.awake = true;  // The group has woken itself.
    // A word is a state: what lies between it and the last one is over.
    if (word.leads && word.running) news.start_wave = word.wave;
    if (word.leads && !word.running && word.wave.value > 0) news.wave_complete = Wave{word.wave.value - 1};
    publish(number, group.tracker.step(static_cast<std::int64_t>(now_ms_), {.front = {}, .engine = news}).effects, out);
}

/// Nobody is woken from here, and words that cross each other on the way are nothing to note.
void Switchboard::publish(std::size_t group, WaveEffects effects, SwitchEffects& out) {
    bool is_news = false;
    for (auto& effect : effects) {
        auto* word = std::get_if<PublishWave>(&effect);
        if (word == nullptr) continue;
        if (word->loads) groups_[group].published = std::move(*word->loads);
        is_news = true;
    }
    wave_seen(Wave{groups_[group].tracker.wave().value + (groups_[group].tracker.running() ? 1 : 0)});
    if (is_news) tell_watchers({word_of(group)}, out);
}

GroupWord Switchboard::word_of(std::size_t group) const {
    const auto& from = groups_[group];
    GroupWord word{from.number, from.tracker.wave(), from.tracker.running(), {}};
    for (std::size_t i = 0; i < from.engines.size(); ++i)
        word.engines.push_back({from.slots[i], from.engines[i], from.capacities[i], from.published[i]});
    return word;
}

void Switchboard::tell_watchers(const GroupWords& groups, SwitchEffects& out) {
    const auto watchers = watchers_;
    for (const Rank watcher : watchers) send(watcher, message::LoadsTold{view_->round, groups}, out);
}

void Switchboard::pause_waves(SwitchEffects& out) {
    if (!coordinates() || interrupted_) return;
    const bool paused = facts().state != State::running;
    for (std::size_t group = 0; group < groups_.size(); ++group)
        if (groups_[group].tracker.paused() != paused)
            publish(group, groups_[group].tracker.pause(static_cast<std::int64_t>(now_ms_), paused).effects, out);
}

void Switchboard::on(Rank from, message::WatchLoads, SwitchEffects& out) {
    if (!coordinates()) return;  // It tells the new coordinator by itself.
    watchers_.insert(from);
    GroupWords all;
    for (std::size_t group = 0; group < groups_.size(); ++group) all.push_back(word_of(group));
    send(from, message::LoadsTold{view_->round, std::move(all)}, out);
}

// Who watches.

SwitchEffects Switchboard::watch_loads() {
    SwitchEffects out;
    watches_ = true;
    watch_at_coordinator(out);
    return out;
}

void Switchboard::watch_at_coordinator(SwitchEffects& out) {
    if (watches_ && reachable() && !std::exchange(watch_sent_, true))
        send(view_->coordinator, message::WatchLoads{}, out);
}

void Switchboard::on(Rank from, message::LoadsTold told, SwitchEffects& out) {
    if (from != view_->coordinator || told.round != view_->round) return;  // The successor tells by itself.
    for (const auto& group : told.groups) wave_seen(Wave{group.wave.value + (group.running ? 1 : 0)});
    out.emplace_back(LoadsHeard{told.round, std::move(told.groups)});
}

}  // namespace muster::core
