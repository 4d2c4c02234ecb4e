// SPDX-License-Identifier: Apache-2.0
#include "core/load_board.hpp"

#include <algorithm>

#include "core/assert.hpp"

namespace muster::core {

namespace {

Loads rearranged(const Loads& old, const std::vector<std::optional<std::size_t>>& from) {
    Loads loads(from.size());
    for (std::size_t i = 0; i < from.size(); ++i)
        if (from[i] && *from[i] < old.size()) loads[i] = old[*from[i]];
    return loads;
}

}  // namespace

LoadBoard::LoadBoard(const LoadSettings& settings, std::int64_t now_ms)
    : settings_(settings), loads_(settings.engines), newest_since_ms_(now_ms) {}

bool LoadBoard::report(std::int64_t now_ms, std::size_t engine, const LoadReport& report) {
    MUSTER_ASSERT(engine < loads_.size());
    if (report.at > newest_) {
        if (changed_) whole_step_ = loads_;
        newest_ = report.at;
        newest_since_ms_ = now_ms;
    }
    loads_[engine] = report.load;
    changed_ = true;
    return report.at == newest_;
}

Loads LoadBoard::publish(std::int64_t now_ms) {
    published_ms_ = now_ms;
    if (whole_step_) {
        Loads loads = std::move(*whole_step_);
        whole_step_.reset();  // The present figures follow in the next interval: `changed_` stays.
        return loads;
    }
    changed_ = false;
    return loads_;
}

std::int64_t LoadBoard::poll_timeout_ms(std::int64_t now_ms) const {
    const auto interval = changed_ ? settings_.interval_ms : settings_.idle_interval_ms;
    const auto left = interval - (now_ms - published_ms_);
    const auto settle = whole_step_ ? 0 : settings_.settle_ms;
    if (settings_.source_timing) return std::max(settle, left);
    // Counted from the first report of the step and not from the last poll: whatever comes in cannot put it off.
    return std::max({std::int64_t{0}, left, settle - (whole_step_ ? 0 : now_ms - newest_since_ms_)});
}

void LoadBoard::resize(std::size_t engines) {
    loads_.resize(engines);
    if (whole_step_ && !settings_.source_timing) whole_step_->resize(engines);
}

void LoadBoard::rearrange(const std::vector<std::optional<std::size_t>>& from) {
    loads_ = rearranged(loads_, from);
    if (whole_step_) whole_step_ = rearranged(*whole_step_, from);
}

}  // namespace muster::core
