// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The moments of a rendezvous between machines: their wall clocks, since nothing else is common to them.
/// Limit: these clocks must agree to a fraction of keep-alive interval x attempts (15 s by default), as with the
/// source; a machine that is further behind is taken for dead. Thread safety: pure.

#include <chrono>

#include "core/rendezvous_time.hpp"

namespace muster::meet {

[[nodiscard]] inline core::rendezvous::Time now() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

[[nodiscard]] inline std::chrono::microseconds span_of(core::rendezvous::Time span) {
    return std::chrono::microseconds(span.micros);
}

}  // namespace muster::meet
