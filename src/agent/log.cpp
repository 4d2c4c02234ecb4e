// SPDX-License-Identifier: Apache-2.0
#include "agent/log.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdlib>

namespace muster::agent {
namespace {
std::atomic<std::uint32_t> log_rank{0};
std::atomic<std::uint32_t> log_round{0};
}  // namespace

void set_log_rank(Rank rank) { log_rank = rank.value; }
void set_log_round(Round round) { log_round = round.value; }

void say(const std::string& text) {
    const std::string line = "muster[rank " + std::to_string(log_rank.load()) + ", round " +
                             std::to_string(log_round.load()) + "]: " + text + "\n";
    // One write, so that lines of several ranks do not mix. There is nothing to do where stderr is gone.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

void trace(const std::string& text) {
    static const bool verbose = std::getenv("MUSTER_VERBOSE") != nullptr;
    if (verbose) say(text);
}

}  // namespace muster::agent
