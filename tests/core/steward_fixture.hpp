// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A steward in a small world, told step by step what happens.

#include "steward_support.hpp"

namespace muster::core::testing {

constexpr std::uint64_t kLimit = 1'000, kGather = 100;

/// Groups of two. At first ranks 0 and 1 are an idle group, 2 to 7 are standbys.
struct StewardTest : ::testing::Test {
    Steward steward{{.unit = 2, .start_limit_ms = kLimit, .gather_ms = kGather}};
    SeatedWorld world{Round{1}, {}, {ranks({0, 1})}, ranks({2, 3, 4, 5, 6, 7})};
    std::uint64_t now = 0;

    StewardTest() { EXPECT_EQ(round(), Texts{}); }
    Texts round(bool coordinates = true) {
        ++world.round.value;
        return texts(steward.completed(world, coordinates, now));
    }
    Texts start(std::uint64_t seat) { return texts(steward.start(spec_of(seat), now)); }
    Texts stop(std::uint64_t seat, std::uint64_t grace = 500) { return texts(steward.stop(name(seat), grace, now)); }
    Texts prepared(std::uint32_t rank, std::uint64_t seat) {
        return texts(steward.heard(Rank{rank}, message::ReplicaPrepared{SeatId{seat}}, now));
    }
    Texts ready(std::uint32_t rank, std::uint64_t seat) {
        return texts(steward.heard(Rank{rank}, message::ReplicaReady{SeatId{seat}}, now));
    }
    Texts refused(std::uint32_t rank, std::uint64_t seat, bool stays_out = false) {
        return texts(steward.heard(Rank{rank}, message::ReplicaRefused{SeatId{seat}, "no memory", stays_out}, now));
    }
    Texts tick(std::uint64_t later = 0, const std::set<SeatId>& drained = {}) {
        return texts(steward.tick(now += later, drained));
    }
    /// Replica `seat` of ranks `a` and `b`, serving.
    void serve(std::uint64_t seat, std::uint32_t a, std::uint32_t b) {
        (void)start(seat);
        (void)prepared(a, seat);
        (void)prepared(b, seat);
        EXPECT_EQ(tick(), Texts{"round +" + std::to_string(seat)});
        bring(seat, a, b);
        (void)round();
        (void)ready(a, seat);
        EXPECT_EQ(ready(b, seat), Texts{"started b#" + std::to_string(seat)});
    }
    void bring(std::uint64_t seat, std::uint32_t a, std::uint32_t b) {
        world.seats[SeatId{seat}] = ranks({a, b});
        std::erase(world.standbys, Rank{a});
        std::erase(world.standbys, Rank{b});
        std::erase(world.idle, ranks({a, b}));
    }
    bool takes(std::uint64_t seat) {
        for (const auto& one : steward.replicas())
            if (one.seat == SeatId{seat}) return one.takes;
        return false;
    }
    bool has(std::uint64_t seat) {
        for (const auto& one : steward.replicas())
            if (one.seat == SeatId{seat}) return true;
        return false;
    }
};

}  // namespace muster::core::testing
