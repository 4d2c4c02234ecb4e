// SPDX-License-Identifier: Apache-2.0
#include "transcript/waves_fields.hpp"

#include <cmath>

#include "core/overloaded.hpp"

namespace muster::transcript {

namespace {

using core::EngineIndex;
using core::Wave;

constexpr std::int64_t kMillisecondsMax = std::int64_t{1} << 53;  ///< Exact as a double, and no sum of two overflows.
constexpr std::int64_t kEnginesMax = 1'000'000;  ///< In all groups: a typing error is not an allocation.

constexpr const char* kSettings[] = {"engines", "stats_ms",       "coordination", "source_timing",
                                     "groups",  "start_limit_ms", nullptr};
constexpr const char* kLine[] = {"now_ms", "group", "front", "engine", "tick", "subscribe", "paused", nullptr};
constexpr const char* kFront[] = {"wake", "scale", "subscribe", nullptr};
constexpr const char* kEngine[] = {"index", "stats",   "wave_complete", "start_wave",
                                   "awake", "outputs", "utility",       nullptr};
constexpr const char* kStats[] = {"waiting", "running", "wave", "step", "gauges", nullptr};

BadLine bad(const char* field, const std::string& what) { return BadLine("\"" + std::string(field) + "\" " + what); }

/// Null is as good as missing.
bool has(const Json& object, const char* field) {
    const auto found = object.find(field);
    return found != object.end() && !found->is_null();
}

bool flag_of(const Json& object, const char* field, bool otherwise) {
    if (!has(object, field)) return otherwise;
    if (!object[field].is_boolean()) throw bad(field, "must be true or false");
    return object[field].get<bool>();
}

std::optional<bool> maybe_flag_of(const Json& object, const char* field) {
    if (!has(object, field)) return std::nullopt;
    return flag_of(object, field, false);
}

std::int64_t whole_within(const Json& object, const char* field, std::int64_t min, std::int64_t max) {
    const auto value = whole_of(object, field);
    if (value < min || value > max)
        throw bad(field, "must be from " + std::to_string(min) + " to " + std::to_string(max));
    return value;
}

std::int64_t whole_within(const Json& object, const char* field, std::int64_t min, std::int64_t max,
                          std::int64_t otherwise) {
    return has(object, field) ? whole_within(object, field, min, max) : otherwise;
}

const Json& object_of(const Json& line, const char* field, const char* const* allowed) {
    const auto& object = line[field];
    if (!object.is_object()) throw bad(field, "must be an object");
    expect_only(object, allowed);
    return object;
}

/// As the source does it: int(), which cuts off towards zero.
std::int64_t now_of(const Json& line) {
    if (!has(line, "now_ms")) throw bad("now_ms", "is missing");
    if (!line["now_ms"].is_number()) throw bad("now_ms", "must be a number of milliseconds");
    const auto value = line["now_ms"].get<double>();
    if (!(std::abs(value) <= static_cast<double>(kMillisecondsMax))) throw bad("now_ms", "must be within 2^53 of 0");
    return static_cast<std::int64_t>(value);
}

std::optional<Wave> maybe_wave_of(const Json& object, const char* field) {
    if (!has(object, field)) return std::nullopt;
    return Wave{whole_of(object, field)};
}

core::FrontNews wake_of(const Json& pair) {
    const bool fits = pair.is_array() && pair.size() == 2 && (pair[0].is_null() || pair[0].is_number_integer()) &&
                      pair[1].is_number_integer();
    if (!fits) throw bad("wake", "must be [who to exclude or null, wave]");
    const Json named{{"exclude", pair[0]}, {"wave", pair[1]}};
    core::Wake wake{.exclude = std::nullopt, .wave = Wave{whole_of(named, "wave")}};
    if (has(named, "exclude")) wake.exclude = EngineIndex{whole_of(named, "exclude")};
    return wake;
}

core::FrontNews front_of(const Json& line, std::int64_t engines_max) {
    const auto& front = object_of(line, "front", kFront);
    if (front.size() != 1) throw bad("front", "must have one of wake, scale, subscribe");
    if (front.contains("wake")) return wake_of(front["wake"]);
    if (front.contains("scale")) return core::Scale{whole_within(front, "scale", -engines_max, engines_max)};
    if (!front["subscribe"].is_boolean()) throw bad("subscribe", "must be true or false");
    return core::FrontSubscribes{};
}

core::LoadReport report_of(const Json& engine) {
    const auto& stats = object_of(engine, "stats", kStats);
    core::LoadReport report{.at = {whole_of(stats, "wave"), whole_of(stats, "step")},
                            .load = {whole_of(stats, "waiting"), whole_of(stats, "running")}};
    if (!has(stats, "gauges")) return report;
    if (!stats["gauges"].is_object()) throw bad("gauges", "must be an object");
    for (const auto& [name, value] : stats["gauges"].items()) {
        if (!value.is_number()) throw bad(name.c_str(), "must be a number");
        report.load.gauges[name] = value.get<double>();
    }
    return report;
}

/// What Python's truth says of it.
bool is_something(const Json& value) {
    if (value.is_number()) return value.get<double>() != 0;
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_string()) return !value.get_ref<const std::string&>().empty();
    return !value.empty();
}

core::EngineNews engine_of(const Json& line, bool source_timing) {
    const auto& engine = object_of(line, "engine", kEngine);
    core::EngineNews news{.engine = EngineIndex{whole_of(engine, "index")}};
    if (has(engine, "stats")) news.load = report_of(engine);
    news.wave_complete = maybe_wave_of(engine, "wave_complete");
    news.start_wave = maybe_wave_of(engine, "start_wave");
    if (source_timing && engine.contains("awake")) throw bad("awake", "is not the source's");
    news.awake = flag_of(engine, "awake", false);
    news.payload = (engine.contains("outputs") && is_something(engine["outputs"])) || has(engine, "utility");
    return news;
}

std::size_t group_of(const Json& line, std::size_t groups) {
    if (!has(line, "group") && groups > 1) throw bad("group", "is missing: there are several");
    return static_cast<std::size_t>(whole_within(line, "group", 0, static_cast<std::int64_t>(groups) - 1, 0));
}

/// A subscription is on a line of its own; its engine is named by {"index":i}.
WavesLine subscription_of(const Json& line, WavesLine read) {
    if (has(line, "front") || has(line, "tick") || has(line, "paused"))
        throw bad("subscribe", "stands alone, or beside the engine's index");
    if (has(line, "engine")) read.subscriber = EngineIndex{whole_of(object_of(line, "engine", kEngine), "index")};
    return read;
}

/// Gauges stand beside the counts, where an engine has any.
Json json_of(const core::PublishWave& word) {
    Json counts, gauges = Json::array();
    bool any = false;
    if (word.loads) counts = Json::array();
    for (const auto& load : word.loads.value_or(core::Loads{})) {
        counts.push_back({load.waiting, load.running});
        gauges.push_back(Json(load.gauges));
        any = any || !load.gauges.empty();
    }
    Json json{{"counts", std::move(counts)}, {"wave", word.wave.value}, {"running", word.running}};
    if (any) json["gauges"] = std::move(gauges);
    return json;
}

}  // namespace

WavesSettings waves_settings_of(const Json& line) {
    const auto& given = object_of(line, "settings", kSettings);
    WavesSettings settings;
    auto& wave = settings.wave;
    wave.source_timing = flag_of(given, "source_timing", true);
    wave.coordination = flag_of(given, "coordination", true);
    settings.groups = static_cast<std::size_t>(whole_within(given, "groups", 1, kEnginesMax, 1));
    const auto engines_max = kEnginesMax / static_cast<std::int64_t>(settings.groups);
    wave.load.engines = static_cast<std::size_t>(whole_within(given, "engines", 0, engines_max));
    const auto interval_min = wave.source_timing ? -kMillisecondsMax : 1;  // The source does not look at it.
    wave.load.interval_ms = whole_within(given, "stats_ms", interval_min, kMillisecondsMax, 100);
    settings.start_limit_ms = whole_within(given, "start_limit_ms", 1, kMillisecondsMax, settings.start_limit_ms);
    return settings;
}

WavesLine waves_line_of(const Json& line, const WavesSettings& settings) {
    expect_only(line, kLine);
    const bool source_timing = settings.wave.source_timing;
    WavesLine read{.now_ms = now_of(line), .group = group_of(line, settings.groups)};
    read.subscribe = maybe_flag_of(line, "subscribe");
    if (read.subscribe) return subscription_of(line, read);
    read.paused = maybe_flag_of(line, "paused");
    if (read.paused && source_timing) throw bad("paused", "is not the source's");
    read.tick = flag_of(line, "tick", false);
    const bool spoken = has(line, "front") || has(line, "engine");
    if (spoken + read.tick + read.paused.has_value() > 1) throw BadLine("tick and paused stand alone");
    const auto engines_max = kEnginesMax / static_cast<std::int64_t>(settings.groups);
    if (has(line, "front")) read.front = front_of(line, engines_max);
    if (has(line, "engine")) read.engine = engine_of(line, source_timing);
    return read;
}

Json json_of(const core::WaveEffects& effects) {
    Json engines = Json::array(), front = Json::array(), log = Json::array(), answer = Json::object();
    const auto number = [](const auto& maybe) { return maybe ? Json(maybe->value) : Json(); };
    for (const auto& effect : effects)
        std::visit(core::Overloaded{
                       [&](const core::StartWave& start) {
                           engines.push_back({{"start_wave", start.wave.value}, {"exclude", number(start.exclude)}});
                       },
                       [&](const core::Ready&) { answer["ready"] = true; },
                       [&](const core::PublishWave& word) { front.push_back(json_of(word)); },
                       [&](const core::WaveNote& note) { log.push_back(note.text); }},
                   effect);
    answer["engines"] = std::move(engines);
    answer["front"] = std::move(front);
    answer["log"] = std::move(log);
    return answer;
}

}  // namespace muster::transcript
