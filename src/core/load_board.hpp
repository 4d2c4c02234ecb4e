// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How much each engine of a lockstep group has to do, and when those who route requests are told.
/// Intuition: engines report after each step; figures of different steps must not be mixed, so the board keeps a copy
/// of the last step whole while the next one comes in, and publishes that.
/// Shape: one Load an engine, by its index in the group. Units: requests; milliseconds since any epoch that does not
/// begin just now (the first publication is due as soon as the board is settled, as if the last were at 0).
/// Errors: an index that is not there is a bug in the caller; a report out of order is applied, and said.
/// Thread safety: none. Source: vLLM's DP coordinator (acceptance V7 to V11, V19 to V21); ours: DESIGN.md, "Waves".

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace muster::core {

struct Load {
    std::int64_t waiting = 0;  ///< Requests; the source's are signed and unchecked, so these are.
    std::int64_t running = 0;
    std::map<std::string, double> gauges{};  ///< Whatever else an engine wants known, such as the share of KV in use.
    bool operator==(const Load&) const = default;
};
using Loads = std::vector<Load>;  ///< One an engine.

/// Which step of which wave a report is of; later ones are greater.
struct StepMark {
    std::int64_t wave = -1;
    std::int64_t step = -1;
    auto operator<=>(const StepMark&) const = default;
};

struct LoadReport {
    StepMark at;
    Load load;
};

struct LoadSettings {
    std::size_t engines = 1;
    std::int64_t interval_ms = 100;        ///< Between publications where something has changed.
    std::int64_t idle_interval_ms = 5000;  ///< Where nothing has.
    std::int64_t settle_ms = 50;           ///< For all reports of one step to come in.
    bool source_timing = false;  ///< True: to the letter, so a poll that is never idle publishes nothing (V11).
};

class LoadBoard {
public:
    /// All begin with nothing to do; `now_ms` is when the engines are ready.
    LoadBoard(const LoadSettings& settings, std::int64_t now_ms);

    /// What one engine says. False where it is of an older step than newest(): taken, but it should not be so (V21).
    [[nodiscard]] bool report(std::int64_t now_ms, std::size_t engine, const LoadReport& report);

    /// What a periodic publication says: the last whole step where one is kept, else the present figures.
    [[nodiscard]] Loads publish(std::int64_t now_ms);
    [[nodiscard]] bool due(std::int64_t now_ms) const { return poll_timeout_ms(now_ms) == 0; }
    /// How long to wait for something to happen before a publication is due.
    [[nodiscard]] std::int64_t poll_timeout_ms(std::int64_t now_ms) const;

    /// The first `engines` stay, new ones have nothing to do (V13, V14). Only the source leaves a kept step as it was.
    void resize(std::size_t engines);
    /// Engine i of the new group was from[i] of the old one; a newcomer was nobody.
    void rearrange(const std::vector<std::optional<std::size_t>>& from);
    void replace(Loads loads) { loads_ = std::move(loads); }

    [[nodiscard]] std::size_t engines() const { return loads_.size(); }
    [[nodiscard]] const Loads& loads() const { return loads_; }
    [[nodiscard]] StepMark newest() const { return newest_; }

private:
    LoadSettings settings_;
    Loads loads_;
    std::optional<Loads> whole_step_;  ///< The step before the newest one, until it is published.
    bool changed_ = false;             ///< Since the present figures were published.
    StepMark newest_{};
    std::int64_t newest_since_ms_;  ///< When the first report of the newest step came.
    std::int64_t published_ms_ = 0;
};

}  // namespace muster::core
