// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What `muster bench controller` measures of a coordinator's death: until its successor answers a call, and the bare
/// revoke and shrink of as many processes.

#include <string>

#include "bench/samples.hpp"

namespace muster::bench {

struct SuccessionSettings {
    int engines = 4;
    int deaths = 3;  ///< Of coordinators, one after the other; as many standbys are needed.
};

/// The last rank is a client that kills the coordinator as `kill -9` does and makes a change at once. Rows, one sample
/// a death, on the last rank: "succession": kill -> the change is answered; its parts on the successor: "detection"
/// (kill
/// -> noticed), "shrink", "build", "answer" (the round is built -> the call is answered: the state is taken over,
/// handed to the followers, the call made again). Errors: fewer samples: it broke off, or a change that was answered is
/// gone, and stderr says so. Collective.
[[nodiscard]] Samples successions(const SuccessionSettings& settings, const std::string& board_path);

/// The same deaths in MPI_COMM_WORLD, the first rank there is each time. Rows on the last rank: "bare": kill -> shrunk;
/// of it "bare_detection" (kill -> error) and "bare_shrink" (revoke and shrink). Collective.
[[nodiscard]] Samples bare_successions(const SuccessionSettings& settings);

}  // namespace muster::bench
