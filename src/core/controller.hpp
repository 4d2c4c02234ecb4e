// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The controller: takes calls, turns its control loop, and says what is to be done, in order.
/// Intuition: it decides first, then its decision is made safe, then others may see it:
///
///     call() or turn() -> Step{records} -> the driver appends the records (journal, followers) -> commit() -> effects
///                                       -> or it cannot (disk full): abandon(), and nothing has changed
///
/// So no effect can come before its checkpoint (R3): effects are not there before commit(). From a Step to its commit
/// the write lock is held (R2): another Step, or a commit without one, stops the process.
/// Shape: hard state is FoldedState, a fold of records; everything else here is soft: it is about this incarnation only
/// (who waits, what has been asked for) and a successor begins without it and asks again. A successor folds, calls
/// start(), and only what that returns tells listeners anything: never an empty map before the state is whole.
/// Units: milliseconds. Errors: a refused call is Step::error, the source's text; it has no records and needs no
/// commit. Thread safety: none. Source: acceptance R1 to R21; where ours differs: DESIGN.md, "Controller".

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/autoscaler.hpp"
#include "core/controller_command.hpp"
#include "core/controller_draft.hpp"
#include "core/controller_effect.hpp"
#include "core/controller_folded.hpp"
#include "core/gate_watch.hpp"
#include "core/goal_waits.hpp"
#include "core/replica_health.hpp"

namespace muster::core::controller {

struct ControllerSettings {
    HttpConfig http{};
    HealthSettings health{};
    std::uint64_t goals_kept_ms = 300'000;   ///< Ended goals are kept so long.
    std::uint64_t slow_turn_ms = 10'000;     ///< A turn that takes longer is warned of.
    std::uint64_t start_limit_ms = 120'000;  ///< A start that is not reported for so long has failed.
    std::uint64_t start_again_ms = 60'000;   ///< After giving up, one more start is tried so often.
    double crash_after_checkpoint = 0;       ///< R5: with this probability, and only where it is detached.
    bool detached = false;
};

/// What the driver has seen of one replica.
struct ReplicaReport {
    enum class Kind : std::uint8_t { started, start_failed, gone, well, unwell };
    ReplicaName name;
    Kind kind = Kind::started;
};

/// A decision that is not safe yet. Moved from the controller to the driver and back.
struct Step {
    std::optional<std::string> error{};
    std::optional<GoalId> goal{};
    std::vector<Bytes> records{};  ///< To be appended, in order, before commit().
    bool scaled = false;           ///< The scaling step was reached.

private:
    friend class Controller;
    Effects effects{};
    std::vector<Event> events{};
    std::vector<GoalId> ended{};  ///< Goals that are no longer pending afterwards.
    std::size_t reports = 0;      ///< Of the queue, how many are in this step.
    bool is_turn = false;
    std::uint64_t now_ms = 0;
};

class Controller {
public:
    /// `folded` must outlive it.
    Controller(FoldedState& folded, const ControllerSettings& settings);

    /// First of all, also after a recovery (R4, R18): tells listeners, attaches what should run, completes a shutdown.
    [[nodiscard]] Effects start(std::uint64_t now_ms);

    [[nodiscard]] Step call(const Command& command, const Surroundings& around, std::uint64_t now_ms);
    /// One turn of the control loop (R19): reports, goals, backends; then gates, starts, stops and checks.
    [[nodiscard]] Step turn(std::uint64_t now_ms);
    /// Between turns: replicas that have started are told of at once. Nothing to commit where it has no records.
    [[nodiscard]] Step settle(std::uint64_t now_ms);

    /// The records are safe: folds them. `chance` in [0, 1) is for the fault hook; 1: never.
    [[nodiscard]] Effects commit(const Step& step, double chance = 1);
    /// The same where the records have been folded already, by a mirror.
    [[nodiscard]] Effects committed(const Step& step, double chance = 1);
    void abandon(const Step& step);
    /// The checkpoint is deleted and its record folded (R20): whoever waits need not any longer.
    [[nodiscard]] Effects cleared();

    void report(const ReplicaReport& report, std::uint64_t now_ms);
    void observe(const std::string& backend, double ongoing) { ongoing_[backend] = ongoing; }
    void set_room(std::optional<std::uint32_t> room) { room_ = room; }
    [[nodiscard]] GateWatch& gates() { return gates_; }
    [[nodiscard]] const GateWatch& gates() const { return gates_; }
    /// One effect could not be carried out: it is asked for again in the next turn; the others went on.
    [[nodiscard]] Warn failed(const Effect& effect, const std::string& why);
    [[nodiscard]] std::optional<Warn> took(std::uint64_t turn_ms) const;

    /// Nothing: it is pending, and an EndWait will come, with GoalOutcome::pending where `until_ms` is over first. An
    /// unknown goal counts as reached (R9).
    [[nodiscard]] std::optional<GoalOutcome> wait_for_goal(WaiterId waiter, GoalId goal,
                                                           std::optional<std::uint64_t> until_ms);
    void forget(WaiterId waiter) { waits_.forget(waiter); }

    [[nodiscard]] const State& state() const { return folded_.state(); }
    [[nodiscard]] std::size_t num_pending_goals() const { return state().pending.size(); }

private:
    struct Starts {
        std::uint32_t failures = 0;
        std::uint64_t last_ms = 0;
    };
    void fold_reports(Draft& draft, Step& step);
    void finish(Draft& draft, Step& step);
    void stop_lost(Draft& draft, std::uint64_t now_ms);
    void count_failure(const std::string& tag, std::uint64_t now_ms);
    void end_goals(Draft& draft, std::uint64_t now_ms) const;
    void reconcile(Draft& draft, std::uint64_t now_ms);
    [[nodiscard]] event::ReplicasMoved reconciled(const State& state, const std::string& tag,
                                                  std::optional<std::uint32_t> room, std::uint64_t now_ms);
    [[nodiscard]] std::uint32_t autoscaled(const std::string& tag, const Backend& backend, std::uint64_t now_ms);
    [[nodiscard]] std::size_t starts_allowed(const std::string& tag, const Backend& backend,
                                             std::uint64_t now_ms) const;
    [[nodiscard]] bool gave_up(const std::string& tag, const Backend& backend) const;
    void learn(const Step& step, Effects& out);
    void learn(const event::ReplicasMoved& event, std::uint64_t now_ms);
    void act(std::uint64_t now_ms, Effects& out);
    void stop_or_kill(const ReplicaName& name, const Replica& replica, std::uint64_t now_ms, Effects& out);
    void end_job(Effects& out) const;

    FoldedState& folded_;
    ControllerSettings settings_;
    bool locked_ = false;
    bool over_ = false;  ///< Shut down: turns do nothing until somebody asks for something again.
    std::vector<ReplicaReport> reports_;
    std::map<ReplicaName, std::uint64_t> asked_to_start_, asked_to_stop_;  ///< When it was.
    std::map<std::string, Starts> starts_;
    std::map<std::string, double> ongoing_;
    std::map<std::string, Autoscaler> autoscalers_;
    std::optional<std::uint32_t> room_;
    ReplicaHealth<ReplicaName> health_;
    GateWatch gates_;
    GoalWaits waits_;
};

/// Goal reached (R10): as many of the wanted version run as are wanted; where none are, none is left.
[[nodiscard]] bool is_reached(const State& state, const std::string& backend);

}  // namespace muster::core::controller
