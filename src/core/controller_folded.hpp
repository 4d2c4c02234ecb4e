// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The controller's state as the journal and the followers keep it: bytes in, bytes out.
/// Errors: bytes that are no record or no snapshot are refused, and nothing has changed. Thread safety: none.

#include <span>

#include "core/controller_event.hpp"
#include "core/mirror.hpp"

namespace muster::core::controller {

class FoldedState : public Mirrored {
public:
    [[nodiscard]] const State& state() const { return state_; }
    [[nodiscard]] bool apply(std::span<const std::byte> record) override {
        const auto event = decode_event(record);
        if (event) controller::apply(state_, *event);
        return event.has_value();
    }
    [[nodiscard]] Bytes snapshot() const override { return encode(state_); }
    [[nodiscard]] bool load(std::span<const std::byte> snapshot) override {
        auto state = decode_state(snapshot);
        if (state) state_ = std::move(*state);
        return state.has_value();
    }

private:
    State state_;
};

}  // namespace muster::core::controller
