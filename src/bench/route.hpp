// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Requests from a client through the coordinator to engines and back: muster's way beside a bare MPI loop.

#include "bench/samples.hpp"

namespace muster::bench {

struct RouteSettings {
    int requests = 2'000;  ///< A block.
    int window = 64;       ///< Open at once.
    int bytes = 64;        ///< Of a request and of its reply.
    int blocks = 5;        ///< Of each kind.
    int round_trips = 500;
};

/// Rank 0 coordinates and is the first engine, the last rank is the client, the others are engines. Rows, on rank 0:
/// bare_request, request: microseconds a request with a full window, one sample a block; bare_round_trip, round_trip:
/// one open at a time; coordinator_cpu: CPU time of rank 0 a request (it is an engine, too), bare_coordinator_cpu.
/// Collective over MPI_COMM_WORLD, in which no session has been.
[[nodiscard]] Samples route(const RouteSettings& settings);

}  // namespace muster::bench
