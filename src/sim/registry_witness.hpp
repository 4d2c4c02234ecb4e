// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What must hold of the job's registry, as its callers see it: told of each call, each answer and each round.
/// Intuition: every set writes a value of its own, so an answer shows whose version it tells of; and a later version
/// has a higher token. What all followers of a round have is there as long as one of them, or the coordinator, goes
/// on into the next round; where none does, the witness begins anew with whatever is there (`era_`): nothing, or the
/// older copy of a member that has followed before.
/// The rules, one function each in registry_witness.cpp. Units: ticks.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/member.hpp"

namespace muster::sim {

class RegistryWitness {
public:
    explicit RegistryWitness(std::string& violations) : violations_(violations) {}

    /// The first member enters the round of `plan`; all others' positions are still those of the last one.
    void round_begins(const core::Plan& plan, const std::vector<Member>& members);
    void asks(const Member& client, const core::message::RegistryAsk& ask, std::uint64_t now);
    void answered(const Member& client, const core::message::RegistryTold& told, const std::vector<Member>& members);
    /// No answer. `undisturbed`: as StoreWitness, the coordinator's followers included.
    void is_late(const Member& client, core::CallId id, std::uint64_t now,
                 const std::function<bool(std::uint64_t since)>& undisturbed);
    /// The token of what the member was last told that a key holds.
    [[nodiscard]] std::optional<core::RegistryToken> last_heard(const Member& client, const std::string& key) const;
    [[nodiscard]] std::uint64_t losses() const { return era_; }

private:
    using Name = std::pair<Rank, std::uint64_t>;
    using Token = core::RegistryToken;
    struct Floor {  ///< What somebody has heard of a key: this version or a later one is there, or was erased.
        Token token;
        bool gone = false;  ///< Somebody has heard that it was erased.
    };
    struct Call {
        core::message::RegistryAsk ask;
        std::uint64_t asked = 0, era = 0;
        bool answered = false, denied = false;
        Floor floor;
    };
    struct Key {
        Floor floor;
        std::map<std::string, Name> writers;  ///< By value.
        std::map<Token, Name> successors;     ///< By the token that was expected: which change was accepted.
        std::vector<Name> erases;             ///< Calls that asked for a version's end.
    };
    void holders_go_on(const core::Plan& plan, const std::vector<Member>& members);
    void shows(const Call& call, const core::message::RegistryTold& told);
    void is_as_new_as_was_heard(const Call& call, const core::message::RegistryTold& told);
    [[nodiscard]] bool may_be_erased(const Key& key, const Call& but, Token from) const;
    void accepts(const Call& call, const core::message::RegistryTold& told);
    void followers_have_it(const Member& client, const Call& call, Token token, const std::vector<Member>& members);
    void raise(Key& key, Floor floor) const;
    void violated(const Call& call, const std::string& what);

    std::string& violations_;
    std::uint64_t era_ = 0;
    std::map<Name, Call> calls_;
    std::map<std::string, Key> keys_;
    std::map<Token, std::pair<std::string, std::string>> versions_;  ///< Key and value.
    std::map<std::string, Token> seen_;                              ///< By value, in this era.
    std::map<std::pair<Rank, std::string>, std::optional<Token>> heard_;
    std::set<Rank> holders_;  ///< Coordinator and followers of the last round in which all of them had everything.
    Rank client_;             ///< Of the answer that is looked at.
};

}  // namespace muster::sim
