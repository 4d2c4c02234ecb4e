// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The points of a member's code at which a fault can be ordered. Pure; thread safety: constants.
/// In the order in which a recovery passes them, the first round too (agent's thread): noticed revoked shrunk gathered
/// planned world_split group_split built agreed handed_over. Engine's thread: commit.entered commit.agreed
/// commit.recorded and, for each world barrier, before.pausing inside.pausing after.pausing (unpausing, suspending
/// ...). For each kind of control message send.tell sent.tell got.tell (submit, deliver, reply ...; agent's thread).

#include <string>
#include <string_view>

namespace muster::core {

[[nodiscard]] bool is_fault_point(std::string_view name);

/// What a point may be called, in a sentence.
[[nodiscard]] std::string fault_points_text();

}  // namespace muster::core
