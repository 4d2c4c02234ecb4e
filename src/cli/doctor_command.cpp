// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"

namespace muster::cli {
void register_doctor(CLI::App&, int&) {}
}  // namespace muster::cli
