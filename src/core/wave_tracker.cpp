// SPDX-License-Identifier: Apache-2.0
#include "core/wave_tracker.hpp"

#include <algorithm>
#include <limits>

#include "core/overloaded.hpp"

namespace muster::core {

namespace {

constexpr std::int64_t kEnginesMax = 1'000'000;  ///< What Scale may ask for: a message must not take all memory.

LoadSettings board_settings(const WaveSettings& settings) {
    auto board = settings.load;
    board.source_timing = settings.source_timing;
    return board;
}

std::string text_of(StepMark mark) { return "(" + std::to_string(mark.wave) + ", " + std::to_string(mark.step) + ")"; }

}  // namespace

WaveTracker::WaveTracker(const WaveSettings& settings, std::int64_t now_ms)
    : settings_(settings), board_(board_settings(settings), now_ms) {}

WaveTurn WaveTracker::step(std::int64_t now_ms, const WaveInput& input) {
    WaveTurn turn;
    // The source publishes when nothing comes in; ours when it is due, before what comes in can touch it (V11).
    const bool publish = settings_.source_timing ? !input.front && !input.engine : board_.due(now_ms);
    if (publish) turn.effects.push_back(PublishWave{board_.publish(now_ms), wave_, running_});
    const bool over = input.front && take(*input.front, turn.effects);
    turn.engine_waits = over && input.engine;
    if (!over && input.engine) turn.fault = take(now_ms, *input.engine, turn.effects);
    const bool ended = settings_.source_timing && turn.fault;  // Its process dies before it could tell the fronts.
    if (!ended) publish_change(turn.effects);
    changed_ = false;
    turn.next_poll_ms = board_.poll_timeout_ms(now_ms);
    return turn;
}

bool WaveTracker::take(const FrontNews& news, WaveEffects& out) {
    return std::visit(Overloaded{[&](const Wake& wake) {
                                     take(wake, out);
                                     return false;
                                 },
                                 [&](const Scale& scale) {
                                     take(scale, out);
                                     return true;
                                 },
                                 [](const FrontSubscribes&) { return true; }},
                      news);
}

void WaveTracker::take(const Wake& wake, WaveEffects& out) {
    if (!settings_.coordination || running_) return;
    if (paused_) {
        held_ = true;
        return;
    }
    const bool stale = wake.wave < wave_;  // The front does not know of the last rest: who is awake is anybody's guess.
    const bool known = settings_.source_timing || (wake.exclude && place_of(*wake.exclude));
    start_all(wave_, stale || !known ? std::nullopt : wake.exclude, out);
}

void WaveTracker::take(const Scale& scale, WaveEffects& out) {
    const auto before = static_cast<std::int64_t>(board_.engines());
    if ((scale.engines < 0 || scale.engines > kEnginesMax) && !settings_.source_timing) {
        out.push_back(WaveNote{"Dropped a change to " + std::to_string(scale.engines) + " engines"});
        return;
    }
    const bool up = scale.engines > before;
    // A negative count is Python's slice [:n]: so many are cut off the end.
    const auto after = scale.engines < 0 ? std::max<std::int64_t>(0, before + scale.engines) : scale.engines;
    board_.resize(static_cast<std::size_t>(after));
    if (up) rest_for_newcomers();
    out.push_back(WaveNote{std::string("DPCoordinator scaled ") + (up ? "up" : "down") + " from " +
                           std::to_string(before) + " to " + std::to_string(scale.engines) + " engines"});
}

void WaveTracker::rest_for_newcomers() {
    held_ = held_ || (paused_ && running_);  // Who was at work is woken after the pause as before.
    running_ = false;
}

std::optional<std::string> WaveTracker::take(std::int64_t now_ms, const EngineNews& news, WaveEffects& out) {
    const auto name = "engine " + std::to_string(news.engine.value);
    if (news.payload) return name + " sent outputs to the coordinator: they belong to clients";
    const auto place = place_of(news.engine);
    if (!place && settings_.source_timing && news.load)
        return "stats of " + name + ": there are " + std::to_string(board_.engines()) + " engines";
    if (!place && !settings_.source_timing) {
        out.push_back(WaveNote{"Dropped a message from " + name + ": there are " + std::to_string(board_.engines()) +
                               " engines"});
        return std::nullopt;
    }
    if (news.load && !board_.report(now_ms, *place, *news.load))
        out.push_back(WaveNote{"Received stats for out-of-order step " + text_of(news.load->at) + " from " + name +
                               " (expected > " + text_of(board_.newest()) + ")"});
    if (!settings_.coordination) return std::nullopt;
    if (news.wave_complete)
        complete(*news.wave_complete);
    else if (news.start_wave)
        start(news, out);
    return std::nullopt;
}

void WaveTracker::complete(Wave wave) {
    if (wave < wave_) return;
    wave_ = Wave{std::min(wave.value, std::numeric_limits<std::int64_t>::max() - 1) + 1};
    running_ = false;
    changed_ = true;
}

void WaveTracker::start(const EngineNews& news, WaveEffects& out) {
    const auto wave = *news.start_wave;
    if (wave < wave_ || (wave == wave_ && running_)) return;
    if (paused_) {
        changed_ = changed_ || wave != wave_ || news.awake;
        wave_ = wave;
        // Who woke itself need not be woken: it was awake before the pause, or is after it, and its rest will be told.
        (news.awake ? running_ : held_) = true;
        return;
    }
    // Ours has it wake itself by the same message as the others, unless it has done so: the source's sender, if it
    // relied on the others, would sleep on.
    const bool awake = settings_.source_timing || news.awake;
    start_all(wave, awake ? std::optional(news.engine) : std::nullopt, out);
}

void WaveTracker::start_all(Wave wave, std::optional<EngineIndex> exclude, WaveEffects& out) {
    wave_ = wave;
    running_ = true;
    changed_ = true;
    out.push_back(StartWave{wave, exclude});
}

WaveTurn WaveTracker::pause(std::int64_t now_ms, bool paused) {
    WaveTurn turn;
    if (paused_ && !paused && (running_ || held_)) {
        const bool was_running = running_;
        start_all(wave_, std::nullopt, turn.effects);
        changed_ = !was_running;
        held_ = false;
    }
    paused_ = paused;
    publish_change(turn.effects);
    changed_ = false;
    turn.next_poll_ms = board_.poll_timeout_ms(now_ms);
    return turn;
}

void WaveTracker::regroup(const std::vector<std::optional<std::size_t>>& from) {
    const auto is_newcomer = [this](const auto& old) { return !old || *old >= board_.engines(); };
    if (std::any_of(from.begin(), from.end(), is_newcomer)) rest_for_newcomers();
    board_.rearrange(from);
}

void WaveTracker::adopt(const WaveState& state) {
    if (state.wave < wave_) return;
    wave_ = state.wave;
    running_ = state.running;
    held_ = held_ || state.held;
    const auto engines = board_.engines();
    board_.replace(state.loads);
    board_.resize(engines);  // The round says how many there are.
}

WaveState WaveTracker::state() const {
    return {.wave = wave_, .running = running_, .held = held_, .loads = board_.loads()};
}

std::optional<std::size_t> WaveTracker::place_of(EngineIndex engine) const {
    const auto engines = static_cast<std::int64_t>(board_.engines());
    const auto place = engine.value < 0 && settings_.source_timing ? engine.value + engines : engine.value;
    if (place < 0 || place >= engines) return std::nullopt;
    return static_cast<std::size_t>(place);
}

void WaveTracker::publish_change(WaveEffects& out) {
    if (changed_) out.push_back(PublishWave{std::nullopt, wave_, running_});
}

}  // namespace muster::core
