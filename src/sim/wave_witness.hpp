// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What requests, loads and waves promise, seen from outside of all members.
/// Intuition: it keeps its own account of every request and of every wave that anybody was in, and looks at all members
/// between two events. What takes time (a wake, a rest, a load on its way) has a bound that counts while all is calm:
/// everybody lives, listens and is in the newest round.
/// The rules, one function each: wave_witness.cpp (requests, what clients are told), wave_rules.cpp (groups and their
/// waves). Units: ticks.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/plan.hpp"
#include "sim/member.hpp"

namespace muster::sim {

/// What a world has been told to do.
struct WaveRules {
    bool lockstep = true;           ///< Groups vote.
    bool always_work = false;       ///< Then nobody rests.
    std::uint64_t told_within = 0;  ///< So long until clients are told of a load or a wave, once all is calm.
    std::uint32_t queue_max_per_engine = 0, queue_max = 0;
};

class WaveWitness {
public:
    WaveWitness(std::string& violations, std::uint32_t members) : violations_(violations), seen_(members) {}
    void expect(const WaveRules& rules) { rules_ = rules; }

    /// The first member enters the round of `plan`.
    void round_begins(const core::Plan& plan, const std::vector<core::Facts>& facts,
                      const std::vector<Member>& members);
    // Requests.
    void submits(const Member& client, RequestId id, std::optional<Slot> pin);
    void takes_back(const Member& client, RequestId id);
    void delivered(const Member& engine, const RequestKey& request);
    void begins(const RequestKey& request);
    void replies(const RequestKey& request);
    /// True where that is a right end by what is known here; an error of the engines' stop is for others to judge.
    [[nodiscard]] bool ends(const Member& client, RequestId id, const std::optional<Error>& error);
    // Loads and waves.
    void watches(const Member& client) { told_[client.rank]; }
    void hears(const Member& client, const core::LoadsHeard& heard, const std::vector<Member>& members);
    void meets_in_forward(const Member& last, const Group& group, const std::vector<Member>& members);

    void looks_at(const std::vector<Member>& members, std::uint64_t now);
    [[nodiscard]] std::uint64_t highest() const { return static_cast<std::uint64_t>(highest_); }

private:
    struct Request {
        std::optional<Slot> pin;
        Round since;  ///< In which it was submitted.
        bool taken_back = false, begun = false, replied = false;
    };
    struct Seen {                ///< Of a member.
        std::int64_t wave = 0;   ///< Of its engine's loop.
        std::int64_t above = 0;  ///< All waves that it knows of are below.
        core::Load load;
    };
    struct Told {  ///< A client.
        Round round;
        std::map<std::uint32_t, core::GroupWord> groups;
        std::map<std::uint32_t, std::int64_t> steps;  ///< By group; for life.
    };
    struct Began {              ///< A round.
        std::int64_t wave = 0;  ///< Above all that were there before.
        std::vector<Rank> world;
    };
    struct Since {  ///< Per group: since when it is so; nothing: it is not.
        std::optional<std::uint64_t> split, asleep, idle;
    };
    struct Sight {  ///< A group, now.
        std::uint32_t there = 0, resting = 0, at_work = 0;
        bool turns = true;  ///< All are RUNNING or PAUSING.
        bool runs = true;   ///< All are RUNNING.
        bool work = false;
    };
    // wave_witness.cpp
    [[nodiscard]] bool held_slot(Rank engine, Slot slot, Round since, std::size_t ranks) const;
    void names_who_is_there(const Member& client, const core::GroupWord& word, const Comms& comms);
    void goes_on(const Member& client, Told& told, const core::GroupWord& word, const std::vector<Member>& members);
    void clients_know(const std::vector<Member>& members, const Comms& comms);
    void knows(const Member& client, const Told& told, const Comms& comms, const std::vector<Member>& members);
    // wave_rules.cpp
    void waves_go_on(const std::vector<Member>& members, std::uint64_t now);
    void groups_are_of_one_mind(const std::vector<Member>& members, const Comms& comms, std::uint64_t now);
    void lasts(std::optional<std::uint64_t>& since, bool so, std::uint64_t now, std::uint64_t bound,
               std::uint32_t group, const char* what);
    [[nodiscard]] std::optional<std::uint64_t> calm_since(const std::vector<Member>& members) const;
    void violated(const std::string& what) { violations_ += what + "\n"; }

    std::string& violations_;
    WaveRules rules_;
    std::map<RequestKey, Request> requests_;
    std::vector<Seen> seen_;  ///< Per member.
    std::map<Rank, Told> told_;
    std::map<Round, Began> rounds_;
    std::size_t smallest_world_ = SIZE_MAX;
    std::int64_t highest_ = 0;
    std::uint64_t changed_ = 0;  ///< When a load or a wave has changed anywhere.
    std::optional<std::uint64_t> calm_;
    bool compared_ = false;  ///< What clients know, since then.
    Round round_;            ///< Whose groups these are:
    std::vector<Since> since_;
};

}  // namespace muster::sim
