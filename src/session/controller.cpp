// SPDX-License-Identifier: Apache-2.0
/// The controller as a member's threads see it: each call is a message to the coordinator and back.
#include "muster/controller.hpp"

#include "core/controller_call.hpp"
#include "session/impl.hpp"

namespace muster {
namespace {

namespace ctl = core::controller;
using Deadline = std::chrono::milliseconds;

/// How long the coordinator lets a caller wait: it answers a little earlier than this side gives up.
std::uint64_t patience(Deadline deadline) {
    const auto left = static_cast<std::uint64_t>(std::max<std::int64_t>(0, deadline.count()));
    return left - std::min<std::uint64_t>(left / 4, 50);
}

template <class What>
Result<What> asked(detail::Desk& desk, const ctl::Call& call, Deadline deadline) {
    auto bytes = desk.control(call, deadline);
    if (!bytes) return bytes.error();
    auto answer = ctl::decode_answer(*bytes);
    if (!answer || !std::holds_alternative<What>(*answer))
        return Error{Fault::internal, "the controller's answer makes no sense"};
    return std::get<What>(std::move(*answer));
}

Result<std::optional<GoalId>> goal_of(detail::Desk& desk, ctl::Command command, Deadline deadline) {
    const auto done = asked<ctl::CallDone>(desk, std::move(command), deadline);
    if (!done) return done.error();
    return done->goal;
}

Result<Done> done(detail::Desk& desk, ctl::Command command, Deadline deadline) {
    const auto answer = goal_of(desk, std::move(command), deadline);
    if (!answer) return answer.error();
    return Done{};
}

Result<ControllerView> view_of(std::span<const std::byte> bytes) {
    auto view = ctl::decode_view(bytes);
    if (!view) return Error{Fault::internal, "the controller shows something that makes no sense"};
    return std::move(*view);
}

Result<ControllerView> seen(detail::Desk& desk, ctl::Question question, Deadline deadline) {
    const auto answer = asked<ctl::Viewed>(desk, std::move(question), deadline);
    if (!answer) return answer.error();
    return view_of(answer->view);
}

}  // namespace

Controller Session::controller() { return Controller(impl_->desk); }

Result<std::optional<GoalId>> Controller::create_backend(const std::string& tag, const BackendConfig& config,
                                                         const std::string& replica_config, Deadline deadline) {
    return goal_of(*desk_, ctl::CreateBackend{tag, config, replica_config}, deadline);
}

Result<std::optional<GoalId>> Controller::delete_backend(const std::string& tag, bool force_kill, Deadline deadline) {
    return goal_of(*desk_, ctl::DeleteBackend{tag, force_kill}, deadline);
}

Result<std::optional<GoalId>> Controller::update_backend_config(const std::string& tag,
                                                                const BackendConfigUpdate& options, Deadline deadline) {
    return goal_of(*desk_, ctl::UpdateBackendConfig{tag, options}, deadline);
}

Result<Done> Controller::create_endpoint(const std::string& endpoint, const Traffic& traffic,
                                         const std::optional<std::string>& route,
                                         const std::vector<std::string>& methods, Deadline deadline) {
    return done(*desk_, ctl::CreateEndpoint{endpoint, traffic, route, methods}, deadline);
}

Result<Done> Controller::delete_endpoint(const std::string& endpoint, Deadline deadline) {
    return done(*desk_, ctl::DeleteEndpoint{endpoint}, deadline);
}

Result<Done> Controller::set_traffic(const std::string& endpoint, const Traffic& traffic, Deadline deadline) {
    return done(*desk_, ctl::SetTraffic{endpoint, traffic}, deadline);
}

Result<Done> Controller::shadow_traffic(const std::string& endpoint, const std::string& backend, double proportion,
                                        Deadline deadline) {
    return done(*desk_, ctl::ShadowTraffic{endpoint, backend, proportion}, deadline);
}

Result<Done> Controller::shutdown(Deadline deadline) { return done(*desk_, ctl::Shutdown{}, deadline); }

Result<GoalOutcome> Controller::wait_for_goal(GoalId goal, Deadline deadline) {
    const auto ended =
        asked<ctl::WaitEnded>(*desk_, ctl::Question{ctl::WaitForGoal{goal, patience(deadline)}}, deadline);
    if (!ended) return ended.error();
    return ended->outcome;
}

Result<std::map<std::string, KeySnapshot>> Controller::listen_for_change(
    const std::map<std::string, std::int64_t>& keys, Deadline deadline) {
    const auto changed =
        asked<ctl::Changed>(*desk_, ctl::Question{ctl::ListenForChange{keys, patience(deadline)}}, deadline);
    if (!changed) return changed.error();
    std::map<std::string, KeySnapshot> answer;
    for (const auto& [key, snapshot] : changed->keys) {
        auto& one = answer[key];
        one.id = snapshot.id;
        one.gone = !snapshot.value;
        if (one.gone) continue;
        auto view = view_of(*snapshot.value);
        if (!view) return view.error();
        one.value = std::move(*view);
    }
    return answer;
}

Result<BackendConfig> Controller::get_backend_config(const std::string& tag, Deadline deadline) {
    auto view = seen(*desk_, ctl::GetBackendConfig{tag}, deadline);
    if (!view) return view.error();
    return std::move(view->backends[tag]);
}

Result<std::map<std::string, BackendConfig>> Controller::list_backends(Deadline deadline) {
    auto view = seen(*desk_, ctl::ListBackends{}, deadline);
    if (!view) return view.error();
    return std::move(view->backends);
}

Result<std::map<std::string, Endpoint>> Controller::list_endpoints(Deadline deadline) {
    auto view = seen(*desk_, ctl::ListEndpoints{}, deadline);
    if (!view) return view.error();
    return std::move(view->endpoints);
}

Result<std::map<std::string, std::vector<std::string>>> Controller::replica_handles(Deadline deadline) {
    auto view = seen(*desk_, ctl::ListReplicas{}, deadline);
    if (!view) return view.error();
    return std::move(view->replicas);
}

Result<std::uint64_t> Controller::num_pending_goals(Deadline deadline) {
    const auto counted = asked<ctl::Counted>(*desk_, ctl::Question{ctl::CountPendingGoals{}}, deadline);
    if (!counted) return counted.error();
    return counted->count;
}

}  // namespace muster
