// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the command line says.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "train/kill_plan.hpp"

namespace train {

struct Options {
    std::uint64_t steps = 300;
    std::uint32_t step_ms = 0;  ///< Added to each step.
    std::string json;           ///< Empty: no result file. "-": standard output.
    std::string data;
    std::vector<Kill> kills;
    std::string checkpoint;    ///< Directory for checkpoints; empty: none.
    std::uint64_t every = 50;  ///< Committed steps from one checkpoint to the next.
    bool track = false;        ///< All-to-alls over a communicator that the program makes and tracks.
};

/// The options, or the exit code where there is nothing to run (--help, or a mistake that is already printed).
[[nodiscard]] std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace train
