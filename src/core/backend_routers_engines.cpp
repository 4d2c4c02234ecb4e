// SPDX-License-Identifier: Apache-2.0
// Backends, replicas and engines that come and go.
#include <algorithm>

#include "core/backend_routers.hpp"
#include "core/ranks.hpp"

namespace muster::core {

void BackendRouters::interrupted() {
    only_.interrupted();
    rebuilding_ = true;
    for (auto& [backend, router] : routers_) router.interrupted();
}

Routings BackendRouters::complete(const std::vector<Rank>& engines, const std::vector<Rank>& members,
                                  const std::vector<Rank>& seats) {
    if (!by_backend_) return only_.complete(engines, members, seats);
    rebuilding_ = false;
    engines_ = engines;
    members_ = members;
    seats_ = seats;
    const auto is_gone = [&](Rank client) { return !std::binary_search(members.begin(), members.end(), client); };
    std::erase_if(early_, [&](const auto& one) { return is_gone(one.first); });
    std::vector<Key> gone;
    for (const auto& [key, backend] : where_)
        if (is_gone(key.first)) gone.push_back(key);
    for (const auto& key : gone) forget(key);
    Routings out;
    fit_all(out);
    return out;
}

/// The router's engines are those of its backend's replicas. What they have stays theirs.
void BackendRouters::fit(const std::string& backend, Router& router, Routings& out) {
    if (rebuilding_) return;
    std::vector<Rank> engines, held;
    for (const auto& replica : replicas_) {
        if (replica.backend != backend) continue;
        for (const Rank engine : replica.engines) {
            if (!contains(engines_, engine)) continue;
            engines.push_back(engine);
            if (!replica.takes) held.push_back(engine);
        }
    }
    pass(router.complete(engines, members_, seats_, held), out);
}

void BackendRouters::fit_all(Routings& out) {
    for (auto& [backend, router] : routers_) fit(backend, router, out);
    sweep();
}

/// A deleted backend's router goes with its last request and its last replica.
void BackendRouters::sweep() {
    std::erase_if(routers_, [this](const auto& one) {
        const auto& [backend, router] = one;
        if (backends_ && backends_->contains(backend)) return false;
        const bool has_replica = std::any_of(replicas_.begin(), replicas_.end(),
                                             [&](const ReplicaEngines& replica) { return replica.backend == backend; });
        return router.open() == 0 && !has_replica;
    });
}

Routings BackendRouters::serve(std::vector<ReplicaEngines> replicas) {
    if (!by_backend_) return {};
    replicas_ = std::move(replicas);
    backend_of_engine_.clear();
    Routings out;
    for (const auto& replica : replicas_) {
        for (const Rank engine : replica.engines) backend_of_engine_[engine] = replica.backend;
        (void)router_of(replica.backend, out);
    }
    if (!rebuilding_) fit_all(out);
    return out;
}

Routings BackendRouters::plan(RequestPlan plan) {
    Routings out;
    if (!by_backend_) return out;
    const bool is_first = !backends_;
    backends_ = std::move(plan.backends);
    traffic_.set(std::move(plan.endpoints));
    for (auto& [backend, router] : routers_)
        if (backends_->contains(backend))
            router.reopen();
        else
            pass(router.close("Backend " + backend + " is not registered."), out);
    sweep();
    if (!is_first) return out;
    for (auto& [client, submit] : std::exchange(early_, {})) route(client, std::move(submit), out);
    return out;
}

Routings BackendRouters::engine_registers(Rank engine) {
    if (!by_backend_) return only_.engine_registers(engine);
    Routings out;
    if (!contains(engines_, engine)) engines_.push_back(engine);
    if (!rebuilding_) fit_all(out);
    return out;
}

Routings BackendRouters::engine_gone(Rank engine) {
    if (!by_backend_) return only_.engine_gone(engine);
    std::erase(engines_, engine);
    Routings out;
    if (!rebuilding_) fit_all(out);
    return out;
}

Routings BackendRouters::stopped() {
    if (!by_backend_) return only_.stopped();
    Routings out;
    for (auto& [backend, router] : routers_) pass(router.stopped(), out);
    for (const auto& [client, submit] : std::exchange(early_, {}))
        out.emplace_back(Answered{client, {submit.id, false, kEnginesStopped, {}, Fault::ended}});
    engines_.clear();
    return out;
}

std::uint64_t BackendRouters::in_flight(Rank engine) const {
    if (!by_backend_) return only_.in_flight(engine);
    const auto backend = backend_of_engine_.find(engine);
    const auto router = backend == backend_of_engine_.end() ? routers_.end() : routers_.find(backend->second);
    return router == routers_.end() ? 0 : router->second.in_flight(engine);
}

std::size_t BackendRouters::open() const {
    std::size_t count = only_.open() + early_.size();
    for (const auto& [backend, router] : routers_) count += router.open();
    return count;
}

std::size_t BackendRouters::held() const {
    std::size_t count = only_.held() + early_.size();
    for (const auto& [backend, router] : routers_) count += router.held();
    return count;
}

}  // namespace muster::core
