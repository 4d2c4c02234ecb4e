// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Asking the job for something: signals and requests, from any member, engine or not.
/// Intuition: a client talks to the coordinator, whoever that is at the moment; what it has asked for it asks again
/// after a coordinator is gone, and each request is answered once.
///
///     auto client = session.client();
///     auto pausing = client->pause();
///     if (auto paused = pausing.wait(10s); !paused) std::puts(paused.error().text.c_str());
///     auto id = client->submit(image);
///     auto reply = client->wait(*id, 10s);
///
/// Thread safety: every call from any thread. A Client must not outlive its Session.
/// Units: deadlines from now on.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "muster/lifecycle.hpp"
#include "muster/load.hpp"
#include "muster/types.hpp"

namespace muster {

using Bytes = std::vector<std::byte>;

/// The answer to a request: bytes, or why there are none.
struct Reply {
    RequestId id;
    Bytes bytes;
    /// refused: "No engines connected", or the named slot, endpoint or backend is not there; busy: as many requests are
    /// open as may be, ask again later; aborted: taken back; ended: the job or its engines have stopped.
    std::optional<Error> error;
};

/// How a request is to be routed.
struct SubmitOptions {
    std::optional<RequestId> id{};    ///< Nothing: the next free one.
    std::optional<Slot> engine{};     ///< Only the engine at this slot, whoever it is when the request gets there.
    std::vector<BlockHash> blocks{};  ///< Of its prefix, for Routing::prefix_affinity: each names all before it, too.
    /// In a job with a controller, one of the two: the endpoint, whose traffic policy draws the backend, or the
    /// backend itself. Requests wait while their backend has no replica that serves.
    std::string endpoint{}, backend{};
};

namespace detail {
struct Desk;  // What clients and agent share.
struct PendingOperation;
}  // namespace detail

/// A signal under way.
class Operation {
public:
    /// Until all engines have crossed the signal's barrier. Errors: refused (illegal now; the text says why; nothing
    /// has changed), timed_out (it goes on; wait again), ended.
    [[nodiscard]] Result<Done> wait(std::chrono::milliseconds deadline);
    [[nodiscard]] bool done() const;  ///< wait() would return at once.

private:
    friend class Client;
    Operation(std::shared_ptr<detail::Desk> desk, std::shared_ptr<detail::PendingOperation> pending);
    std::shared_ptr<detail::Desk> desk_;
    std::shared_ptr<detail::PendingOperation> pending_;
};

class Client {
public:
    // Signals. A repeat of what is already so, or on its way, is done at once; what is not legal is refused.
    Operation pause();
    Operation unpause();
    Operation resume();
    Operation suspend();              ///< Pauses first where the job runs.
    Operation stop();                 ///< Pauses first where the job runs.
    Operation signal(Signal signal);  ///< The bare signal, with the source's rules (DESIGN.md, "Lifecycle").

    /// Hands a request to some engine. Copies `bytes`. Errors: refused (too large, the id is in use, or both an
    /// endpoint and a backend are named), ended.
    [[nodiscard]] Result<RequestId> submit(std::span<const std::byte> bytes, std::optional<RequestId> id = {});
    [[nodiscard]] Result<RequestId> submit(std::span<const std::byte> bytes, SubmitOptions options);
    /// Takes a request back. It still ends once: as `aborted` where no engine had begun, else with its reply.
    /// Errors: refused (no such request is open).
    Result<Done> abort(RequestId id);
    /// The reply to `id`. Errors: timed_out (it stays open), refused (no such request is open).
    [[nodiscard]] Result<Reply> wait(RequestId id, std::chrono::milliseconds deadline);
    /// The next reply to any request that nobody waits for by its id, oldest first. Errors: timed_out, ended.
    [[nodiscard]] Result<Reply> next(std::chrono::milliseconds deadline);

    [[nodiscard]] std::size_t open_requests() const;

    /// What the coordinator has published last: loads of all engines, wave and rest of each lockstep group. The first
    /// call subscribes and waits for the first news, later ones return at once. A figure is at most as old as reports
    /// take: depth of the tree x Config::load_interval_ms, and the same again for its publication.
    /// Errors: timed_out, ended.
    [[nodiscard]] Result<JobLoads> loads(std::chrono::milliseconds deadline = std::chrono::seconds(10));

    explicit Client(std::shared_ptr<detail::Desk> desk) : desk_(std::move(desk)) {}  ///< Session::client() makes one.

private:
    std::shared_ptr<detail::Desk> desk_;
};

}  // namespace muster
