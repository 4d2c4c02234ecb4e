// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the job is to run, and where its requests go: backends (named sets of replicas), endpoints, goals.
/// Intuition: a call says what is wanted and returns; the coordinator's control loop makes it true, and the goal that
/// the call returned is reached when it is. A call that returned ok outlives the coordinator and k of the k + 1 members
/// that keep the job's state (Config::followers), and with Config::state_directory the whole job; one that failed, or
/// was not answered by its deadline, may or may not have been done: make it again, that does no harm.
///
///     auto controller = session->controller();
///     auto goal = controller.create_backend("chat", {.num_replicas = 2});
///     if (goal && *goal) (void)controller.wait_for_goal(**goal, 60s);
///     (void)controller.create_endpoint("chat", {{"chat", 1.0}}, "/chat");
///
/// Thread safety: every call from any thread of any member, clients included. It must not outlive its Session.
/// Units: deadlines from now on. Errors: refused (the text says why; nothing has changed), timed_out, ended.
/// Source: acceptance R1 to R21; the texts are the source's.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "muster/deployment.hpp"
#include "muster/types.hpp"

namespace muster {

namespace detail {
struct Desk;
}  // namespace detail

/// What has changed of one key. `gone`: it is not there any more, and `value` is empty.
struct KeySnapshot {
    std::int64_t id = -1;  ///< Say it the next time; another coordinator's are different ones.
    bool gone = false;
    ControllerView value{};  ///< The part that the key is about.
    bool operator==(const KeySnapshot&) const = default;
};

class Controller {
public:
    using Deadline = std::chrono::milliseconds;
    using Traffic = std::vector<std::pair<std::string, double>>;  ///< Backend, weight.
    static constexpr Deadline kDeadline{30'000};

    /// A backend and `config.num_replicas` replicas of it; `replica_config` (JSON) says what they run and is passed on
    /// as it is. Nothing: it is there already, just so (R7). Errors: refused: the config makes no sense, no room.
    [[nodiscard]] Result<std::optional<GoalId>> create_backend(const std::string& tag, const BackendConfig& config,
                                                               const std::string& replica_config = "null",
                                                               Deadline deadline = kDeadline);
    /// Its replicas drain, or with `force_kill` do not. Nothing: there is none. Errors: refused: an endpoint uses it.
    [[nodiscard]] Result<std::optional<GoalId>> delete_backend(const std::string& tag, bool force_kill = false,
                                                               Deadline deadline = kDeadline);
    /// Changes what is set, nothing else. Errors: refused: "Backend b is not registered.", or no sense.
    [[nodiscard]] Result<std::optional<GoalId>> update_backend_config(const std::string& tag,
                                                                      const BackendConfigUpdate& options,
                                                                      Deadline deadline = kDeadline);
    /// Weights must sum to 1. Errors: refused: a backend is not registered, the route is another endpoint's.
    Result<Done> create_endpoint(const std::string& endpoint, const Traffic& traffic,
                                 const std::optional<std::string>& route = std::nullopt,
                                 const std::vector<std::string>& methods = {"GET"}, Deadline deadline = kDeadline);
    Result<Done> delete_endpoint(const std::string& endpoint, Deadline deadline = kDeadline);
    Result<Done> set_traffic(const std::string& endpoint, const Traffic& traffic, Deadline deadline = kDeadline);
    /// A copy of so many of the endpoint's requests (0 to 1) goes to `backend`, replies unseen. 0: no longer.
    Result<Done> shadow_traffic(const std::string& endpoint, const std::string& backend, double proportion,
                                Deadline deadline = kDeadline);
    /// Deletes everything, the state's copies too. The job goes on.
    Result<Done> shutdown(Deadline deadline = kDeadline);

    /// Until it is reached, replaced by a newer one of its backend, or has failed; a goal that nobody knows (any more)
    /// is reached. pending: the deadline has passed.
    [[nodiscard]] Result<GoalOutcome> wait_for_goal(GoalId goal, Deadline deadline);
    /// Until one of these keys has another snapshot than the one named (-1: never seen). Keys: BACKEND_CONFIGS,
    /// REPLICA_HANDLES, ROUTE_TABLE, TRAFFIC_POLICIES, or one entry, "REPLICA_HANDLES:chat". Empty: the deadline has
    /// passed and nothing has changed.
    [[nodiscard]] Result<std::map<std::string, KeySnapshot>> listen_for_change(
        const std::map<std::string, std::int64_t>& keys, Deadline deadline);

    [[nodiscard]] Result<BackendConfig> get_backend_config(const std::string& tag, Deadline deadline = kDeadline);
    [[nodiscard]] Result<std::map<std::string, BackendConfig>> list_backends(Deadline deadline = kDeadline);
    [[nodiscard]] Result<std::map<std::string, Endpoint>> list_endpoints(Deadline deadline = kDeadline);
    /// Of each backend that has any: the names of those that take requests, "chat#7".
    [[nodiscard]] Result<std::map<std::string, std::vector<std::string>>> replica_handles(
        Deadline deadline = kDeadline);
    [[nodiscard]] Result<std::uint64_t> num_pending_goals(Deadline deadline = kDeadline);

private:
    friend class Session;
    explicit Controller(std::shared_ptr<detail::Desk> desk) : desk_(std::move(desk)) {}
    std::shared_ptr<detail::Desk> desk_;
};

}  // namespace muster
