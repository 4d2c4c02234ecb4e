// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a program holds of a rendezvous: join the next round, ask, close, and keep the heartbeats going.
/// Intuition: a call is begun, then stepped until it is finished; what is to be done meanwhile (wait, timers, records,
/// the answer) comes out as effects, in order. The driver has the clock, the timer, the dice and the lock.
///
///     begin(next_rendezvous) -> [wait] -> step -> step ... -> joined | raised
///
/// Between two steps of next_rendezvous the other calls may run; among themselves they run one after the other, each
/// to its end (the source's heartbeat lock). Several threads: one mutex around every begin(), step() and question.
/// Units: Time. Errors: effect::Raised, and the answer's Failure; a begin() of a call that is under way is a bug in
/// the driver (MUSTER_ASSERT). Thread safety: none. Source: acceptance T27 to T35; the shared store's server follows
/// rank 0 (T30): it is Joined::world[0]'s.

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/rendezvous_run.hpp"

namespace muster::core::rendezvous {

namespace effect {
struct Wait {
    Time span;
};  ///< Step again when it has passed.
struct StartHeartbeats {
    std::string name;
    Time every;
};  ///< A timer: begin(heartbeat) each time.
struct StopHeartbeats {};
struct Record {
    Event event;
};  ///< Write it down.
struct Joined {
    Round round;
    Slot rank;
    std::vector<Node> world;  ///< By rank.
    std::string store_prefix;
};
struct Returned {
    bool value = true;
};  ///< shutdown: whether it is closed for all.
struct Raised {
    Failure failure;
};
}  // namespace effect
using Effect = std::variant<effect::Wait, effect::StartHeartbeats, effect::StopHeartbeats, effect::Record,
                            effect::Joined, effect::Returned, effect::Raised>;

struct Progress {
    std::vector<Effect> effects;
    bool finished = false;  ///< Else: step again; after the last Wait where there is one.
};

enum class Call : std::uint8_t { next_rendezvous, set_closed, shutdown, heartbeat };

/// A question's answer, or why there is none, and what is to be recorded.
template <class T>
struct Answer {
    Or<T> value;
    Events events;
};

class Handler {
public:
    /// The source's ValueError where the settings cannot be. The backend must outlive the handler.
    [[nodiscard]] static Or<std::unique_ptr<Handler>> create(const Node& node, const Settings& settings,
                                                             Backend& backend);
    Handler(const Handler&) = delete;
    Handler& operator=(const Handler&) = delete;

    /// `chance` in [0, 1): how much of the join delay is waited in round 0.
    [[nodiscard]] Progress begin(Call call, Time now, double chance = 0);
    [[nodiscard]] Progress step(Call call, Time now);

    [[nodiscard]] Answer<bool> is_closed(Time now);
    [[nodiscard]] Answer<std::size_t> num_nodes_waiting(Time now);  ///< The wait list only, never redundant nodes.
    /// Whether the round that this handler joined is over, also by a death (replace_dead_participants): call
    /// next_rendezvous. True before the first round.
    [[nodiscard]] Answer<bool> is_round_over(Time now);
    void agree_on(std::size_t members) { agreed_ = members; }  ///< As Question::agreed.

    [[nodiscard]] const char* backend_name() const { return backend_.name(); }
    [[nodiscard]] const std::string& run_id() const { return settings_.run_id; }
    [[nodiscard]] const Settings& settings() const { return settings_; }
    [[nodiscard]] const Node& node() const { return node_; }
    [[nodiscard]] const State& state() const { return holder_.state(); }

private:
    Handler(const Node& node, const Settings& settings, Backend& backend)
        : node_(node), settings_(settings), backend_(backend), holder_(backend, settings_) {}

    [[nodiscard]] Actor actor(Time now) const { return {node_, settings_, now}; }
    [[nodiscard]] Event event(const char* name, std::string message, Outlook outlook = Outlook::running) const;
    void stop_heartbeats(Progress& progress);
    [[nodiscard]] std::optional<Run>& run_of(Call call) { return call == Call::next_rendezvous ? joining_ : calling_; }
    void join_step(const Step& step, Progress& progress);
    void joined(Progress& progress);
    void call_over(Call call, const std::optional<Failure>& failure, Progress& progress) const;
    void close_over(Call call, const std::optional<Failure>& failure, Progress& progress) const;
    template <class T, class Look>
    [[nodiscard]] Answer<T> ask(const char* name, Time now, Look look);

    Node node_;
    Settings settings_;
    Backend& backend_;
    StateHolder holder_;
    std::size_t agreed_ = 0;
    bool delayed_ = false;        ///< next_rendezvous has begun and has not yet looked at anything.
    std::optional<Run> joining_;  ///< Of next_rendezvous: exit, then join.
    std::optional<Run> calling_;  ///< Of the other call that is under way.
    std::optional<Call> call_;    ///< Which one.
    bool heartbeats_ = false;     ///< The timer runs.
    std::optional<Round> round_;  ///< Joined last.
};

}  // namespace muster::core::rendezvous
