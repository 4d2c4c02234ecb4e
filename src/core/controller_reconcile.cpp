// SPDX-License-Identifier: Apache-2.0
// A turn's last part: what each backend's replicas have to do so that as many run as are wanted, of the wanted version.
#include <algorithm>
#include <limits>
#include <utility>

#include "core/controller.hpp"
#include "core/rolling_update.hpp"

namespace muster::core::controller {

namespace {

/// Stops `count` of an old version: first those that do not run yet, then the newest.
void stop_old(const Replicas& replicas, std::uint64_t version, std::uint32_t count, std::vector<ReplicaId>& out) {
    for (const auto phase : {ReplicaPhase::to_start, ReplicaPhase::running})
        for (auto one = replicas.rbegin(); one != replicas.rend() && out.size() < count; ++one)
            if (one->second.phase == phase && one->second.version != version) out.push_back(one->first);
}

RollingUpdate rolling_of(const Replicas& replicas, const Backend& backend) {
    RollingUpdate update{.wanted = backend.wanted};
    for (const auto& [id, replica] : replicas) {
        if (!stays(replica)) continue;
        if (replica.version != backend.version)
            ++update.old_live;
        else
            ++(replica.phase == ReplicaPhase::running ? update.new_running : update.new_starting);
    }
    return update;
}

/// Old ones are replaced part by part; the number of new ones to start.
std::size_t roll(const Replicas& replicas, std::uint64_t version, const RollingUpdate& update,
                 std::vector<ReplicaId>& stop) {
    const auto next = next_step(update);
    stop_old(replicas, version, next.stop_old, stop);
    for (const auto& [id, replica] : replicas)
        if (next.drop_new && replica.version == version && replica.phase == ReplicaPhase::to_start) stop.push_back(id);
    return next.start_new;
}

}  // namespace

void Controller::reconcile(Draft& draft, std::uint64_t now_ms) {
    auto room = room_;
    std::vector<std::string> tags;
    for (const auto& [tag, backend] : draft.state().backends) tags.push_back(tag);
    for (const auto& tag : tags) {
        auto move = reconciled(draft.state(), tag, room, now_ms);
        if (room) *room -= static_cast<std::uint32_t>(move.start.size());
        if (!move.is_empty()) draft.add(std::move(move));
    }
}

event::ReplicasMoved Controller::reconciled(const State& state, const std::string& tag,
                                            std::optional<std::uint32_t> room, std::uint64_t now_ms) {
    const auto& backend = state.backends.at(tag);
    const auto& replicas = replicas_of(state, tag);
    event::ReplicasMoved move{.tag = tag, .grace_ms = grace_ms_of(backend.config)};
    auto update = rolling_of(replicas, backend);
    update.room = room;
    update.failed = gave_up(tag, backend);
    update.wanted = autoscaled(tag, backend, now_ms);
    if (update.wanted != backend.wanted) move.wanted = update.wanted;
    std::size_t start = 0;
    if (update.old_live > 0) {
        start = roll(replicas, backend.version, update, move.stop);
    } else {
        auto scaling = scaling_of(state, tag, update.wanted);
        move.stop = std::move(scaling.stop);
        start = std::min(scaling.start.size(), starts_allowed(tag, backend, now_ms));
        if (room) start = std::min<std::size_t>(start, *room);
    }
    for (std::size_t i = 1; i <= start; ++i) move.start.push_back(ReplicaId{state.last_replica.value + i});
    return move;
}

std::uint32_t Controller::autoscaled(const std::string& tag, const Backend& backend, std::uint64_t now_ms) {
    if (!backend.config.autoscaling) return backend.wanted;
    return autoscalers_[tag].observe(*backend.config.autoscaling, {now_ms, ongoing_[tag], backend.wanted});
}

bool Controller::gave_up(const std::string& tag, const Backend& backend) const {
    const auto found = starts_.find(tag);
    return found != starts_.end() && found->second.failures >= start_failures_max(backend.wanted);
}

/// After too many failures in a row one is tried now and then: what was missing may have come back.
std::size_t Controller::starts_allowed(const std::string& tag, const Backend& backend, std::uint64_t now_ms) const {
    if (!gave_up(tag, backend)) return std::numeric_limits<std::size_t>::max();
    return now_ms - starts_.at(tag).last_ms >= settings_.start_again_ms ? 1 : 0;
}

}  // namespace muster::core::controller
