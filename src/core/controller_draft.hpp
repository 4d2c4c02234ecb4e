// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The state as it would be after some events that are not safe yet. Copies it only when the first one comes.
/// `base` must outlive it and not change. Thread safety: none.

#include <optional>
#include <utility>
#include <vector>

#include "core/controller_event.hpp"

namespace muster::core::controller {

class Draft {
public:
    explicit Draft(const State& base) : base_(base) {}
    [[nodiscard]] const State& base() const { return base_; }
    [[nodiscard]] const State& state() const { return own_ ? *own_ : base_; }
    void add(Event event) {
        if (!own_) own_ = base_;
        controller::apply(*own_, event);  // std::apply would be taken for it.
        events_.push_back(std::move(event));
    }
    [[nodiscard]] std::vector<Event> take() { return std::move(events_); }

private:
    const State& base_;
    std::optional<State> own_;
    std::vector<Event> events_;
};

}  // namespace muster::core::controller
