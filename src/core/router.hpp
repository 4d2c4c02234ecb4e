// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The coordinator's table of requests: which engine has which, and who asked.
/// Intuition: engines come and go with rounds; a request stays in the table until its outcome is known, so that it can
/// be given to another engine when its own is gone. The submitter keeps it too, for the day the coordinator is gone.
/// Bounds: an engine has at most `queue_max_per_engine` requests and the table `queue_max`; what is beyond is answered
/// busy. What was accepted once (also by an earlier coordinator) is never refused for that: it is held here, oldest
/// first, until an engine has room.
/// Load: the books know exactly what each engine was given and has answered, so a report can add to them and never
/// erase them: load = max(own requests, report + given since the report - answered since).
/// Errors: no engine and no rebuild under way: "No engines connected", at once; a slot that is not there: refused.
/// Thread safety: none. Source: Megatron-LM's coordinator (M16, M17); engines' requests survive them: ours.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/message.hpp"
#include "core/router_policy.hpp"

namespace muster::core {

constexpr const char* kNoEngines = "No engines connected";             ///< Answer::reason; refused.
constexpr const char* kEnginesStopped = "the engines have stopped";    ///< Answer::reason; ended.
constexpr const char* kAborted = "taken back before an engine began";  ///< Answer::reason; aborted.

struct RouterSettings {
    Routing routing = Routing::round_robin;
    std::uint64_t seed = 0;                  ///< For policies that draw.
    std::uint64_t queue_max_per_engine = 0;  ///< Requests; 0: no bound.
    std::uint64_t queue_max = 0;             ///< Requests in the table; 0: no bound.
    bool waits = false;                      ///< Where no engine takes requests, they wait for one.
};

/// What an engine says of itself.
struct EngineReport {
    std::uint64_t requests = 0;  ///< Waiting and running.
    std::uint64_t capacity = 0;  ///< That it takes; 0: not said.
    std::uint64_t given = 0;     ///< Deliver::number of the last one that is counted in `requests`.
    std::uint64_t answered = 0;  ///< Reply::number of the last one that is not counted any more.
};

struct Routed {  ///< To an engine.
    Rank engine;
    message::Deliver deliver;
};
struct Answered {  ///< To a client.
    Rank client;
    message::Answer answer;
};
struct CalledOff {  ///< To an engine: it need not begin this one.
    Rank engine;
    message::CallOff call_off;
};
using Routings = std::vector<std::variant<Routed, Answered, CalledOff>>;

class Router {
public:
    Router(std::unique_ptr<RoutingPolicy> policy, RouterSettings settings)
        : settings_(settings), policy_(std::move(policy)) {}
    explicit Router(const RouterSettings& settings) : Router(make_policy(settings.routing, settings.seed), settings) {}

    [[nodiscard]] Routings submit(Rank client, message::Submit submit);
    [[nodiscard]] Routings reply(Rank engine, message::Reply reply);
    /// The client takes it back. Where an engine has it already, the outcome is the engine's: a reply or dropped().
    [[nodiscard]] Routings abort(Rank client, RequestId id);
    [[nodiscard]] Routings dropped(Rank engine, const message::Dropped& dropped);  ///< It had not begun.
    void interrupted();  ///< A rebuild is under way: requests wait.
    /// The engines (their receiving ranks) of a complete round and its members, ascending; `seats`: for each slot the
    /// engine it belongs to, where slots can be named. Requests of engines that are gone go to others; those of clients
    /// that are gone are forgotten. `held`: of the engines those that keep what they have and get nothing new. May be
    /// called again within a round.
    [[nodiscard]] Routings complete(const std::vector<Rank>& engines, const std::vector<Rank>& members,
                                    std::vector<Rank> seats = {}, const std::vector<Rank>& held = {});
    /// Nobody will take what waits here: it is refused with this reason, and so is whatever would have to wait.
    [[nodiscard]] Routings close(std::string why);
    void reopen() { closed_.reset(); }
    [[nodiscard]] Routings engine_registers(Rank engine);  ///< Late (M16).
    [[nodiscard]] Routings engine_gone(Rank engine);       ///< M17: the next engine is tried.
    /// Engines have stopped: all that is open is answered with an error, there are no engines (M11).
    [[nodiscard]] Routings stopped();
    /// False where there is no such engine (V22).
    bool reported(Rank engine, const EngineReport& report);

    [[nodiscard]] std::vector<Rank> engines() const;
    [[nodiscard]] const std::vector<Candidate>& candidates() const { return candidates_; }
    [[nodiscard]] std::size_t open() const { return open_.size(); }
    [[nodiscard]] std::size_t held() const { return held_.size(); }
    [[nodiscard]] std::uint64_t in_flight(Rank engine) const;  ///< Given to it, outcome not known.

private:
    struct Open {
        message::Submit submit;
        std::optional<Rank> engine;  ///< Nothing while it is held.
        bool aborted = false;
    };
    struct Books {          ///< Of one engine.
        bool held = false;  ///< Gets nothing new.
        std::uint64_t in_flight = 0;
        std::uint64_t answered = 0;  ///< The last Reply::number.
        std::optional<EngineReport> report;
    };
    using Key = std::pair<Rank, RequestId>;
    using Table = std::map<Key, Open>;
    enum class Place { given, held, refused };

    [[nodiscard]] Place place(const Key& key, Open& open, Routings& out);
    [[nodiscard]] std::optional<std::size_t> seat_of(Slot slot, std::string& why_not) const;
    [[nodiscard]] Place refuse(const Key& key, Fault fault, std::string why, Routings& out) const;
    void give(const Key& key, Open& open, std::size_t index, Routings& out);
    void take_back(Open& open);
    void try_held(Routings& out, bool all);
    void seat(Rank engine);
    void update(std::size_t index);
    [[nodiscard]] bool nobody_takes() const;
    [[nodiscard]] bool all_full() const { return full_ == candidates_.size(); }
    template <class Which>
    [[nodiscard]] Routings reroute(Which which);  ///< Those of the open requests.

    RouterSettings settings_;
    std::unique_ptr<RoutingPolicy> policy_;
    std::vector<Candidate> candidates_;            ///< The engines, by slot.
    std::vector<Books> books_;                     ///< Of each candidate.
    std::unordered_map<Rank, std::size_t> index_;  ///< In candidates_.
    std::size_t full_ = 0;                         ///< How many candidates are.
    /// Deliver::number of the last one, for this coordinator's time, also where the engine was away meanwhile.
    std::unordered_map<Rank, std::uint64_t> given_;
    std::vector<Rank> seats_;
    bool rebuilding_ = true;
    std::optional<std::string> closed_;
    Table open_;
    std::deque<Key> held_;  ///< Oldest first.
};

}  // namespace muster::core
