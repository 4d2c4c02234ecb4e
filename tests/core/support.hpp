// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Short ways to say who there is, and seeded dice for the tests that try many cases.

#include <cstdlib>
#include <initializer_list>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "core/placement.hpp"
#include "core/seat.hpp"
#include "muster/types.hpp"

namespace muster {

template <class Tag, class Value>
void PrintTo(const Id<Tag, Value>& id, std::ostream* out) {
    *out << id.value;
}

namespace core::testing {

inline std::vector<Rank> ranks(std::initializer_list<std::uint32_t> values) {
    std::vector<Rank> list;
    for (const auto value : values) list.push_back(Rank{value});
    return list;
}

inline std::vector<SeatId> ids(std::initializer_list<std::uint64_t> values) {
    std::vector<SeatId> list;
    for (const auto value : values) list.push_back(SeatId{value});
    return list;
}

inline std::vector<Rank> ranks_up_to(std::uint32_t count) {
    std::vector<Rank> list;
    for (std::uint32_t value = 0; value < count; ++value) list.push_back(Rank{value});
    return list;
}

/// One member per place, a path such as "r1/n2"; the node is its last part.
inline std::vector<Member> launch_at(const std::vector<std::string>& places) {
    std::vector<Member> members;
    for (const auto& place : places)
        members.push_back(
            {Rank{static_cast<std::uint32_t>(members.size())}, place.substr(place.rfind('/') + 1), place});
    return members;
}

/// A layout that deals engines out to the groups in turn: of three groups the first has engines 0, 3, 6 ...
inline auto strided(std::uint32_t group_size) {
    return [group_size](std::uint32_t engine, std::uint32_t engines) { return engine % (engines / group_size); };
}

/// The seeds of a test of many cases: MUSTER_SEED alone where it is set, else 1 .. count, or 1 .. MUSTER_SEEDS.
inline std::vector<std::uint64_t> seeds(std::uint64_t count) {
    if (const char* one = std::getenv("MUSTER_SEED")) return {std::strtoull(one, nullptr, 10)};
    std::vector<std::uint64_t> all;
    if (const char* more = std::getenv("MUSTER_SEEDS")) count = std::strtoull(more, nullptr, 10);
    for (std::uint64_t seed = 1; seed <= count; ++seed) all.push_back(seed);
    return all;
}

inline std::string replay(std::uint64_t seed) { return "replay with MUSTER_SEED=" + std::to_string(seed); }

class Dice {
public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}
    /// 0 .. count-1.
    std::uint32_t below(std::uint64_t count) { return static_cast<std::uint32_t>(engine_() % count); }
    std::uint32_t between(std::uint32_t first, std::uint32_t last) { return first + below(last - first + 1); }
    bool one_in(std::uint32_t count) { return below(count) == 0; }

private:
    std::mt19937_64 engine_;
};

/// A launch of `count` members, spread over `nodes` nodes of `racks` racks in no order.
inline std::vector<Member> scattered(Dice& dice, std::uint32_t count, std::uint32_t nodes, std::uint32_t racks) {
    std::vector<std::string> places;
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto node = dice.below(nodes);
        places.push_back("r" + std::to_string(node % racks) + "/n" + std::to_string(node));
    }
    return launch_at(places);
}

}  // namespace core::testing
}  // namespace muster
