// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What engines and the coordinator say about loads and waves, and how it is written.
/// Intuition: an engine's word is its present state, not a change, so that a newer one replaces an older one anywhere
/// on the way. Errors: take_...() of anything that put() does not write is nothing. Thread safety: plain values.

#include <cstdint>
#include <optional>
#include <vector>

#include "core/codec.hpp"
#include "core/load_board.hpp"
#include "core/wave.hpp"

namespace muster::core {

/// What one engine (its receiving rank) says of itself, and of its lockstep group where it is the group's first.
struct EngineWord {
    Rank engine;
    Load load;
    std::uint64_t capacity = 0;  ///< Requests; 0: not said.
    std::uint64_t given = 0;     ///< Deliver::number of the last request that is counted in `load`.
    std::uint64_t answered = 0;  ///< Reply::number of the last one that is not counted any more.
    StepMark at{};
    bool leads = false;  ///< Wave and running are the group's.
    bool running = false;
    Wave wave{};  ///< The present one, or the next where the group rests.

    /// Nothing has happened that anybody needs to be told: whoever counts what he gave knows the rest.
    [[nodiscard]] bool says_the_same(const EngineWord& other) const {
        return load == other.load && capacity == other.capacity && leads == other.leads && running == other.running &&
               wave == other.wave;
    }
};
using EngineWords = std::vector<EngineWord>;

/// What the coordinator publishes of one group.
struct GroupWord {
    struct Engine {
        Slot slot;
        Rank rank;
        std::uint64_t capacity = 0;
        Load load;
    };
    std::uint32_t group = 0;
    Wave wave;
    bool running = false;
    std::vector<Engine> engines;
};
using GroupWords = std::vector<GroupWord>;

void put(Writer& out, const EngineWords& words);
void put(Writer& out, const GroupWords& words);
[[nodiscard]] std::optional<EngineWords> take_engine_words(Reader& in);
[[nodiscard]] std::optional<GroupWords> take_group_words(Reader& in);

}  // namespace muster::core
