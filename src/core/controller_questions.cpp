// SPDX-License-Identifier: Apache-2.0
// Calls of the controller's clients that only look, wait or listen.
#include <algorithm>

#include "core/controller_server.hpp"
#include "core/ranks.hpp"

namespace muster::core {

using namespace controller;

void ControllerServer::look(Rank client, CallId id, const Question& question) {
    std::visit([&](const auto& one) { answer_one(client, id, one); }, question);
}

void ControllerServer::answer_one(Rank client, CallId id, const WaitForGoal& call) {
    const auto until = call.limit_ms ? std::optional(now_ms_ + *call.limit_ms) : std::nullopt;
    const auto waiter = waiter_of({client, id});
    if (const auto outcome = controller_->wait_for_goal(WaiterId{waiter}, call.goal, until))
        end_wait({WaiterId{waiter}, call.goal, *outcome});
}

void ControllerServer::answer_one(Rank client, CallId id, const ListenForChange& call) {
    LongPoll::Listen listen{call.keys, {}};
    if (call.limit_ms) listen.until_ms = now_ms_ + *call.limit_ms;
    const auto waiter = waiter_of({client, id});
    for (auto& reply : replies_of(board_->listen(ListenerId{waiter}, std::move(listen)))) hold(std::move(reply));
}

void ControllerServer::answer_one(Rank client, CallId id, const GetBackendConfig& call) {
    const auto view =
        state().backends.contains(call.tag) ? view_of(state(), Topic::backend_configs, call.tag) : Value{};
    if (!view) return refuse(client, id, "Backend " + call.tag + " is not registered.");
    answer(client, id, Viewed{*view});
}

void ControllerServer::answer_one(Rank client, CallId id, const ListBackends&) {
    answer(client, id, Viewed{*view_of(state(), Topic::backend_configs)});
}

void ControllerServer::answer_one(Rank client, CallId id, const ListEndpoints&) {
    answer(client, id, Viewed{*endpoints_of(state())});
}

void ControllerServer::answer_one(Rank client, CallId id, const ListReplicas&) {
    answer(client, id, Viewed{*view_of(state(), Topic::replica_handles)});
}

void ControllerServer::answer_one(Rank client, CallId id, const CountPendingGoals&) {
    answer(client, id, Counted{controller_->num_pending_goals()});
}

/// One number for one call, however often it is made.
std::uint64_t ControllerServer::waiter_of(const Caller& caller) {
    const auto [place, is_new] = waiting_.try_emplace(caller, waiters_ + 1);
    if (is_new) callers_[++waiters_] = caller;
    return place->second;
}

std::optional<ControllerServer::Caller> ControllerServer::end_of_wait(std::uint64_t waiter) {
    const auto found = callers_.find(waiter);
    if (found == callers_.end()) return std::nullopt;
    const Caller caller = found->second;
    waiting_.erase(caller);
    callers_.erase(found);
    return caller;
}

void ControllerServer::end_wait(const EndWait& ended) {
    if (const auto caller = end_of_wait(ended.waiter.value))
        answer(caller->first, caller->second, WaitEnded{ended.outcome});
}

std::vector<ControllerReply> ControllerServer::replies_of(const LongPollAnswers& answers) {
    std::vector<ControllerReply> replies;
    for (const auto& one : answers)
        if (const auto caller = end_of_wait(one.listener.value))
            replies.push_back(
                {caller->first, {caller->second, std::nullopt, encode(controller::Answer{Changed{one.changed}})}});
    return replies;
}

/// Clients that are gone wait for nothing.
void ControllerServer::forget_absent(const std::vector<Rank>& members) {
    std::vector<std::uint64_t> gone;
    for (const auto& [waiter, caller] : callers_)
        if (!contains(members, caller.first)) gone.push_back(waiter);
    for (const auto waiter : gone) {
        if (controller_) controller_->forget(WaiterId{waiter});
        if (board_) board_->forget(ListenerId{waiter});
        (void)end_of_wait(waiter);
    }
}

}  // namespace muster::core
