// SPDX-License-Identifier: Apache-2.0
#pragma once
/// `muster bench NAME`: starts muster-bench under mpirun, judges what it measured against the budgets of DESIGN.md.

#include <string>

namespace muster::cli {

struct BenchOptions {
    int ranks = 4;    ///< Engines of the world.
    int deaths = 12;  ///< Through muster, and as many by bare calls.
    bool json = false, check = false, verbose = false;
    std::string mpirun;
};

/// Exit code: 0; 1 where `check` is set and a ratio misses its budget; 15 where nothing could be measured.
[[nodiscard]] int bench_rebuild(const BenchOptions& options);

}  // namespace muster::cli
