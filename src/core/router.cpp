// SPDX-License-Identifier: Apache-2.0
#include "core/router.hpp"

#include <algorithm>
#include <utility>

#include "core/ranks.hpp"

namespace muster::core {

std::size_t RoundRobin::choose(const std::vector<Rank>& engines, const Bytes&) { return next_++ % engines.size(); }

/// False where there is nobody to route to: the client has been answered and the request is to be forgotten.
bool Router::route(const Key& key, Open& open, Routings& out) {
    open.engine.reset();
    if (rebuilding_) return true;
    if (engines_.empty()) {
        out.push_back(Answered{key.first, {key.second, false, kNoEngines, {}}});
        return false;
    }
    open.engine = engines_[policy_->choose(engines_, open.bytes)];
    out.push_back(Routed{*open.engine, {key.first, key.second, open.bytes}});
    return true;
}

Routings Router::submit(Rank client, RequestId id, Bytes bytes) {
    Routings out;
    const auto [entry, is_new] = open_.try_emplace({client, id}, Open{std::move(bytes), std::nullopt});
    if (is_new && !route(entry->first, entry->second, out)) open_.erase(entry);
    return out;
}

Routings Router::reply(Rank, message::Reply reply) {
    // Whoever answers first counts, also where another engine has the request by now, or an earlier coordinator gave
    // it away: the client drops what it has already.
    open_.erase({reply.client, reply.id});
    Routings out;
    out.push_back(Answered{reply.client, {reply.id, true, {}, std::move(reply.bytes)}});
    return out;
}

void Router::interrupted() { rebuilding_ = true; }

Routings Router::complete(const std::vector<Rank>& engines, const std::vector<Rank>& members) {
    rebuilding_ = false;
    engines_ = engines;
    std::erase_if(open_, [&](const auto& entry) {
        return !std::binary_search(members.begin(), members.end(), entry.first.first);
    });
    return reroute([this](const Open& open) { return !open.engine || !contains(engines_, *open.engine); });
}

void Router::engine_registers(Rank engine) {
    if (!contains(engines_, engine)) engines_.push_back(engine);
}

Routings Router::engine_gone(Rank engine) {
    std::erase(engines_, engine);
    return reroute([engine](const Open& open) { return open.engine == engine; });
}

template <class Which>
Routings Router::reroute(Which which) {
    Routings out;
    for (auto entry = open_.begin(); entry != open_.end();) {
        const bool kept = !which(entry->second) || route(entry->first, entry->second, out);
        entry = kept ? std::next(entry) : open_.erase(entry);
    }
    return out;
}

Routings Router::stopped() {
    Routings out;
    engines_.clear();
    for (const auto& [key, open] : std::exchange(open_, {}))
        out.push_back(Answered{key.first, {key.second, false, kEnginesStopped, {}}});
    return out;
}

}  // namespace muster::core
