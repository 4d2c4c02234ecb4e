// SPDX-License-Identifier: Apache-2.0
#include "core/router_policy.hpp"

#include <algorithm>

namespace muster::core {

void RoutingPolicy::routed(Rank, const RequestFace&) {}
void RoutingPolicy::engine_gone(Rank) {}

std::optional<std::size_t> RoundRobin::choose(const std::vector<Candidate>& engines, const RequestFace&) {
    for (std::size_t tried = 0; tried < engines.size(); ++tried)
        if (const auto index = next_++ % engines.size(); !engines[index].full) return index;
    return std::nullopt;
}

std::optional<std::size_t> LeastLoaded::choose(const std::vector<Candidate>& engines, const RequestFace&) {
    std::optional<std::size_t> best;
    for (std::size_t step = 0; step < engines.size(); ++step) {
        const auto index = (next_ + step) % engines.size();
        if (!engines[index].full && (!best || engines[index].load < engines[*best].load)) best = index;
    }
    if (best) next_ = *best + 1;
    return best;
}

std::optional<std::size_t> PowerOfTwo::choose(const std::vector<Candidate>& engines, const RequestFace& request) {
    if (engines.size() < 2) return otherwise_.choose(engines, request);
    const std::size_t one = dice_.below(engines.size());
    const std::size_t drawn = dice_.below(engines.size() - 1);
    const std::size_t other = drawn + (drawn >= one ? 1 : 0);
    if (engines[one].full && engines[other].full) return otherwise_.choose(engines, request);
    if (engines[one].full) return other;
    return !engines[other].full && engines[other].load < engines[one].load ? other : one;
}

std::optional<std::size_t> PrefixAffinity::choose(const std::vector<Candidate>& engines, const RequestFace& request) {
    std::optional<std::size_t> best;
    double best_score = 0;
    std::uint64_t best_asked = 0;
    for (std::size_t index = 0; index < engines.size(); ++index) {
        const auto& engine = engines[index];
        if (engine.full) continue;
        const auto memory = memories_.find(engine.rank);
        AffinityMemory::Match match;
        if (memory != memories_.end()) match = memory->second.match(request.blocks);
        const auto of = static_cast<double>(std::max<std::size_t>(1, request.blocks.size()));
        const auto capacity = engine.capacity > 0 ? engine.capacity : settings_.capacity;
        const auto free = static_cast<double>(capacity - std::min(capacity, engine.load));
        const double score = settings_.weight * static_cast<double>(match.blocks) / of +
                             (1 - settings_.weight) * free / static_cast<double>(capacity);
        if (best && (score < best_score || (score == best_score && match.asked <= best_asked))) continue;
        best = index;
        best_score = score;
        best_asked = match.asked;
    }
    return best;
}

void PrefixAffinity::routed(Rank engine, const RequestFace& request) {
    if (request.blocks.empty()) return;
    const auto [memory, is_new] = memories_.try_emplace(engine, settings_.blocks_max);
    memory->second.remember(request.blocks, ++now_);
}

std::size_t PrefixAffinity::remembered(Rank engine) const {
    const auto memory = memories_.find(engine);
    return memory == memories_.end() ? 0 : memory->second.size();
}

std::unique_ptr<RoutingPolicy> make_policy(Routing routing, std::uint64_t seed) {
    switch (routing) {
        case Routing::round_robin: return std::make_unique<RoundRobin>();
        case Routing::least_loaded: return std::make_unique<LeastLoaded>();
        case Routing::power_of_two: return std::make_unique<PowerOfTwo>(seed);
        case Routing::prefix_affinity: return std::make_unique<PrefixAffinity>();
    }
    return std::make_unique<RoundRobin>();
}

}  // namespace muster::core
