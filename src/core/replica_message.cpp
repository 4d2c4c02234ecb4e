// SPDX-License-Identifier: Apache-2.0
#include "core/replica_message.hpp"

namespace muster::core {

void put(Writer& out, const ReplicaSpec& spec) {
    out.id(spec.seat), out.text(spec.backend), out.u64(spec.version), out.text(spec.config);
}

std::optional<ReplicaSpec> take_replica_spec(Reader& in) {
    ReplicaSpec spec;
    spec.seat = in.id<SeatId>(), spec.backend = in.text(), spec.version = in.u64(), spec.config = in.text();
    if (!in.ok() || spec.seat == SeatId{}) return std::nullopt;
    return spec;
}

}  // namespace muster::core
