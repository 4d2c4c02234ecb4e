// SPDX-License-Identifier: Apache-2.0
#include "core/load_message.hpp"

#include <bit>
#include <utility>

namespace muster::core {
namespace {

void put(Writer& out, std::int64_t value) { out.u64(static_cast<std::uint64_t>(value)); }

void put(Writer& out, const Load& load) {
    put(out, load.waiting), put(out, load.running);
    out.u32(static_cast<std::uint32_t>(load.gauges.size()));
    for (const auto& [name, value] : load.gauges) out.text(name), out.u64(std::bit_cast<std::uint64_t>(value));
}

/// `sensible` is false once a value is none that put() writes.
struct Take {
    Reader& in;
    bool sensible = true;

    std::int64_t number() { return static_cast<std::int64_t>(in.u64()); }
    Wave wave() { return Wave{number()}; }
    Load load() {
        Load load;
        load.waiting = number(), load.running = number();
        for (auto left = in.count(4 + 8); left > 0; --left) {
            auto name = in.text();
            if (!load.gauges.empty() && name <= load.gauges.rbegin()->first) sensible = false;
            load.gauges.emplace(std::move(name), std::bit_cast<double>(in.u64()));
        }
        return load;
    }
};

}  // namespace

void put(Writer& out, const EngineWords& words) {
    out.u32(static_cast<std::uint32_t>(words.size()));
    for (const auto& word : words) {
        out.id(word.engine), put(out, word.load);
        out.u64(word.capacity), out.u64(word.given), out.u64(word.answered);
        put(out, word.at.wave), put(out, word.at.step);
        out.flag(word.leads), out.flag(word.running), put(out, word.wave.value);
    }
}

std::optional<EngineWords> take_engine_words(Reader& in) {
    Take take{in};
    EngineWords words(in.count(4 + 2 * 8 + 4 + 3 * 8 + 2 * 8 + 2 + 8));
    for (auto& word : words) {
        word.engine = in.id<Rank>(), word.load = take.load();
        word.capacity = in.u64(), word.given = in.u64(), word.answered = in.u64();
        word.at.wave = take.number(), word.at.step = take.number();
        word.leads = in.flag(), word.running = in.flag(), word.wave = take.wave();
        // Only what a tracker can count on from there.
        if (word.wave.value < 0 || word.load.waiting < 0 || word.load.running < 0) take.sensible = false;
    }
    if (!in.ok() || !take.sensible) return std::nullopt;
    return words;
}

void put(Writer& out, const GroupWords& words) {
    out.u32(static_cast<std::uint32_t>(words.size()));
    for (const auto& word : words) {
        out.u32(word.group), put(out, word.wave.value), out.flag(word.running);
        out.u32(static_cast<std::uint32_t>(word.engines.size()));
        for (const auto& engine : word.engines)
            out.id(engine.slot), out.id(engine.rank), out.u64(engine.capacity), put(out, engine.load);
    }
}

std::optional<GroupWords> take_group_words(Reader& in) {
    Take take{in};
    GroupWords words(in.count(4 + 8 + 1 + 4));
    for (auto& word : words) {
        word.group = in.u32(), word.wave = take.wave(), word.running = in.flag();
        word.engines.resize(in.count(4 + 4 + 8 + 2 * 8 + 4));
        for (auto& engine : word.engines) {
            engine.slot = in.id<Slot>(), engine.rank = in.id<Rank>(), engine.capacity = in.u64();
            engine.load = take.load();
        }
        if (word.wave.value < 0) take.sensible = false;
    }
    if (!in.ok() || !take.sensible) return std::nullopt;
    return words;
}

}  // namespace muster::core
