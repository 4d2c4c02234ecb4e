// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the agent does on the pool's communicator: gather, broadcast, agree, small messages, a look for failures.
/// Collectives block; the caller watches their deadline. Errors: peer_lost for anything that a death can cause.
/// Thread safety: the agent's thread only, revoke apart.

#include <chrono>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include "core/codec.hpp"
#include "mpi/communicator.hpp"

namespace muster::mpi {

/// Everybody's bytes on the root (shape: one per place), nothing elsewhere. All give the same number of bytes.
[[nodiscard]] Result<std::vector<core::Bytes>> gather(const Communicator& pool, int root, const core::Bytes& mine);

/// Everybody's bytes everywhere. All give the same number of bytes.
[[nodiscard]] Result<std::vector<core::Bytes>> all_gather(const Communicator& pool, const core::Bytes& mine);

/// The root's bytes everywhere; `bytes` is ignored elsewhere.
[[nodiscard]] Result<core::Bytes> broadcast(const Communicator& pool, int root, core::Bytes bytes);

/// Uniform: all survivors get the same answer. True if all said yes and nobody was lost on the way.
[[nodiscard]] bool agree(const Communicator& pool, bool yes);

/// Comes back when all are here, a member is lost, or the time is over. An agreement's answer may still be on its way to
/// somebody when others have it; once they are gone, nobody brings it. So whoever means to end waits here after it.
void farewell(const Communicator& pool, std::chrono::milliseconds limit);

/// Messages on their way to other places. Sending never waits: what MPI has not taken yet is kept until it has.
class Post {
public:
    Post() = default;
    ~Post();  ///< What MPI still holds outlives it.
    Post(const Post&) = delete;
    Post& operator=(const Post&) = delete;

    [[nodiscard]] Result<Done> send(const Communicator& pool, int place, core::Bytes message);
    /// Lets MPI work on what is on its way. Errors: peer_lost.
    [[nodiscard]] Result<Done> progress();
    [[nodiscard]] bool busy() const { return !under_way_.empty(); }
    /// The pool is broken: what was on its way is lost. Bytes that MPI still holds are kept until it lets go.
    void abandon();

private:
    struct Letter {
        core::Bytes bytes;
        MPI_Request request = MPI_REQUEST_NULL;
    };
    std::list<Letter> under_way_, abandoned_;
};

struct Received {
    int from = 0;
    core::Bytes message;
};
/// The next message that is here, or nothing. Never waits.
[[nodiscard]] Result<std::optional<Received>> try_receive(const Communicator& pool);

/// Has anybody revoked the pool, or does MPI know of a dead member in it? Local; call it after MPI could progress.
[[nodiscard]] bool broken(const Communicator& pool);

/// Does MPI know of a dead member in it?
[[nodiscard]] bool broken_by_death(const Communicator& pool);

/// Lets MPI work for a moment, whatever state the pool is in.
void progress();

}  // namespace muster::mpi
