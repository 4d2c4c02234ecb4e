// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Deaths on order: which rank kills itself in which step, and where in the step. For demonstrations and tests; a
/// program that is not one of those has nothing like it.

#include <cstdint>
#include <string>
#include <vector>

#include "muster/types.hpp"

namespace train {

enum class Point {
    in_step,       ///< Before the step's maths.
    in_alltoall,   ///< In the middle of an all-to-all: the others sit in it.
    in_replicate,  ///< While the others send their experts' copies.
    in_commit,     ///< While the others are in commit().
    in_restore,    ///< In the first rewire() that leads to this step or a later one: a standby, just promoted.
    in_eval,       ///< In the evaluation after the last step.
};

struct Kill {
    muster::Rank rank;
    std::uint64_t step = 0;
    Point point = Point::in_alltoall;
};

/// Reads RANK@STEP[:POINT]. Errors: refused, with what is wrong in words.
[[nodiscard]] muster::Result<Kill> parse_kill(const std::string& text);

class KillPlan {
public:
    KillPlan(std::vector<Kill> kills, muster::Rank self);

    [[nodiscard]] bool due(Point point, std::uint64_t step) const;
    void die_if_due(Point point, std::uint64_t step) const;  ///< By SIGKILL, as the kernel's memory killer would.

private:
    std::vector<Kill> mine_;
};

}  // namespace train
