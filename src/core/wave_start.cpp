// SPDX-License-Identifier: Apache-2.0
#include "core/wave_start.hpp"

namespace muster::core {

namespace {

constexpr std::size_t kNamedMax = 8;  ///< Of those who are missing; a text is read by people.

std::string names_of_missing(const std::set<EngineIndex>& there, std::size_t engines) {
    std::string names;
    const auto missing = engines - there.size();
    std::size_t named = 0;
    for (std::size_t i = 0; i < engines && named < kNamedMax; ++i) {
        if (there.contains(EngineIndex{static_cast<std::int64_t>(i)})) continue;
        names += (named++ == 0 ? "" : ", ") + std::to_string(i);
    }
    if (missing > named) names += " and " + std::to_string(missing - named) + " more";
    return (missing == 1 ? "engine " : "engines ") + names;
}

}  // namespace

WaveStart::WaveStart(const WaveStartSettings& settings, std::int64_t began_ms)
    : settings_(settings), began_ms_(began_ms), ready_(settings.ready_at_once || settings.engines == 0) {}

WaveEffects WaveStart::subscribed(EngineIndex engine) {
    if (failed()) return {};
    if (ready_) {
        if (settings_.source_timing) return {};  // V6: nobody reads that socket any more.
        return {Ready{engine}};
    }
    if (settings_.source_timing) engine = next_missing();  // V3: counted, whoever it is.
    if (engine.value < 0 || static_cast<std::size_t>(engine.value) >= settings_.engines)
        return {WaveNote{"Dropped the subscription of engine " + std::to_string(engine.value) + ": there are " +
                         std::to_string(settings_.engines)}};
    there_.insert(engine);
    if (there_.size() < settings_.engines) return {};
    ready_ = true;
    return {Ready{}, WaveNote{"All engine subscriptions received by DP coordinator"}};
}

WaveEffects WaveStart::other_message() {
    if (ready_ || failed()) return {};
    return fail("DP Coordinator received unexpected message while waiting for engines to subscribe");
}

WaveEffects WaveStart::tick(std::int64_t now_ms) {
    const auto deadline = deadline_ms();
    if (!deadline || now_ms < *deadline) return {};
    return fail(names_of_missing(there_, settings_.engines) + " of " + std::to_string(settings_.engines) +
                " did not subscribe within " + std::to_string(settings_.limit_ms) +
                " ms: see whether they have started, or raise the limit");
}

EngineIndex WaveStart::next_missing() const {
    EngineIndex next{};
    while (there_.contains(next)) ++next.value;
    return next;
}

std::optional<std::int64_t> WaveStart::deadline_ms() const {
    if (ready_ || failed() || settings_.source_timing) return std::nullopt;
    return began_ms_ + settings_.limit_ms;
}

WaveEffects WaveStart::fail(std::string why) {
    why_ = std::move(why);
    return {WaveNote{why_}};
}

}  // namespace muster::core
