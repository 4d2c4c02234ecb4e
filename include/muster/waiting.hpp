// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Tells muster that an engine waits for others, so that the straggler report knows whose turns are slow.
/// Intuition: in a collective everybody is as slow as the slowest. What is left of a turn without its collectives is
/// the engine's own; commit() counts as a collective by itself.
///
///     { const muster::Waiting waiting(*session); MPI_Alltoallv(...); }
///
/// Programs that say nothing are compared by whole turns: then only groups whose forward contains no collective show
/// who is slow. Costs two looks at the clock. Thread safety: engine thread. Source: ours; DESIGN.md, "Stragglers".

#include "muster/session.hpp"

namespace muster {

class Waiting {
public:
    explicit Waiting(Session& session);
    ~Waiting();
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

private:
    Session& session_;
};

}  // namespace muster
