// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A router for each backend, over the engines of its serving replicas; without a controller one router for all.
/// Intuition: the endpoint says which backend a request is for (core/traffic), the backend's own router which engine
/// gets it. A router keeps what its engines have when a replica stops or is refilled: it only gives them nothing new.
/// Waiting: requests to a backend that is registered and has no serving replica wait for one. What names an endpoint or
/// a backend that is not there is refused by name, and so is what waits when its backend is deleted. Until it is known
/// what there is (a successor has not heard from its followers yet) everything waits.
/// Shadows: a copy is a request of a client that does not exist (shadow_of), so no reply to it finds anybody. Copies
/// are not kept over rounds, nor beyond their router's bounds.
/// Errors: as core/router; names that are not there: refused. Thread safety: none. Source: Ray Serve's router
/// (acceptance R14, R15).

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/router.hpp"
#include "core/traffic.hpp"

namespace muster::core {

/// A replica that has engines in the world.
struct ReplicaEngines {
    std::string backend;
    std::vector<Rank> engines;  ///< Those that receive.
    bool takes = true;          ///< False: they keep what they have and get nothing new.
};

/// What the controller's state says of requests.
struct RequestPlan {
    std::set<std::string> backends{};  ///< Registered.
    std::map<std::string, EndpointTraffic> endpoints{};
    bool operator==(const RequestPlan&) const = default;
};

[[nodiscard]] constexpr Rank shadow_of(Rank client) { return Rank{~client.value}; }
[[nodiscard]] constexpr bool is_shadow(Rank client) { return client.value >= 0x8000'0000U; }

class BackendRouters {
public:
    /// `by_backend`: the job has a controller. Else this is one Router, and nothing more.
    BackendRouters(const RouterSettings& settings, bool by_backend);

    // As Router's.
    [[nodiscard]] Routings submit(Rank client, message::Submit submit);
    [[nodiscard]] Routings reply(Rank engine, message::Reply reply);
    [[nodiscard]] Routings abort(Rank client, RequestId id);
    [[nodiscard]] Routings dropped(Rank engine, const message::Dropped& dropped);
    void interrupted();
    [[nodiscard]] Routings complete(const std::vector<Rank>& engines, const std::vector<Rank>& members,
                                    const std::vector<Rank>& seats);
    [[nodiscard]] Routings engine_registers(Rank engine);
    [[nodiscard]] Routings engine_gone(Rank engine);
    [[nodiscard]] Routings stopped();
    bool reported(Rank engine, const EngineReport& report);
    [[nodiscard]] std::uint64_t in_flight(Rank engine) const;
    [[nodiscard]] std::size_t open() const;
    [[nodiscard]] std::size_t held() const;

    // From the controller.
    [[nodiscard]] Routings plan(RequestPlan plan);                       ///< From now on.
    [[nodiscard]] Routings serve(std::vector<ReplicaEngines> replicas);  ///< From now on.
    /// Requests that are not answered, by backend, waiting ones too; copies do not count. No zeros.
    [[nodiscard]] const std::map<std::string, std::uint64_t>& ongoing() const { return ongoing_; }

    [[nodiscard]] const Router& only() const { return only_; }  ///< Where there is no controller.

private:
    using Key = std::pair<Rank, RequestId>;

    [[nodiscard]] Routings submit_without(Rank client, message::Submit submit);
    void route(Rank client, message::Submit submit, Routings& out);
    [[nodiscard]] std::optional<std::string> backend_at(Slot slot, std::string& why_not) const;
    [[nodiscard]] std::optional<Traffic::Choice> choice_for(Rank client, const message::Submit& submit,
                                                            std::string& why_not) const;
    void copy(const std::string& backend, Rank client, const message::Submit& submit, Routings& out);
    [[nodiscard]] Router& router_of(const std::string& backend, Routings& out);
    [[nodiscard]] Router* owner_of(const Key& key, Rank engine);
    void fit(const std::string& backend, Router& router, Routings& out);
    void fit_all(Routings& out);
    void sweep();
    void forget(const Key& key);
    void pass(Routings routings, Routings& out);

    RouterSettings settings_;
    bool by_backend_;
    Router only_;

    // Where there is a controller.
    Traffic traffic_;
    std::optional<std::set<std::string>> backends_;  ///< Registered; nothing: it is not known yet.
    std::map<std::string, Router> routers_;          ///< Of registered backends, and of others until they are empty.
    std::map<Key, std::string> where_;               ///< The backend of each open request; no copies.
    std::map<std::string, std::uint64_t> ongoing_;   ///< How many of them by backend; no zeros.
    std::vector<std::pair<Rank, message::Submit>> early_;  ///< Came before it was known what there is.
    std::vector<ReplicaEngines> replicas_;
    std::map<Rank, std::string> backend_of_engine_;
    std::vector<Rank> engines_, members_, seats_;  ///< Of the round.
    bool rebuilding_ = true;
};

}  // namespace muster::core
