// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a benchmark has measured. Units: microseconds.

#include <map>
#include <string>
#include <vector>

namespace muster::bench {

/// Samples by the name of their row. Shape: one entry per repetition, in the order in which they were taken.
using Samples = std::map<std::string, std::vector<double>>;

}  // namespace muster::bench
