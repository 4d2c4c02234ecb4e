// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A rendezvous' event records as JSON (T35), one object each:
/// {"event":"rendezvous","time":SECONDS,"name":"executor.keep_alive","run_id":"job","node":"a_12_0","message":"...",
///  "state":"RUNNING"|"SUCCEEDED"|"FAILED","rank":0}; node and rank only where there is one.

#include <nlohmann/json_fwd.hpp>

#include "core/rendezvous_event.hpp"
#include "core/rendezvous_time.hpp"

namespace muster::meet {

[[nodiscard]] nlohmann::json as_json(const core::rendezvous::Event& event, core::rendezvous::Time now);

}  // namespace muster::meet
