// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The words of request waves: what comes in to a group's tracker and what goes out of it.
/// Intuition: a lockstep group rests when no engine has work; whoever brings work wakes all of them, and each waking is
/// the next wave. Shape: an engine is its index in the group; a front is whoever routes requests to engines.
/// Thread safety: plain values. Source: vLLM's DP coordinator (acceptance V12 to V27); DESIGN.md, "Waves".

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/load_board.hpp"
#include "muster/types.hpp"

namespace muster::core {

using Wave = Id<struct WaveTag, std::int64_t>;                ///< +1 each time a group has come to rest.
using EngineIndex = Id<struct EngineIndexTag, std::int64_t>;  ///< Place in the group, from 0. Signed: see WaveTracker.

// From a front.
struct Wake {                            ///< A request came while the engines rest, as far as this front knows.
    std::optional<EngineIndex> exclude;  ///< Who has the request and wakes by it.
    Wave wave;                           ///< Which wave the front knows.
};
struct Scale {  ///< The group has that many engines from now on.
    std::int64_t engines = 0;
};
struct FrontSubscribes {};  ///< Or unsubscribes: nothing to a tracker.
using FrontNews = std::variant<Wake, Scale, FrontSubscribes>;

/// One message of an engine; any of its parts may be missing.
struct EngineNews {
    EngineIndex engine;
    std::optional<LoadReport> load{};
    std::optional<Wave> wave_complete{};  ///< Engine 0 only, once all have agreed that nobody has work.
    std::optional<Wave> start_wave{};     ///< It got a request of a wave that the others may not be in.
    bool awake = false;                   ///< With start_wave: it has begun that wave already (ours only).
    bool payload = false;  ///< Carries outputs for clients, which do not belong here: a bug in the sender.
};

// To the engines.
struct StartWave {
    Wave wave;
    std::optional<EngineIndex> exclude;  ///< Need not be woken.
    bool operator==(const StartWave&) const = default;
};
struct Ready {  ///< To all, once all are there; later to one that is late.
    std::optional<EngineIndex> late;
    bool operator==(const Ready&) const = default;
};
// To all fronts.
struct PublishWave {
    std::optional<Loads> loads;  ///< Nothing in the immediate word of a change.
    Wave wave;
    bool running = false;
    bool operator==(const PublishWave&) const = default;
};
struct WaveNote {  ///< To the log.
    std::string text;
    bool operator==(const WaveNote&) const = default;
};
using WaveEffects = std::vector<std::variant<StartWave, Ready, PublishWave, WaveNote>>;  ///< Carried out in this order.

}  // namespace muster::core
