// SPDX-License-Identifier: Apache-2.0
#include "sim/store_witness.hpp"

#include <algorithm>

#include "core/overloaded.hpp"
#include "core/store_state.hpp"
#include "core/store_words.hpp"
#include "sim/clock.hpp"
#include "sim/texts.hpp"

namespace muster::sim {
namespace {

std::string round_name(Round round) { return "round " + std::to_string(round.value); }

}  // namespace

void StoreWitness::violated(const Call& call, const std::string& what) {
    violations_ += "rank " + std::to_string(client_.value) + "'s call " + std::to_string(call.call.id.value) + " in " +
                   round_name(call.call.round) + " on " + core::listed(core::keys_of(call.call.operation)) + " " +
                   what + "\n";
}

void StoreWitness::asks(const Member& client, const core::StoreCall& call, std::uint64_t now) {
    const Name name{client.rank, call.id.value};
    Call& made = calls_[name];
    made = {.call = call, .asked = now, .over = call.round < newest_ && !client.cut};
    if (core::may_change(call.operation)) {
        const std::string key_name = core::keys_of(call.operation).front();
        Key& key = key_of(made, key_name);
        key.changes.push_back(name);
        if (const auto* set = std::get_if<core::store::Set>(&call.operation)) key.writers[text_of(*set->value)] = name;
        if (const auto* swap = std::get_if<core::store::CompareSet>(&call.operation))
            key.writers[text_of(*swap->desired)] = name;
        if (std::holds_alternative<core::store::Erase>(call.operation)) key.erased = true;
        if (!key.sums.empty()) made.floor = *key.sums.rbegin();
    }
}

void StoreWitness::answered(const Member& client, core::CallId id, const core::StoreAnswer& answer, std::uint64_t now) {
    client_ = client.rank;
    now_ = now;
    const auto found = calls_.find({client.rank, id.value});
    if (found == calls_.end()) {
        violations_ += "rank " + std::to_string(client.rank.value) + " is answered what it has not asked\n";
        return;
    }
    Call& call = found->second;
    if (call.answered != 0) return violated(call, "is answered twice");
    call.answered = std::max<std::uint64_t>(now, 1);
    if (answer.error && answer.error->fault == Fault::timed_out) return timed_out(call, *answer.error);
    if (answer.error) return refused(call, *answer.error, client.ended);
    if (call.over) violated(call, "is done, and its round was over before it was made");
    const bool may_fail = std::holds_alternative<core::store::CompareSet>(call.call.operation) ||
                          std::holds_alternative<core::store::Erase>(call.call.operation);
    call.changed = core::may_change(call.call.operation) && (!may_fail || answer.done);
    std::visit([&](const auto& operation) { check(call, operation, answer); }, call.call.operation);
}

// Every call ends.

void StoreWitness::is_late(const Member& client, core::CallId id, std::uint64_t now,
                           const std::function<bool(std::uint64_t since)>& undisturbed) {
    const Call& call = calls_.at({client.rank, id.value});
    client_ = client.rank;
    const auto bound = (call.call.patience_ms + kAgentTickMs + 1) * kTicksPerMs;
    if (now >= call.asked + bound && undisturbed(now - bound))
        violated(call, "is not answered by its deadline, and nothing has come between");
}

/// By the name of its round, or at the end of the job. What an older coordinator has done is then gone with its round.
void StoreWitness::refused(const Call& call, const Error& error, bool client_ended) {
    if (error.fault == Fault::ended) {
        if (!client_ended) violated(call, "ends with the job, which goes on");
        return;
    }
    const bool outdated = error.text.find("of " + round_name(call.call.round) + ",") != std::string::npos;
    if (error.fault != Fault::refused || !outdated) return violated(call, "is refused: " + error.text);
    if (call.call.round >= newest_) violated(call, "is refused for a round that nobody has entered: " + error.text);
}

void StoreWitness::timed_out(Call& call, const Error& error) {
    call.nothing = true;
    if (now_ + kAgentTickMs * kTicksPerMs < call.asked + call.call.patience_ms * kTicksPerMs)
        violated(call, "is over before its deadline");
    if (error.text.find("is not complete") != std::string::npos) return;
    for (const auto& key : core::keys_of(call.call.operation))
        if (error.text.find(core::in_quotes(key)) != std::string::npos && surely_there(call, key))
            violated(call, "misses " + core::in_quotes(key) + ", which was there");
}

/// Somebody had set it before this call was made, and nobody has ever asked for its end.
bool StoreWitness::surely_there(const Call& call, const std::string& name) {
    const Key& key = key_of(call, name);
    return !key.erased && std::any_of(key.changes.begin(), key.changes.end(), [&](const Name& other) {
        const Call& change = calls_.at(other);
        return change.changed && change.answered != 0 && change.answered < call.asked;
    });
}

// What is read was written, in this round, and not long ago.

bool StoreWitness::surely_changed_between(const Key& key, const Call& write, const Call& call) const {
    return std::any_of(key.changes.begin(), key.changes.end(), [&](const Name& other) {
        const Call& change = calls_.at(other);
        const bool after = write.answered != 0 && write.answered < change.asked;
        return after && change.changed && change.answered != 0 && change.answered < call.asked;
    });
}

void StoreWitness::read(const Call& call, const std::string& name, const core::Bytes& bytes) {
    const std::string value = text_of(bytes);
    heard_[{client_, name}] = {call.call.round, value};
    const Key& key = key_of(call, name);
    const auto writer = key.writers.find(value);
    if (writer == key.writers.end()) {
        for (const auto& [where, other] : keys_)
            if (other.writers.contains(value))
                return violated(call,
                                "reads what was set in " + round_name(where.first) + " for '" + where.second + "'");
        return violated(call, "reads '" + value + "', which nobody has set");
    }
    const Call& write = calls_.at(writer->second);
    if (write.nothing) violated(call, "reads what was refused");
    if (surely_changed_between(key, write, call)) violated(call, "reads '" + value + "', which was replaced long ago");
}

void StoreWitness::check(const Call&, const core::store::Set&, const core::StoreAnswer&) {}

/// Each number once, and later calls get higher ones. All amounts are 1.
void StoreWitness::check(const Call& call, const core::store::Add& add, const core::StoreAnswer& answer) {
    Key& key = key_of(call, add.key);
    if (!key.sums.insert(answer.number).second) violated(call, "gets a sum that another has got");
    if (answer.number <= call.floor) violated(call, "gets a sum that is not above earlier ones");
    if (answer.number < 1 || answer.number > static_cast<std::int64_t>(key.changes.size()))
        violated(call, "gets " + std::to_string(answer.number) + ", more than were added");
}

/// One of those that expect the same is accepted, and the others hear of a successor.
void StoreWitness::check(const Call& call, const core::store::CompareSet& swap, const core::StoreAnswer& answer) {
    Key& key = key_of(call, swap.key);
    const std::string expected = text_of(swap.expected);
    if (answer.done) {
        if (!key.accepted.emplace(expected, Name{client_, call.call.id.value}).second)
            violated(call, "is accepted beside another that expected the same");
        if (!answer.value || *answer.value != *swap.desired) violated(call, "is accepted and hears of another value");
    }
    if (!answer.value) {
        if (expected.empty() || surely_there(call, swap.key)) violated(call, "finds no key, and it was there");
        heard_.erase({client_, swap.key});
        return;
    }
    if (!answer.done && text_of(*answer.value) == expected)
        violated(call, "is not accepted, and expected what is there");
    read(call, swap.key, *answer.value);
}

void StoreWitness::check(const Call& call, const core::store::Erase& erase, const core::StoreAnswer& answer) {
    const Key& key = key_of(call, erase.key);
    if (answer.done && key.writers.empty()) violated(call, "erases what nobody has set");
}

void StoreWitness::check(const Call& call, const core::store::Get& get, const core::StoreAnswer& answer) {
    if (!answer.value) return violated(call, "gets nothing");
    read(call, get.key, *answer.value);
}

void StoreWitness::check(const Call& call, const core::store::Wait& wait, const core::StoreAnswer&) {
    for (const auto& key : wait.keys)
        if (key_of(call, key).writers.empty()) violated(call, "has waited for '" + key + "', which nobody has set");
}

/// Not more than have been asked for in this round, so none at first; not fewer than are surely there.
void StoreWitness::check(const Call& call, const core::store::NumKeys&, const core::StoreAnswer& answer) {
    std::int64_t most = 0, least = 0;
    const Round round = call.call.round;
    for (auto key = keys_.lower_bound({round, ""}); key != keys_.end() && key->first.first == round; ++key) {
        const auto& changes = key->second.changes;
        most += std::any_of(changes.begin(), changes.end(), [this](const Name& name) {
            return !std::holds_alternative<core::store::Erase>(calls_.at(name).call.operation);
        });
        least += surely_there(call, key->first.second);
    }
    if (answer.number > most)
        violated(call,
                 "counts " + std::to_string(answer.number) + " keys, at most " + std::to_string(most) + " were set");
    if (answer.number < least)
        violated(call, "counts " + std::to_string(answer.number) + " keys, " + std::to_string(least) + " are there");
}

std::string StoreWitness::last_heard(const Member& client, const std::string& key) const {
    const auto heard = heard_.find({client.rank, key});
    if (heard == heard_.end() || heard->second.first != client.view->round) return "";
    return heard->second.second;
}

}  // namespace muster::sim
