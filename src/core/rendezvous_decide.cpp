// SPDX-License-Identifier: Apache-2.0
#include "core/rendezvous_decide.hpp"

#include <array>
#include <utility>

namespace muster::core::rendezvous {

namespace {

constexpr std::array<const char*, kActions + 1> kActionNames = {"",
                                                                "KEEP_ALIVE",
                                                                "ADD_TO_PARTICIPANTS",
                                                                "ADD_TO_WAIT_LIST",
                                                                "ADD_TO_REDUNDANCY_LIST",
                                                                "REMOVE_FROM_PARTICIPANTS",
                                                                "REMOVE_FROM_WAIT_LIST",
                                                                "REMOVE_FROM_REDUNDANCY_LIST",
                                                                "MARK_RENDEZVOUS_COMPLETE",
                                                                "MARK_RENDEZVOUS_CLOSED",
                                                                "SYNC",
                                                                "ERROR_CLOSED",
                                                                "ERROR_TIMEOUT",
                                                                "FINISH"};
constexpr std::array<const char*, 4> kOperationNames = {"exit", "join", "close", "keep_alive"};

bool is_late(const Question& ask) { return ask.deadline && ask.now > *ask.deadline; }
bool may_roll_back(const Question& ask) { return ask.now <= *ask.deadline + ask.settings.rollback; }
bool is_participant(const Question& ask) { return ask.state.participants.contains(ask.node); }
bool is_waiting(const Question& ask) { return ask.state.wait_list.contains(ask.node); }
bool is_redundant(const Question& ask) { return ask.state.redundancy_list.contains(ask.node); }
bool is_full(const Question& ask) {
    return std::cmp_greater_equal(ask.state.participants.size(), ask.settings.max_nodes);
}

bool is_heartbeat_due(const Question& ask) {
    const auto heard = ask.state.last_heartbeats.find(ask.node);
    return heard != ask.state.last_heartbeats.end() && heard->second <= ask.now - ask.settings.keep_alive_interval;
}

Action look_again(const Question& ask) { return is_heartbeat_due(ask) ? Action::keep_alive : Action::sync; }

/// Between min and max, and nobody else is waited for: the last call is over, or all who live are here.
bool may_complete(const Question& ask) {
    const auto count = ask.state.participants.size();
    if (std::cmp_less(count, ask.settings.min_nodes) || std::cmp_greater(count, ask.settings.max_nodes)) return false;
    if (ask.settings.complete_when_all_present && ask.agreed > 0 && count >= ask.agreed) return true;
    return ask.state.deadline && *ask.state.deadline < ask.now;
}

Action decide_exit(const Question& ask) {
    if (!is_participant(ask) || ask.state.round != ask.leaving.value_or(ask.state.round)) return Action::finish;
    return is_late(ask) ? Action::error_timeout : Action::remove_from_participants;
}

/// Past its deadline a node takes itself off the list it is on, as long as there is time for that; if it does not get
/// to it, its heartbeat expires.
Action give_up(const Question& ask) {
    if (!may_roll_back(ask)) return Action::error_timeout;
    if (is_participant(ask)) return Action::remove_from_participants;
    return is_waiting(ask) ? Action::remove_from_wait_list : Action::error_timeout;
}

/// A complete round without us: into the next one, or, where there is no place, out of everybody's way.
Action queue_up(const Question& ask) {
    if (is_waiting(ask)) return look_again(ask);
    return is_full(ask) ? Action::add_to_redundancy_list : Action::add_to_wait_list;
}

Or<Action> decide_join(const Question& ask) {
    if (ask.state.closed) {
        if (!is_redundant(ask)) return Action::error_closed;
        return Failure{Failure::graceful_exit,
                       "The rendezvous '" + ask.settings.run_id + "' is closed, terminating pending rendezvous."};
    }
    if (is_redundant(ask)) {  // Before the deadline: whoever is redundant has no hurry.
        const bool no_place = std::cmp_equal(ask.state.participants.size(), ask.settings.max_nodes);
        return no_place ? look_again(ask) : Action::remove_from_redundancy_list;
    }
    if (ask.state.complete && is_participant(ask)) return Action::finish;
    if (is_late(ask)) return give_up(ask);
    if (ask.state.complete) return queue_up(ask);
    if (!is_participant(ask)) return Action::add_to_participants;
    return may_complete(ask) ? Action::mark_rendezvous_complete : look_again(ask);
}

Action decide_close(const Question& ask) {
    if (ask.state.closed) return Action::finish;
    return is_late(ask) ? Action::error_timeout : Action::mark_rendezvous_closed;
}

Action decide_keep_alive(const Question& ask) {
    if (!is_heartbeat_due(ask)) return Action::finish;
    return is_late(ask) ? Action::error_timeout : Action::keep_alive;
}

}  // namespace

const char* name_of(Action action) { return kActionNames[static_cast<std::size_t>(action)]; }
const char* name_of(Operation operation) { return kOperationNames[static_cast<std::size_t>(operation)]; }

std::optional<Operation> operation_from(const std::string& name) {
    for (std::size_t i = 0; i < kOperationNames.size(); ++i)
        if (name == kOperationNames[i]) return static_cast<Operation>(i);
    return std::nullopt;
}

Or<Action> decide(Operation operation, const Question& question) {
    switch (operation) {
        case Operation::exit: return decide_exit(question);
        case Operation::join: return decide_join(question);
        case Operation::close: return decide_close(question);
        case Operation::keep_alive: break;
    }
    return decide_keep_alive(question);
}

}  // namespace muster::core::rendezvous
