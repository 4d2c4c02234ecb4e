// SPDX-License-Identifier: Apache-2.0
#include "core/wave_state.hpp"

#include <bit>

namespace muster::core {

namespace {

constexpr std::uint32_t kMagic = 0x3156574d;  // "MWV1"
constexpr std::size_t kLoadSizeMin = 8 + 8 + 4;
constexpr std::size_t kGaugeSizeMin = 4 + 8;

enum Bits : std::uint8_t { kRunning = 1, kHeld = 2, kAllBits = 3 };

void put(Writer& out, const Load& load) {
    out.u64(static_cast<std::uint64_t>(load.waiting));
    out.u64(static_cast<std::uint64_t>(load.running));
    out.u32(static_cast<std::uint32_t>(load.gauges.size()));
    for (const auto& [name, value] : load.gauges) {
        out.text(name);
        out.u64(std::bit_cast<std::uint64_t>(value));
    }
}

/// False where the gauges are not in their order, which no writer makes.
bool take(Reader& in, Load& load) {
    load.waiting = static_cast<std::int64_t>(in.u64());
    load.running = static_cast<std::int64_t>(in.u64());
    for (auto left = in.count(kGaugeSizeMin); left > 0; --left) {
        auto name = in.text();
        if (!load.gauges.empty() && name <= load.gauges.rbegin()->first) return false;
        load.gauges.emplace_hint(load.gauges.end(), std::move(name), std::bit_cast<double>(in.u64()));
    }
    return in.ok();
}

}  // namespace

Bytes encode(const WaveState& state) {
    Writer out;
    out.u32(kMagic);
    out.id(state.wave);
    out.u8(static_cast<std::uint8_t>((state.running ? kRunning : 0) | (state.held ? kHeld : 0)));
    out.u32(static_cast<std::uint32_t>(state.loads.size()));
    for (const auto& load : state.loads) put(out, load);
    return out.take();
}

std::optional<WaveState> decode_wave_state(std::span<const std::byte> bytes) {
    Reader in(bytes);
    WaveState state;
    if (in.u32() != kMagic) return std::nullopt;
    state.wave = in.id<Wave>();
    const auto bits = in.u8();
    if (bits > kAllBits) return std::nullopt;
    state.running = bits & kRunning;
    state.held = bits & kHeld;
    for (auto left = in.count(kLoadSizeMin); left > 0; --left)
        if (!take(in, state.loads.emplace_back())) return std::nullopt;
    if (!in.finished()) return std::nullopt;
    return state;
}

}  // namespace muster::core
