// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a rendezvous writes down of each step, as values: whoever drives it makes lines of them.
/// Source: acceptance T35; the messages are the source's, word by word.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/rendezvous_node.hpp"
#include "muster/types.hpp"

namespace muster::core::rendezvous {

enum class Outlook : std::uint8_t { running, succeeded, failed };
[[nodiscard]] const char* name_of(Outlook outlook);  ///< "RUNNING", "SUCCEEDED", "FAILED".

struct Event {
    std::string name;  ///< Part and step: "executor.keep_alive", "handler.next_rendezvous".
    std::string run_id;
    std::optional<Node> node;  ///< None where the state holder speaks.
    std::string message;
    Outlook outlook = Outlook::running;
    std::optional<Slot> rank{};
};
using Events = std::vector<Event>;

}  // namespace muster::core::rendezvous
