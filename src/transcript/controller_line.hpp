// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The ways in which a controller's call may be written down, brought to one: {"cmd": NAME, FIELD: VALUE ...}.
/// Shape: {"cmd":"delete_backend","backend_tag":"b"} stays as it is; its fields may also stand in an object "args"
/// ("kwargs", "params"), or the name may be the field itself: {"delete_backend":{"backend_tag":"b"}},
/// {"delete_backend":"b"} (its first argument), {"tick":true}. Errors: BadLine where a field stands twice.

#include "transcript/transcript.hpp"

namespace muster::transcript {

[[nodiscard]] Json plain_call(const Json& line);

}  // namespace muster::transcript
