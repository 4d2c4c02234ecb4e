// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Engines that rest until they are asked, and an operator who asks them: the scene of `muster bench pause` and `rest`.
/// Intuition: engines are one lockstep group, so a request to any of them gives all of them a turn at the same time,
/// and bare calls can be measured in it between what is measured through muster. The operator is a client on a thread
/// of rank 0.

#include <mpi.h>

#include <cstdint>
#include <functional>
#include <optional>

#include "muster/client.hpp"

namespace muster::bench {

/// What the operator asks the engines for. Above 0.
using Command = std::int64_t;

/// Rings up all engines for a turn with this command. When (now_ns()) the forward of the engine that got the request
/// began; nothing where the job broke off.
[[nodiscard]] std::optional<std::int64_t> ask(Client& client, Command command);

/// Joins a session, runs engines until `operate` (a thread on rank 0) has returned, and ends it. `turn` runs on the
/// engine thread of every rank at once, with a communicator of all of them. False: it broke off. Collective.
[[nodiscard]] bool serve(const std::function<void(Client&)>& operate,
                         const std::function<void(Command, MPI_Comm)>& turn);

}  // namespace muster::bench
