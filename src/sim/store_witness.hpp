// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What must hold of the round's store, as its callers see it: told of each call and each answer.
/// Intuition: every value names the call that wrote it, so whoever reads one shows which call it reads. What a key may
/// hold follows from its first letter (programs.cpp). Of two calls on a key of which one was answered before the other
/// was made, the order is certain; of others it is not.
/// The rules, one function each in store_witness.cpp. Units: ticks.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "sim/member.hpp"

namespace muster::sim {

class StoreWitness {
public:
    explicit StoreWitness(std::string& violations) : violations_(violations) {}

    void round_begins(Round round) { newest_ = round; }
    void asks(const Member& client, const core::StoreCall& call, std::uint64_t now);
    void answered(const Member& client, core::CallId id, const core::StoreAnswer& answer, std::uint64_t now);
    /// No answer yet. `undisturbed`: neither caller nor coordinator has lost or begun a round, or slept, since then: a
    /// call that was open before counts from there, since it is made again.
    void is_late(const Member& client, core::CallId id, std::uint64_t now,
                 const std::function<bool(std::uint64_t since)>& undisturbed);
    /// What the member was last told that a key holds in its round; empty: nothing.
    [[nodiscard]] std::string last_heard(const Member& client, const std::string& key) const;

private:
    using Name = std::pair<Rank, std::uint64_t>;
    struct Call {
        core::StoreCall call;
        std::uint64_t asked = 0, answered = 0;  ///< answered is 0 while it is open.
        bool over = false;                      ///< Its round was over before it was made.
        bool nothing = false;                   ///< It was answered that nothing was done.
        bool changed = false;                   ///< It was answered that it changed its key.
        std::int64_t floor = 0;                 ///< add: the highest sum that anybody had heard of when it was made.
    };
    struct Key {
        std::map<std::string, Name> writers;   ///< By the value: set and compare_set, answered or not.
        std::vector<Name> changes;             ///< All that may change it, in the order in which they were made.
        std::set<std::int64_t> sums;           ///< Results of add.
        std::map<std::string, Name> accepted;  ///< compare_set: by what was expected.
        bool erased = false;                   ///< Somebody has asked for it.
    };
    [[nodiscard]] Key& key_of(const Call& call, const std::string& key) { return keys_[{call.call.round, key}]; }
    void read(const Call& call, const std::string& key, const core::Bytes& bytes);
    void check(const Call& call, const core::store::Set& set, const core::StoreAnswer& answer);
    void check(const Call& call, const core::store::Add& add, const core::StoreAnswer& answer);
    void check(const Call& call, const core::store::CompareSet& swap, const core::StoreAnswer& answer);
    void check(const Call& call, const core::store::Erase& erase, const core::StoreAnswer& answer);
    void check(const Call& call, const core::store::Get& get, const core::StoreAnswer& answer);
    void check(const Call& call, const core::store::Wait& wait, const core::StoreAnswer& answer);
    void check(const Call& call, const core::store::NumKeys& count, const core::StoreAnswer& answer);
    void refused(const Call& call, const Error& error, bool client_ended);
    void timed_out(Call& call, const Error& error);
    [[nodiscard]] bool surely_there(const Call& call, const std::string& key);
    [[nodiscard]] bool surely_changed_between(const Key& key, const Call& write, const Call& call) const;
    void violated(const Call& call, const std::string& what);

    std::string& violations_;
    Round newest_;
    std::map<Name, Call> calls_;
    std::map<std::pair<Round, std::string>, Key> keys_;
    std::map<std::pair<Rank, std::string>, std::pair<Round, std::string>> heard_;
    std::uint64_t now_ = 0;
    Rank client_;  ///< Of the answer that is looked at.
};

}  // namespace muster::sim
