// SPDX-License-Identifier: Apache-2.0
#include "train/kill_plan.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <regex>
#include <utility>

namespace train {
namespace {

constexpr std::array<std::pair<const char*, Point>, 6> kNames{{
    {"in-step", Point::in_step},
    {"in-alltoall", Point::in_alltoall},
    {"in-replicate", Point::in_replicate},
    {"in-commit", Point::in_commit},
    {"in-restore", Point::in_restore},
    {"in-eval", Point::in_eval},
}};

muster::Error wrong(const std::string& text, const std::string& why) {
    return {muster::Fault::refused, "--kill " + text + ": " + why};
}

}  // namespace

muster::Result<Kill> parse_kill(const std::string& text) {
    static const std::regex form("([0-9]{1,9})@([0-9]{1,9})(?::([a-z-]+))?");
    std::smatch parts;
    if (!std::regex_match(text, parts, form)) return wrong(text, "should look like 1@40 or 1@40:in-commit");
    Kill kill{.rank = {static_cast<std::uint32_t>(std::stoul(parts[1]))}, .step = std::stoul(parts[2])};
    if (parts[3].matched) {
        const auto* named = std::find_if(kNames.begin(), kNames.end(), [&](auto& n) { return parts[3] == n.first; });
        std::string known;
        for (const auto& name : kNames) known += std::string(" ") + name.first;
        if (named == kNames.end()) return wrong(text, "the point is not one of" + known);
        kill.point = named->second;
    }
    if (kill.point == Point::in_alltoall && kill.step == 0) return wrong(text, "the first all-to-all is in step 1");
    return kill;
}

KillPlan::KillPlan(std::vector<Kill> kills, muster::Rank self) : mine_(std::move(kills)) {
    std::erase_if(mine_, [&](const Kill& kill) { return kill.rank != self; });
}

bool KillPlan::due(Point point, std::uint64_t step) const {
    return std::any_of(mine_.begin(), mine_.end(), [&](const Kill& kill) {
        if (kill.point != point) return false;
        if (point == Point::in_eval) return true;
        return point == Point::in_restore ? step >= kill.step : step == kill.step;
    });
}

void KillPlan::die_if_due(Point point, std::uint64_t step) const {
    if (due(point, step)) (void)std::raise(SIGKILL);
}

}  // namespace train
