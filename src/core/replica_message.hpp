// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the coordinator and the members of a replica tell each other, and how it is written.
/// Intuition: orders name the seat, answers name it too, and may come late: whoever gets one looks whether it still
/// means anything. Errors: take_...() of anything that put() does not write is nothing. Thread safety: plain values.

#include <cstdint>
#include <optional>
#include <string>

#include "core/codec.hpp"
#include "core/seat.hpp"

namespace muster::core {

/// What a replica is to be.
struct ReplicaSpec {
    SeatId seat;
    std::string backend;
    std::uint64_t version = 0;
    std::string config;  ///< Backend::replica_config, JSON; passed on as it is.
    bool operator==(const ReplicaSpec&) const = default;
};

namespace message {
// clang-format off
struct ReplicaPrepare { ReplicaSpec spec; };                           ///< Coordinator -> member: be ready to be of it.
struct ReplicaCancel { SeatId seat; };                                 ///< Coordinator -> member: it does not come.
struct ReplicaCheck { SeatId seat; std::uint64_t number = 0; };        ///< Coordinator -> member: are you well?
struct ReplicaPrepared { SeatId seat; };                               ///< Member -> coordinator.
/// Member -> coordinator. `stays_out`: it wants to be in no world at all for now, whatever for.
struct ReplicaRefused { SeatId seat; std::string why; bool stays_out = false; };
struct ReplicaReady { SeatId seat; };                                  ///< ... prepared, and its engine works in it.
struct ReplicaHealth { SeatId seat; std::uint64_t number = 0; bool well = true; };  ///< The answer to a check.
// clang-format on
}  // namespace message

void put(Writer& out, const ReplicaSpec& spec);
[[nodiscard]] std::optional<ReplicaSpec> take_replica_spec(Reader& in);  ///< Of seat 0: nothing.

}  // namespace muster::core
