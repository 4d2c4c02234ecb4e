// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The controller's state as the journal and the followers keep it: bytes in, bytes out.
/// Errors: a record that cannot be decoded stops the process, since what follows would be folded onto a wrong state;
/// the journal has checked it before. Thread safety: none.

#include <span>

#include "core/assert.hpp"
#include "core/controller_event.hpp"

namespace muster::core::controller {

class FoldedState {
public:
    [[nodiscard]] const State& state() const { return state_; }
    void apply(std::span<const std::byte> record) {
        const auto event = decode_event(record);
        MUSTER_ASSERT(event);
        controller::apply(state_, *event);
    }
    [[nodiscard]] Bytes snapshot() const { return encode(state_); }
    /// False, and nothing changed, where the bytes are no snapshot.
    [[nodiscard]] bool load(std::span<const std::byte> snapshot) {
        auto state = decode_state(snapshot);
        if (state) state_ = std::move(*state);
        return state.has_value();
    }

private:
    State state_;
};

}  // namespace muster::core::controller
