// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the command line says.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "serve/kill_order.hpp"

namespace serve {

struct Options {
    std::uint64_t requests = 1'200;
    double rate = 300;              ///< Requests a second on average, at random moments.
    std::uint64_t seed = 1;         ///< Of the moments and of the choice of pictures.
    std::uint32_t cycles = 2;       ///< How often the operator pauses, suspends, resumes and unpauses.
    std::uint32_t batch = 4;        ///< Requests that an engine answers in one forward; the others wait for the next.
    std::uint32_t forward_ms = 10;  ///< Added to each forward with requests.
    std::uint32_t cache_mib = 32;   ///< Of each engine.
    std::uint32_t patience_s = 30;  ///< For one transition, and for the next answer while the job runs.
    std::uint32_t only_slots = 0;   ///< Requests go to the engines at the first so many slots alone; 0: to any.
    /// With a controller: replicas of the backend, one number after the other in the course of the requests.
    std::vector<std::uint32_t> replicas;
    std::uint32_t calls = 0;  ///< With a controller: random calls in the course of the requests, instead of that.
    std::string json;         ///< Empty: no result file. "-": standard output, in place of the table.
    std::string data;
    std::vector<KillOrder> kills;
};

/// The options, or the exit code where there is nothing to run (--help, or a mistake that is already printed).
[[nodiscard]] std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace serve
