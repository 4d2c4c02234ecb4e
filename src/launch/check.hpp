// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Counts that make no sense are refused before anything starts. Pure.

#include <string>

#include "launch/job_spec.hpp"
#include "launch/machine.hpp"

namespace muster::launch {

/// What is wrong with the numbers of `spec`, and what to change; empty: nothing.
[[nodiscard]] std::string complaint_about_counts(const JobSpec& spec, const Machine& machine);

}  // namespace muster::launch
