// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the controller promises, seen from outside of all members: of calls, goals, listeners, requests by endpoint and
/// replicas.
/// Intuition: it keeps its own account of every call, of what it writes (WrittenValue), and of every request. Each
/// answer, each snapshot and the state in the end must be one of those that the calls allow. Every value that a call
/// writes is its own, so a reader shows whom it read.
/// The rules, one function each: controller_witness.cpp (calls), controller_views.cpp (what is shown), and
/// controller_rest.cpp (requests, and how all is once nothing changes any more). Units: ticks. Thread safety: none.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/controller_call.hpp"
#include "sim/dice.hpp"
#include "sim/member.hpp"
#include "sim/written_value.hpp"

namespace muster::sim {

class ControllerWitness {
public:
    explicit ControllerWitness(std::string& violations) : violations_(violations) {}

    /// The first member enters a round. `losses`: how often all who held the state were gone, so far.
    void round_begins(Round round, std::uint64_t losses);

    // Calls.
    void asks(const Member& client, core::CallId id, const core::controller::Call& call, std::uint64_t now);
    void answered(const Member& client, const core::ControllerCallEnded& ended, std::uint64_t now);
    void gives_up(const Member& client, core::CallId id);
    [[nodiscard]] std::optional<core::controller::GoalId> some_goal(Dice& dice) const;

    // Replicas and requests.
    void learns(const core::ReplicaSpec& spec);  ///< Some member is told what a replica is.
    void submits(const Member& client, RequestId id, const core::Target& target, std::uint64_t now);
    void delivered(const Member& engine, const RequestKey& request, std::uint64_t now);
    /// An error that is a right end by what is known here.
    [[nodiscard]] bool ends(const Member& client, RequestId id, const std::optional<Error>& error, std::uint64_t now);
    [[nodiscard]] bool has_run(core::SeatId seat) const { return has_run_.contains(seat); }
    /// The coordinator's clock ticks: which replicas run, which drain?
    void looks_at(const Member& coordinator, std::uint64_t now);
    /// It gives a request to `to`. `undisturbed`: nothing has come between since then, at those who hold the state.
    void gives(const Member& coordinator, Rank to, std::uint64_t now,
               const std::function<bool(std::uint64_t since)>& undisturbed);

    // In the end.
    /// Why all is not as it should come to be by itself; empty where it is.
    [[nodiscard]] std::string unrest(const Member& coordinator, const std::vector<Member>& members,
                                     std::uint32_t unit) const;
    /// It waits for a replica that nobody wants, or for which there is no room.
    [[nodiscard]] bool may_wait(const Member& coordinator, const RequestKey& request) const;
    void judges(const Member& coordinator, std::uint64_t now);  ///< Nothing is under way any more.

private:
    using State = core::controller::State;
    using Name = std::pair<Rank, std::uint64_t>;
    struct Call {
        core::controller::Call what;
        std::uint64_t begun = 0;
        bool is_answered = false, is_given_up = false, is_refused = false;
        std::vector<std::pair<std::string, std::size_t>> writes{};  ///< Values, by key, and places in them.
        std::optional<core::controller::GoalId> goal{};
    };
    struct Goal {
        Name call;
        std::string backend;
        std::uint64_t era = 0;
    };
    struct Weighted {  ///< A traffic policy.
        std::map<std::string, double> weights;
    };
    struct Request {
        core::Target target;
        std::uint64_t since = 0;
    };
    struct Drain {  ///< A replica as its coordinator has it in a round.
        Round round;
        bool has_run = false;  ///< Then whoever stops it tells the routers in the same turn, else within the next one.
        std::optional<std::uint64_t> since{};
    };

    // controller_witness.cpp
    void write(Call& call, const std::string& key, Written value);
    void write_endpoint(Call& call, const std::string& name, const core::controller::TrafficDict& traffic);
    void refusal_is_right(Call& call, const std::string& why);
    void is_done(const Member& client, Call& call, const Name& name, std::optional<core::controller::GoalId> goal,
                 std::uint64_t now);
    void wait_is_right(const core::controller::WaitForGoal& wait, core::controller::GoalOutcome outcome);
    [[nodiscard]] std::uint64_t era_of(const Member& client) const;
    [[nodiscard]] static std::optional<std::string> backend_of(const Call& call);
    void violated(const std::string& what);

    // controller_views.cpp
    void shows(const Call& call, const core::controller::Viewed& seen);
    void shows(const Call& call, const core::controller::Changed& seen);
    void shows_backends(const ControllerView& view, std::uint64_t since, bool is_lazy);
    void shows_endpoints(const ControllerView& view, std::uint64_t since, bool has_routes, bool has_traffic);
    void shows_handles(const ControllerView& view);
    void shows_one(const std::string& topic, const std::string& tag, const std::optional<ControllerView>& view,
                   std::uint64_t since);
    void sees(const std::string& key, const Written& value, std::uint64_t since, bool is_lazy = false);
    [[nodiscard]] bool may_be_absent(const std::string& key, std::uint64_t since) const;
    [[nodiscard]] static bool knows(const Listening& listener, const State& state, std::string& why);

    // controller_rest.cpp
    [[nodiscard]] bool may_serve(const core::Target& target, const std::string& backend, std::uint64_t since,
                                 bool is_copy) const;
    [[nodiscard]] static std::string seats_unrest(const Member& coordinator);
    [[nodiscard]] static std::string wanted_unrest(const Member& coordinator, const std::vector<Member>& members,
                                                   std::uint32_t unit);
    void goals_are_there(const State& state);
    void values_are_there(const State& state, std::uint64_t now);

    std::string& violations_;
    std::string about_;  ///< Whose call is looked at.
    std::uint64_t era_ = 0;
    std::map<Round, std::uint64_t> era_of_round_;
    std::map<Name, Call> calls_;
    std::map<std::string, WrittenValue> values_;
    std::map<std::string, Weighted> policies_;  ///< By the text that is their value.
    std::map<core::controller::GoalId, Goal> goals_;
    std::map<core::SeatId, std::string> backends_;  ///< Of replicas.
    std::map<RequestKey, Request> requests_;
    std::map<core::SeatId, Drain> drains_;
    std::set<core::SeatId> has_run_;
};

/// A backend's config as the value that is written: its writer's name, and what may be half there.
[[nodiscard]] std::string text_of(const BackendConfig& config);
[[nodiscard]] std::string text_of(const std::map<std::string, double>& weights);

}  // namespace muster::sim
