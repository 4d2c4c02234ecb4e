// SPDX-License-Identifier: Apache-2.0
#include "core/rendezvous_holder.hpp"

#include <algorithm>

namespace muster::core::rendezvous {

bool StateHolder::is_cached(Time now) const {
    return settings_.cache > Time{0} && last_sync_ >= std::max(now - settings_.cache, Time{0});
}

/// Writes or reads; `there` is what both sides have then. A write that finds the backend emptied leaves our own state
/// without a token: the next read sees that nothing is there.
std::optional<Failure> StateHolder::exchange(std::optional<Stored>& there, Synced& synced) {
    if (!dirty_) {
        auto read = backend_.get();
        if (const auto* failure = std::get_if<Failure>(&read)) return *failure;
        there = std::move(std::get<0>(read));
        return std::nullopt;
    }
    auto answer = backend_.set(encode(state_), token_);
    if (const auto* failure = std::get_if<Failure>(&answer)) return *failure;
    auto& written = std::get<0>(answer);
    synced.written = written && written->accepted;
    if (written) there = Stored{std::move(written->state), written->token};
    return std::nullopt;
}

Or<Synced> StateHolder::sync(Time now) {
    Synced synced;
    if (!dirty_ && is_cached(now)) return synced;
    std::optional<Stored> there;
    if (auto failure = exchange(there, synced)) return *failure;
    if (there) {
        auto state = decode_state(there->state);
        if (!state) return Failure{Failure::corrupt_state, kCorruptState};
        state_ = std::move(*state);
    } else if (!dirty_) {
        state_ = State{};
    }
    if (synced.written == true) synced.removed = dead_;
    token_ = there ? std::optional(there->token) : std::nullopt;
    dirty_ = false;
    last_sync_ = now;
    dead_ = dead_nodes(state_, settings_, now);
    remove_dead(state_, dead_, settings_, now);
    return synced;
}

}  // namespace muster::core::rendezvous
