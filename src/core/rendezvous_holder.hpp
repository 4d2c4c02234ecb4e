// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One node's copy of the shared state, and how it comes to agree with the backend's.
/// Intuition: a change is made here and marked; the next sync() writes it, or, where somebody else was faster, takes
/// the other's state and forgets the change. Errors: the backend's, and Failure::corrupt_state; then nothing here has
/// changed, a mark included. Thread safety: none. Source: acceptance T6 to T9.

#include <optional>
#include <vector>

#include "core/rendezvous_backend.hpp"
#include "core/rendezvous_state.hpp"

namespace muster::core::rendezvous {

struct Synced {
    std::optional<bool> written;  ///< Of a marked change: whether it is the backend's now. None: there was none.
    std::vector<Node> removed;    ///< Dead nodes whose removal has been written with it.
};

class StateHolder {
public:
    /// Both must outlive it.
    StateHolder(Backend& backend, const Settings& settings) : backend_(backend), settings_(settings) {}

    [[nodiscard]] Or<Synced> sync(Time now);
    [[nodiscard]] const State& state() const { return state_; }
    /// For a change that the next sync() shall write.
    [[nodiscard]] State& change() {
        dirty_ = true;
        return state_;
    }

private:
    [[nodiscard]] bool is_cached(Time now) const;
    [[nodiscard]] std::optional<Failure> exchange(std::optional<Stored>& there, Synced& synced);

    Backend& backend_;
    const Settings& settings_;
    State state_;
    std::optional<Token> token_;
    bool dirty_ = false;
    Time last_sync_ = seconds(-1);  ///< Before all times: nothing was read yet.
    std::vector<Node> dead_;        ///< Removed here since the last sync; the backend may still have them.
};

}  // namespace muster::core::rendezvous
