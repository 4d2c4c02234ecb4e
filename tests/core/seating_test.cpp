// SPDX-License-Identifier: Apache-2.0
/// Placement and rendezvous together: who is in, who waits, who is redundant, and that both mean the same.
#include "core/seating.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "support.hpp"

namespace muster::core {
namespace {

using testing::ranks;
using testing::ranks_up_to;

constexpr std::uint32_t kMembers = 12;

std::vector<Rank> nobody;

TEST(Seating, T14_RanksAreTheSlotsThatPlacementHasChosen) {
    const auto round =
        seat({"job", 1, 4}, {Round{3}, ranks({0, 1, 2, 3})}, ranks({0, 5, 2, 4}), ranks({0, 2, 4, 5, 7}), false);
    EXPECT_EQ(round.world, ranks({0, 5, 2, 4}));
    EXPECT_EQ(round.standbys, ranks({7}));
    EXPECT_EQ(round.waiting, nobody) << "there is no place for it";
    EXPECT_EQ(round.waits, "");
}

TEST(Seating, T22_WhereThereIsAPlaceButNoWholeUnitTheyWait) {
    const auto round = seat({"job", 1, 4}, {Round{3}, ranks({0, 1, 2, 3})}, ranks({0, 1}), ranks({0, 1, 3}), false);
    EXPECT_EQ(round.world, ranks({0, 1}));
    EXPECT_EQ(round.standbys, ranks({3}));
    EXPECT_EQ(round.waiting, ranks({3}));
}

TEST(Seating, FewerThanMinAreNoRoundEvenWhereOthersAreThere) {
    const auto round = seat({"job", 3, 4}, {Round{3}, ranks({0, 1, 2, 3})}, ranks({0, 1}), ranks({0, 1, 3}), false);
    EXPECT_EQ(round.world, nobody);
    EXPECT_EQ(round.waits, "round 4 waits: 2 of at least 3 nodes have joined");
}

TEST(Seating, T18_TheLastRoundSendsThoseOutsideHomeAndNoRoundFollowsIt) {
    const auto last = seat({"job", 1, 2}, {Round{3}, ranks({0, 1})}, ranks({0, 1}), ranks({0, 1, 2, 3}), true);
    EXPECT_EQ(last.world, ranks({0, 1}));
    EXPECT_TRUE(last.closed);
    EXPECT_EQ(last.dismissed, ranks({2, 3}));
    const auto none = seat({"job", 1, 2}, {Round{4}, ranks({0, 1}), true}, ranks({0}), ranks({0}), false);
    EXPECT_EQ(none.world, nobody);
    EXPECT_EQ(none.waits, "the rendezvous 'job' is closed");
}

struct Case {
    PlacementSettings settings;
    std::vector<Rank> previous;
    std::vector<Rank> live;
    Placement placed;
};

Case make_case(testing::Dice& dice, const std::vector<Member>& launch, PlacementSettings settings) {
    Case one{.settings = std::move(settings), .previous = {}, .live = {}, .placed = {}};
    auto all = ranks_up_to(kMembers);
    for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[dice.below(i)]);
    const auto unit = unit_of(one.settings);
    const auto units = 1 + dice.below(one.settings.engines * one.settings.engine_ranks / unit);
    one.previous.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(units * unit));
    for (const Rank rank : ranks_up_to(kMembers))
        if (!dice.one_in(3)) one.live.push_back(rank);
    one.placed = place(one.settings, one.previous, launch, one.live);
    return one;
}

TEST(Seating, EveryLiveMemberIsInOnePlaceAndTheWorldIsPlacements) {
    const auto launch = testing::launch_at(std::vector<std::string>(kMembers, "n1"));
    for (const auto seed : testing::seeds(2000)) {
        SCOPED_TRACE(testing::replay(seed));
        testing::Dice dice(seed);
        const auto width = static_cast<std::uint32_t>(dice.between(1, 2));
        const auto one =
            make_case(dice, launch, {.engines = 4, .engine_ranks = width, .group_size = dice.one_in(2) ? 2U : 1U});
        const auto round = seat({"job", 1, 4 * width}, {Round{7}, one.previous}, one.placed.world, one.live, false);
        ASSERT_EQ(round.world, one.placed.world);
        ASSERT_EQ(round.waits.empty(), !one.placed.world.empty());
        if (round.world.empty()) continue;
        ASSERT_EQ(round.standbys, one.placed.standbys);
        ASSERT_TRUE(round.waiting.empty() || round.world.size() < std::size_t{4} * width);
        auto everybody = round.world;
        everybody.insert(everybody.end(), round.standbys.begin(), round.standbys.end());
        std::sort(everybody.begin(), everybody.end());
        ASSERT_EQ(everybody, one.live);
    }
}

/// Where nodes and units play no part, placement's rule and the rendezvous' own rule for ranks are one rule.
TEST(Seating, WithoutNodesAndUnitsPlacementIsTheRendezvousOwnOrder) {
    namespace rdzv = rendezvous;
    const auto launch = testing::launch_at(std::vector<std::string>(kMembers, "n1"));
    for (const auto seed : testing::seeds(2000)) {
        SCOPED_TRACE(testing::replay(seed));
        testing::Dice dice(seed);
        const bool stable = dice.one_in(2);
        auto one = make_case(dice, launch, {.engines = 6, .order = stable ? SlotOrder::stable : SlotOrder::sorted});
        if (one.placed.world.empty()) continue;
        auto settings = rdzv::in_job("job", 1, 6);
        settings.slot_order = one.settings.order;
        rdzv::State before{.round = Round{7}, .complete = true};
        for (std::uint32_t slot = 0; slot < one.previous.size(); ++slot)
            before.participants[{"job", 0, one.previous[slot].value}] = Slot{slot};
        before.seats = before.participants;
        std::vector<rdzv::Node> agreed;
        for (const Rank rank : one.live) agreed.push_back({"job", 0, rank.value});
        std::vector<Rank> world;
        for (const auto& node : rdzv::world_of(rdzv::batch_round(before, agreed, settings, {}).state))
            world.push_back(Rank{static_cast<std::uint32_t>(node.local_id)});
        ASSERT_EQ(world, one.placed.world);
    }
}

TEST(Seating, T35_EachStepOfARoundLeavesARecordWhereSomebodyReadsThem) {
    const auto all = ranks_up_to(4);
    const std::vector<Rank> world(all.begin(), all.begin() + 3);
    const LastRound last{Round{4}, world};
    EXPECT_TRUE(seat({"job", 1, 3}, last, world, all, false).events.empty());
    const auto round =
        seat({.run_id = "job", .members_min = 1, .members_max = 3, .record = true}, last, world, all, false);
    std::vector<std::string> told;
    for (const auto& event : round.events)
        if (event.name != "executor.keep_alive") told.push_back(text_of(*event.node) + " " + event.name);
    EXPECT_EQ(told, (std::vector<std::string>{
                        "job_0_0 executor.remove_from_participants", "job_0_1 executor.remove_from_participants",
                        "job_0_2 executor.remove_from_participants", "job_0_0 executor.add_to_participants",
                        "job_0_1 executor.add_to_participants", "job_0_2 executor.add_to_participants",
                        "job_0_2 executor.mark_rendezvous_complete", "job_0_3 executor.add_to_redundancy_list"}));
    EXPECT_NE(round.events[round.events.size() - 3].message.find("round 5"), std::string::npos);
}

TEST(Seating, ALargeWorldIsSeatedInLittleTime) {
    // 20,000 live members: a slip to quadratic work would take minutes, and the test's time limit would say so.
    const auto all = ranks_up_to(20'000);
    const std::vector<Rank> world(all.begin(), all.begin() + 16'000);
    const auto round = seat({"job", 1, 16'000}, {Round{1}, world}, world, all, false);
    EXPECT_EQ(round.world, world);
    EXPECT_EQ(round.standbys.size(), 4'000U);
}

}  // namespace
}  // namespace muster::core
