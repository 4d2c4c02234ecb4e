// SPDX-License-Identifier: Apache-2.0
#include "sim/registry_witness.hpp"

#include <algorithm>

#include "core/ranks.hpp"
#include "sim/clock.hpp"
#include "sim/texts.hpp"

namespace muster::sim {
namespace {

using core::message::RegistryAsk;
using core::message::RegistryTold;

/// A token is the round in which the version was made, and its number (core/registry).
Round round_of(core::RegistryToken token) { return Round{static_cast<std::uint32_t>(token.value >> 32U)}; }
std::uint64_t number_of(core::RegistryToken token) { return token.value & 0xffff'ffffU; }

std::string name_of(core::RegistryToken token) {
    return std::to_string(round_of(token).value) + ":" + std::to_string(number_of(token));
}

}  // namespace

void RegistryWitness::violated(const Call& call, const std::string& what) {
    violations_ += "rank " + std::to_string(client_.value) + "'s registry call " + std::to_string(call.ask.id.value) +
                   " on '" + call.ask.key + "' " + what + "\n";
}

void RegistryWitness::asks(const Member& client, const RegistryAsk& ask, std::uint64_t now) {
    Key& key = keys_[ask.key];
    const Name name{client.rank, ask.id.value};
    calls_[name] = {.ask = ask, .asked = now, .era = era_, .floor = key.floor};
    if (ask.what == RegistryAsk::set) key.writers[text_of(ask.bytes)] = name;
    if (ask.what == RegistryAsk::erase && ask.token) key.erases.push_back(name);
}

void RegistryWitness::answered(const Member& client, const RegistryTold& told, const std::vector<Member>& members) {
    client_ = client.rank;
    Call& call = calls_.at({client.rank, told.id.value});
    if (std::exchange(call.answered, true)) return violated(call, "is answered twice");
    if (told.error) {
        if (!client.ended) violated(call, "is refused: " + *told.error);
        return;
    }
    heard_[{client.rank, call.ask.key}] = told.token;
    if (client.cut) return;  // It may be its own coordinator, and hears of nothing new.
    call.denied = call.ask.what != RegistryAsk::get && !told.accepted;
    shows(call, told);
    is_as_new_as_was_heard(call, told);
    if (told.accepted) accepts(call, told);
    if (told.token) followers_have_it(client, call, *told.token, members);
    if (told.token && call.era == era_) raise(keys_[call.ask.key], {*told.token});
}

/// A token names one version for ever, a set makes one version, and one that was not accepted makes none.
void RegistryWitness::shows(const Call& call, const RegistryTold& told) {
    if (!told.token) return;
    const std::string value = text_of(told.bytes);
    const auto version = versions_.try_emplace(*told.token, call.ask.key, value).first;
    if (version->second != std::pair(call.ask.key, value))
        violated(call, "sees a token that was another version's: " + name_of(*told.token));
    const Key& key = keys_[call.ask.key];
    const auto writer = key.writers.find(value);
    if (writer == key.writers.end()) return violated(call, "sees '" + value + "', which nobody has set");
    if (calls_.at(writer->second).denied) violated(call, "sees '" + value + "', whose set was not accepted");
    const auto [seen, is_first] = seen_.try_emplace(value, *told.token);
    if (!is_first && seen->second != *told.token)
        violated(call,
                 "sees '" + value + "', which was set twice: " + name_of(seen->second) + ", " + name_of(*told.token));
}

/// What somebody had heard of before the call was made is there, or something later is.
void RegistryWitness::is_as_new_as_was_heard(const Call& call, const RegistryTold& told) {
    if (call.era != era_ || call.floor.token == Token{}) return;
    const Key& key = keys_[call.ask.key];
    const Floor& floor = call.floor;
    if (told.token) {
        const bool old = floor.gone ? *told.token <= floor.token : *told.token < floor.token;
        if (old) violated(call, "sees " + name_of(*told.token) + ", and " + name_of(floor.token) + " was there before");
    } else if (!floor.gone && !may_be_erased(key, call, floor.token)) {
        violated(call, "sees nothing: " + name_of(floor.token) + " is lost");
    }
}

/// By another call than this one, unless it says that it did so; whose call was not accepted has erased nothing.
bool RegistryWitness::may_be_erased(const Key& key, const Call& but, Token from) const {
    return std::any_of(key.erases.begin(), key.erases.end(), [&](const Name& name) {
        const Call& erase = calls_.at(name);
        return *erase.ask.token >= from && !erase.denied && (&erase != &but || !but.denied);
    });
}

/// Each version has one successor, or one end.
void RegistryWitness::accepts(const Call& call, const RegistryTold& told) {
    Key& key = keys_[call.ask.key];
    const Name name{client_, call.ask.id.value};
    const bool sets = call.ask.what == RegistryAsk::set;
    if (sets && told.token && text_of(told.bytes) != text_of(call.ask.bytes) && told.token <= call.ask.token)
        violated(call, "is accepted, and what it has replaced is there");
    if (!call.ask.token) return;
    if (key.successors.try_emplace(*call.ask.token, name).first->second != name)
        violated(call, "is accepted beside another that replaced " + name_of(*call.ask.token));
    if (!sets && call.era == era_) raise(key, {*call.ask.token, true});
}

void RegistryWitness::raise(Key& key, Floor floor) const {
    const bool higher = floor.token > key.floor.token || (floor.token == key.floor.token && floor.gone);
    if (higher) key.floor = floor;
}

/// Nobody hears of what a follower of its round does not have.
void RegistryWitness::followers_have_it(const Member& client, const Call& call, Token token,
                                        const std::vector<Member>& members) {
    if (round_of(token) != client.view->round) return;
    const core::MirrorPosition there{round_of(token), number_of(token)};
    for (const Rank rank : client.view->followers)
        if (members[rank.value].switchboard->mirror() < there)
            violated(call, "hears of " + name_of(token) + ", which rank " + std::to_string(rank.value) +
                               ", a follower, does not have");
}

void RegistryWitness::is_late(const Member& client, core::CallId id, std::uint64_t now,
                              const std::function<bool(std::uint64_t since)>& undisturbed) {
    const Call& call = calls_.at({client.rank, id.value});
    client_ = client.rank;
    const auto bound = 2 * kAgentTickMs * kTicksPerMs;
    if (now >= call.asked + bound && undisturbed(now - bound))
        violated(call, "is not answered, and nothing has come between");
}

// Rounds.

void RegistryWitness::round_begins(const core::Plan& plan, const std::vector<Member>& members) {
    holders_go_on(plan, members);
    const bool survives = std::any_of(holders_.begin(), holders_.end(), [&](Rank rank) {
        return core::contains(plan.world, rank) || core::contains(plan.standbys, rank);
    });
    if (survives || holders_.empty()) {
        if (!holders_.empty() && !plan.keeper)
            violations_ += "round " + std::to_string(plan.round.value) + " has nobody who keeps the registry\n";
        return;
    }
    ++era_;
    holders_.clear();
    for (auto& [name, key] : keys_) {
        key.floor = {};
        key.successors.clear();
    }
    seen_.clear();
}

/// The last round's coordinator and followers, where all of them had come to hold everything in it.
void RegistryWitness::holders_go_on(const core::Plan& plan, const std::vector<Member>& members) {
    const core::RoundView* view = nullptr;
    for (const auto& member : members)
        if (member.view && member.view->round.value + 1 == plan.round.value) view = member.view.get();
    if (!view) return;
    std::set<Rank> all(view->followers.begin(), view->followers.end());
    all.insert(view->coordinator);
    const bool whole = std::all_of(all.begin(), all.end(), [&](Rank rank) {
        return members[rank.value].switchboard->mirror().term >= view->round;
    });
    if (whole) holders_ = std::move(all);
}

std::optional<core::RegistryToken> RegistryWitness::last_heard(const Member& client, const std::string& key) const {
    const auto heard = heard_.find({client.rank, key});
    return heard == heard_.end() ? std::nullopt : heard->second;
}

}  // namespace muster::sim
