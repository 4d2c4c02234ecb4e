// SPDX-License-Identifier: Apache-2.0
#include "core/fence.hpp"

#include <gtest/gtest.h>

namespace muster::core {
namespace {

struct Case {
    const char* story;
    FenceInput input;
    bool majority, none;  ///< May they go on?
};

// clang-format off
const Case kCases[] = {
    {"nobody is missing",
     {.last_complete = 4, .present = 4, .proven_dead = 0, .holds_tie = true},  true,  true},
    {"3 -> 1, both deaths proven",
     {.last_complete = 3, .present = 1, .proven_dead = 2, .holds_tie = true},  true,  true},
    {"3 -> 1, both deaths proven, away from mpirun's node",
     {.last_complete = 3, .present = 1, .proven_dead = 2, .holds_tie = false}, true,  true},
    {"3 -> 1, one death proven, on mpirun's node",
     {.last_complete = 3, .present = 1, .proven_dead = 1, .holds_tie = true},  true,  true},
    {"3 -> 1, one death proven, elsewhere",
     {.last_complete = 3, .present = 1, .proven_dead = 1, .holds_tie = false}, false, true},
    {"3 -> 1, no proof",
     {.last_complete = 3, .present = 1, .proven_dead = 0, .holds_tie = true},  false, true},
    {"2 nodes -> 1, exactly half, the half on mpirun's node",
     {.last_complete = 4, .present = 2, .proven_dead = 0, .holds_tie = true},  true,  true},
    {"2 nodes -> 1, exactly half, the other half",
     {.last_complete = 4, .present = 2, .proven_dead = 0, .holds_tie = false}, false, true},
    {"4 of 6 without any proof",
     {.last_complete = 6, .present = 4, .proven_dead = 0, .holds_tie = false}, true,  true},
    {"2 of 6 although they sit on mpirun's node",
     {.last_complete = 6, .present = 2, .proven_dead = 0, .holds_tie = true},  false, true},
};
// clang-format on

TEST(Fence, MoreThanHalfOfThoseNotProvenDeadGoOn) {
    for (const auto& one : kCases) {
        const auto verdict = fence(Quorum::majority, one.input);
        EXPECT_EQ(verdict.go_on, one.majority) << one.story;
        EXPECT_EQ(verdict.reason.empty(), one.majority) << one.story << ": a refusal says why, and only that";
    }
}

TEST(Fence, WithoutAQuorumWhoeverIsLeftGoesOn) {
    for (const auto& one : kCases) EXPECT_EQ(fence(Quorum::none, one.input).go_on, one.none) << one.story;
}

TEST(Fence, ARefusalCountsHeadsInWordsAndNamesTheWayOut) {
    const auto verdict = fence(Quorum::majority, {.last_complete = 6, .present = 2, .proven_dead = 1});
    EXPECT_NE(verdict.reason.find("2 of 6"), std::string::npos) << verdict.reason;
    EXPECT_NE(verdict.reason.find("only 1 are proven dead"), std::string::npos) << verdict.reason;
    EXPECT_NE(verdict.reason.find("--quorum none"), std::string::npos) << verdict.reason;
}

TEST(Fence, OfTwoPartsOfAnyJobAtMostOneGoesOn) {
    for (std::uint32_t all = 1; all <= 12; ++all)
        for (std::uint32_t dead = 0; dead < all; ++dead)
            for (std::uint32_t here = 0; here + dead <= all; ++here)
                for (std::uint32_t proven_here = 0; proven_here <= dead; ++proven_here) {
                    // The first part holds the tie; each death is proven in at most one part.
                    const bool first = fence(Quorum::majority, {all, here, proven_here, true}).go_on;
                    const bool second =
                        fence(Quorum::majority, {all, all - dead - here, dead - proven_here, false}).go_on;
                    EXPECT_FALSE(first && second) << all << " members, " << dead << " dead, " << here << " here";
                }
}

TEST(FenceDeathTest, MoreHeadsThanMembersIsABug) {
    EXPECT_DEATH((void)fence(Quorum::majority, {.last_complete = 3, .present = 2, .proven_dead = 2}), "internal error");
}

}  // namespace
}  // namespace muster::core
