// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The result as JSON, in the form that quickstart.sh and the tests read.

#include <string>

#include "muster/session.hpp"
#include "train/options.hpp"
#include "train/trainer.hpp"

namespace train {

/// Writes {"steps","steps_repeated","accuracy","weights","size","rounds":[{"round","lost","promoted","stalled_ms"}]}
/// to Options::json; "-" is standard output. False where the file cannot be written.
[[nodiscard]] bool write_report(const Options& options, const Outcome& outcome, const muster::Session& session);

}  // namespace train
