// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Actions carried out on a state, one iteration of the executor, and the executor itself.
/// Intuition: sync, decide, apply, and again; what was applied is written by the next iteration's sync. The caller
/// gives the time and does the sleeping. Units: Time. Errors: Step::failure; the operation is over then.
/// Thread safety: none. Source: acceptance T12 to T16, T35.

#include <optional>

#include "core/rendezvous_decide.hpp"
#include "core/rendezvous_event.hpp"
#include "core/rendezvous_holder.hpp"

namespace muster::core::rendezvous {

/// Who acts, and when.
struct Actor {
    const Node& node;
    const Settings& settings;
    Time now;
};

/// Carries out one of keep_alive ... mark_rendezvous_closed. `events` may be null.
void apply(Action action, const Actor& actor, State& state, Events* events);

/// What one iteration did.
struct Step {
    std::optional<bool> synced;        ///< As Synced::written.
    std::optional<Action> action;      ///< None where the sync or the decision failed.
    std::optional<Failure> failure;    ///< Also with error_closed and error_timeout.
    std::optional<Time> new_deadline;  ///< The operation has until then from now on.
    std::optional<Time> sleep;         ///< Nothing to do: look again after this.
    Events events;
    [[nodiscard]] bool is_over() const { return failure || action == Action::finish; }
};

struct Task {
    Operation operation = Operation::join;
    std::optional<Time> deadline{};
    std::size_t agreed = 0;          ///< As in Question.
    std::optional<Round> leaving{};  ///< The same.
};

[[nodiscard]] Step iterate(StateHolder& holder, const Actor& actor, const Task& task);

/// One operation from beginning to end.
class Run {
public:
    explicit Run(const Task& task) : task_(task) {}
    [[nodiscard]] Step step(StateHolder& holder, const Actor& actor);
    [[nodiscard]] const Task& task() const { return task_; }

private:
    Task task_;
};

}  // namespace muster::core::rendezvous
