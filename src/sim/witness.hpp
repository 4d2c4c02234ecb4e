// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What must hold in every run, whatever dies: told of each thing as it happens, and shown all members in between.
/// The rules are in witness.cpp (lifecycle, requests), witness_rounds.cpp, store_witness.cpp,
/// registry_witness.cpp, seat_witness.cpp, wave_witness.cpp and controller_witness.cpp, one function each.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/controller_witness.hpp"
#include "sim/member.hpp"
#include "sim/registry_witness.hpp"
#include "sim/seat_witness.hpp"
#include "sim/store_witness.hpp"
#include "sim/wave_witness.hpp"

namespace muster::sim {

[[nodiscard]] std::string who(const Member& member);

class Witness {
public:
    /// `launch`: all members; empty where there are no recoveries, and no rounds but the first.
    Witness(std::uint32_t members, const core::PlanSettings& settings, const std::vector<core::Member>& launch);
    Witness(const Witness&) = delete;
    Witness& operator=(const Witness&) = delete;

    // As it happens.
    /// `facts`: of all who were there when it was planned.
    void enters_round(const Member& member, const core::Plan& plan, const std::vector<core::Facts>& facts,
                      const std::vector<Member>& members);
    void all_arrived(const Comms& comms, std::uint64_t number, const std::vector<Member>& members);
    void arrives(const Member& member, const Comms& comms, std::uint64_t number);
    void crosses(const Member& member, std::uint64_t number, const std::optional<core::SignalEntry>& entry);
    void meets_in_forward(const Member& member, const core::Votes& turns, bool every_turn);
    void drifts(const Member& member, std::uint64_t vote);
    void shrinks_beside_agreement();
    void asks(const Member& client, core::OperationId operation, core::Wanted wanted);
    void operation_ends(const Member& client, core::OperationId operation, const std::optional<Error>& error);
    void submits(const Member& client, RequestId id);
    void request_ends(const Member& client, RequestId id, const std::optional<Error>& error, bool job_ended,
                      std::uint64_t now);

    void notes(const Member& member, const std::string& text) {
        last_note_ = std::to_string(member.rank.value) + ": " + text;
    }
    [[nodiscard]] const std::string& last_note() const { return last_note_; }

    /// All members, between two events. `rested_max`: ticks that a rest beside work in its group may last.
    void looks_at(const std::vector<Member>& members, std::uint64_t now, std::uint64_t rested_max);

    [[nodiscard]] StoreWitness& store() { return store_; }
    [[nodiscard]] RegistryWitness& registry() { return registry_; }
    void expect_deployments() {
        seats_.returns_if([this](core::SeatId seat) { return !controller_.has_run(seat); });
    }
    [[nodiscard]] ControllerWitness& controller() { return controller_; }
    [[nodiscard]] std::uint64_t losses() const { return registry_.losses(); }
    [[nodiscard]] const SeatWitness& seats() const { return seats_; }
    [[nodiscard]] WaveWitness& waves() { return waves_; }
    [[nodiscard]] const WaveWitness& waves() const { return waves_; }
    [[nodiscard]] std::size_t size() const { return rounds_.size(); }  ///< Members.
    [[nodiscard]] const std::string& violations() const { return violations_; }
    [[nodiscard]] std::uint64_t crossed() const { return history_.size(); }
    /// Of an engine that has crossed that many barriers; running where nobody has seen it.
    [[nodiscard]] State state_after(std::uint64_t crossed) const;

private:
    struct Crossing {  ///< A barrier that somebody has crossed.
        State to = State::running;
        core::SignalEntry entry;
    };
    struct Last {  ///< Per member: its last crossing.
        std::uint64_t number = 0;
        Round round;
    };
    struct Asked {
        core::Wanted wanted = core::Wanted::pause;
        std::uint64_t crossed = 0;  ///< Barriers, when it was asked for.
    };
    using Operation = std::pair<Rank, std::uint64_t>;
    // witness_rounds.cpp
    void lifecycle_goes_on(const core::Plan& plan, const std::vector<Member>& members);
    void everybody_has_one_place(const core::Plan& plan, const std::vector<core::Facts>& facts);
    void seats_are_as_the_order_says(const core::Plan& plan, const std::vector<core::Facts>& facts);
    [[nodiscard]] std::vector<Rank> seats_by_rule(const std::vector<Rank>& willing) const;

    // witness.cpp
    void forget_what_only_the_dead_know(std::uint64_t agreed);
    void states_fit(const std::vector<Member>& members);
    void nobody_rests_beside_work(const std::vector<Member>& members, std::uint64_t now, std::uint64_t rested_max);
    void violated(const std::string& what);

    std::vector<Round> rounds_;  ///< Per member: the last one that it entered.
    std::vector<Last> crossings_;
    std::map<Round, core::Plan> plans_;
    std::vector<Rank> world_before_;  ///< Of the last round that somebody has entered.
    std::vector<Crossing> history_;   ///< By barrier, the first at 0.
    core::SignalEntry arriving_;      ///< What the barrier is crossed for at which all have arrived.
    std::map<Operation, Asked> asked_;
    std::map<Operation, std::set<std::uint64_t>> led_to_;  ///< Barriers of each operation.
    std::map<RequestKey, std::uint64_t> submitted_;        ///< Barriers crossed by then.
    std::string violations_, last_note_;
    StoreWitness store_{violations_};
    RegistryWitness registry_{violations_};
    ControllerWitness controller_{violations_};
    WaveWitness waves_;
    core::PlanSettings settings_;
    std::vector<core::Member> launch_;
    SeatWitness seats_;
};

}  // namespace muster::sim
