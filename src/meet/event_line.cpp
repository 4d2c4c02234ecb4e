// SPDX-License-Identifier: Apache-2.0
#include "meet/event_line.hpp"

#include <nlohmann/json.hpp>

namespace muster::meet {

nlohmann::json as_json(const core::rendezvous::Event& event, core::rendezvous::Time now) {
    nlohmann::json line = {{"event", "rendezvous"},    {"time", static_cast<double>(now.micros) / 1e6},
                           {"name", event.name},       {"run_id", event.run_id},
                           {"message", event.message}, {"state", core::rendezvous::name_of(event.outlook)}};
    if (event.node) line["node"] = text_of(*event.node);
    if (event.rank) line["rank"] = event.rank->value;
    return line;
}

}  // namespace muster::meet
