// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Before the first wave: all engines of a group say that they listen, then all are told READY.
/// Intuition: a START_DP_WAVE that an engine cannot hear yet would leave it asleep, so there is none before READY.
/// Units: milliseconds. Errors: what is not a subscription ends the start-up (V4); so does the deadline, naming who is
/// missing (V5: the source waits for ever). Thread safety: none. Source: acceptance V3 to V6; ours: DESIGN.md, "Waves".

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "core/wave.hpp"

namespace muster::core {

struct WaveStartSettings {
    std::size_t engines = 1;
    std::int64_t limit_ms = 120'000;
    bool ready_at_once = false;  ///< Subscriptions have been seen to elsewhere.
    bool source_timing = false;  ///< True: subscriptions are counted, nobody is named, no deadline, none is read later.
};

class WaveStart {
public:
    WaveStart(const WaveStartSettings& settings, std::int64_t began_ms);

    /// An engine listens. READY to all with the last of them; to a late one alone.
    [[nodiscard]] WaveEffects subscribed(EngineIndex engine);
    /// Something else came: the start-up is over. Later it is nothing.
    [[nodiscard]] WaveEffects other_message();
    /// The deadline; `why()` says who is missing.
    [[nodiscard]] WaveEffects tick(std::int64_t now_ms);

    [[nodiscard]] bool ready() const { return ready_; }
    [[nodiscard]] bool failed() const { return !why_.empty(); }
    [[nodiscard]] const std::string& why() const { return why_; }
    /// The lowest that has not subscribed; counts on where all have.
    [[nodiscard]] EngineIndex next_missing() const;
    /// When tick() must be called; nothing where there is no deadline (any more).
    [[nodiscard]] std::optional<std::int64_t> deadline_ms() const;

private:
    [[nodiscard]] WaveEffects fail(std::string why);
    WaveStartSettings settings_;
    std::int64_t began_ms_;
    std::set<EngineIndex> there_;  ///< Of ours, who; of the source's, how many.
    bool ready_ = false;
    std::string why_;
};

}  // namespace muster::core
