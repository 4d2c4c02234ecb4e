// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a node does next about a state that it has just read: four questions, thirteen answers, no memory.
/// Intuition: an operation is asked again and again until it says finish; whatever it says otherwise is done to the
/// state, and the state then says how it goes on. Units: Time. Errors: join of a redundant node in a closed rendezvous
/// is Failure::graceful_exit. Thread safety: pure functions. Source: acceptance T11, T17 to T26, and torch 2.15 where
/// the seed would raise (T23).

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/rendezvous_failure.hpp"
#include "core/rendezvous_settings.hpp"
#include "core/rendezvous_state.hpp"

namespace muster::core::rendezvous {

/// The source's, with its numbers.
enum class Action : std::uint8_t {
    keep_alive = 1,
    add_to_participants = 2,
    add_to_wait_list = 3,
    add_to_redundancy_list = 4,
    remove_from_participants = 5,
    remove_from_wait_list = 6,
    remove_from_redundancy_list = 7,
    mark_rendezvous_complete = 8,
    mark_rendezvous_closed = 9,
    sync = 10,  ///< Nothing to do: look again later.
    error_closed = 11,
    error_timeout = 12,
    finish = 13,
};
constexpr std::uint8_t kActions = 13;
[[nodiscard]] const char* name_of(Action action);  ///< "KEEP_ALIVE" ...

enum class Operation : std::uint8_t { exit, join, close, keep_alive };
[[nodiscard]] const char* name_of(Operation operation);  ///< "exit" ...
[[nodiscard]] std::optional<Operation> operation_from(const std::string& name);

struct Question {
    const Node& node;
    const State& state;
    const Settings& settings;
    Time now;
    std::optional<Time> deadline;  ///< Of the operation. None: it has all the time there is.
    /// Number of members that are agreed to be alive, or 0: not known. For complete_when_all_present; every participant
    /// must be one of them.
    std::size_t agreed = 0;
    /// Exit: leave this round only. A later one has this node because a death carried it over
    /// (replace_dead_participants).
    std::optional<Round> leaving{};
};

[[nodiscard]] Or<Action> decide(Operation operation, const Question& question);

}  // namespace muster::core::rendezvous
