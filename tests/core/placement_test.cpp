// SPDX-License-Identifier: Apache-2.0
#include "core/placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "support.hpp"

namespace muster::core {
namespace {

using testing::Dice;
using testing::launch_at;
using testing::ranks;
using testing::ranks_up_to;

std::vector<Member> on_one_node(std::size_t count) { return launch_at(std::vector<std::string>(count, "n1")); }

std::vector<std::pair<std::uint32_t, std::uint32_t>> rank_to_slot(const Placement& placement) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
    for (const auto& promotion : placement.promoted) pairs.emplace_back(promotion.rank.value, promotion.slot.value);
    return pairs;
}

using Pairs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

TEST(Distance, CountsTrailingComponentsThatDiffer) {
    EXPECT_EQ(distance("r1/n1", "r1/n1"), 0u);
    EXPECT_EQ(distance("r1/n1", "r1/n2"), 1u);
    EXPECT_EQ(distance("r1/n1", "r2/n1"), 2u);
    EXPECT_EQ(distance("n1", "n2"), 1u);
    EXPECT_EQ(distance("r1/n1", "r1"), 1u);
}

TEST(Placement, SurvivorsKeepTheirSlotsAndAStandbyFillsTheHole) {
    const auto next = place({.engines = 4}, ranks({0, 1, 2, 3}), on_one_node(6), ranks({0, 2, 3, 4, 5}));
    EXPECT_EQ(next.world, ranks({0, 4, 2, 3}));
    EXPECT_EQ(next.standbys, ranks({5}));
    EXPECT_EQ(rank_to_slot(next), (Pairs{{4, 1}}));
}

TEST(Placement, TheNearestStandbyFillsAHole) {
    //                             0        1        2        3 (dead)  4        5        6        7
    const auto launch = launch_at({"r1/n1", "r1/n2", "r2/n3", "r2/n4", "r1/n1", "r2/n3", "r2/n4", "r2/n4"});
    const auto fill = [&](const std::vector<Rank>& available) {
        return place({.engines = 4}, ranks_up_to(4), launch, available).world[3];
    };
    EXPECT_EQ(fill(ranks({0, 1, 2, 4, 5, 6, 7})), Rank{6}) << "the same node; of equals the lowest Rank";
    EXPECT_EQ(fill(ranks({0, 1, 2, 4, 5})), Rank{5}) << "the same rack";
    EXPECT_EQ(fill(ranks({0, 1, 2, 4})), Rank{4}) << "what there is";
}

TEST(Placement, WithoutStandbysTheHighestSlotsMoveDown) {
    const auto next = place({.engines = 6}, ranks_up_to(6), on_one_node(6), ranks({1, 3, 4, 5}));
    EXPECT_EQ(next.world, ranks({5, 1, 4, 3})) << "slot 5 into hole 0, slot 4 into hole 2";
    EXPECT_TRUE(next.standbys.empty());
    EXPECT_TRUE(next.promoted.empty()) << "a survivor that moves is nobody's promotion";
}

TEST(Placement, GroupsStayWholeAndWhoIsLeftOverIsAStandby) {
    const auto next = place({.engines = 4, .group_size = 2}, ranks_up_to(4), on_one_node(4), ranks({0, 2, 3}));
    EXPECT_EQ(next.world, ranks({2, 3})) << "the whole group stays: the broken one's copies lie in it";
    EXPECT_EQ(next.standbys, ranks({0}));
}

TEST(Placement, TwoBrokenGroupsMakeOneWholeOne) {
    const auto next = place({.engines = 6, .group_size = 2}, ranks_up_to(6), on_one_node(6), ranks({1, 2, 3, 4}));
    EXPECT_EQ(next.world, ranks({4, 1, 2, 3}));
    EXPECT_TRUE(next.standbys.empty());
}

TEST(Placement, AfterOneDeathEveryShardOfADissolvedGroupIsHeldByTheWorld) {
    const auto copies = partners(ranks_up_to(4), on_one_node(4));
    for (std::uint32_t dead = 0; dead < 4; ++dead) {
        std::vector<Rank> live = ranks_up_to(4);
        std::erase(live, Rank{dead});
        const auto next = place({.engines = 4, .group_size = 2}, ranks_up_to(4), on_one_node(4), live);
        for (std::uint32_t slot = 0; slot < 4; ++slot) {
            const bool own = std::count(next.world.begin(), next.world.end(), Rank{slot}) == 1;
            const bool copy = std::count(next.world.begin(), next.world.end(), Rank{copies[slot].value}) == 1;
            EXPECT_TRUE(own || copy) << "shard " << slot << " after the death of rank " << dead;
        }
    }
}

TEST(Placement, ASurvivorIsNotLeftOverForAStandbyThatHoldsNothing) {
    const auto next = place({.engines = 4, .group_size = 2}, ranks_up_to(4), on_one_node(6), ranks({3, 4, 5}));
    EXPECT_EQ(next.world, ranks({4, 3})) << "rank 3 holds the only copy of the state";
    EXPECT_EQ(next.standbys, ranks({5}));
    EXPECT_EQ(rank_to_slot(next), (Pairs{{4, 0}}));
}

TEST(Placement, LessThanAGroupIsNoWorld) {
    const auto next = place({.engines = 4, .group_size = 4}, ranks_up_to(4), on_one_node(4), ranks({0, 1, 3}));
    EXPECT_TRUE(next.world.empty());
    EXPECT_EQ(next.standbys, ranks({0, 1, 3}));
}

TEST(Placement, ASmallWorldGrowsAgainWhenThereAreStandbys) {
    const auto next = place({.engines = 4}, ranks({0, 3}), on_one_node(6), ranks({0, 3, 4, 5}));
    EXPECT_EQ(next.world, ranks({0, 3, 4, 5}));
    EXPECT_EQ(rank_to_slot(next), (Pairs{{4, 2}, {5, 3}}));
}

TEST(Placement, NobodyIsPromotedBeyondTheWantedSize) {
    const auto next = place({.engines = 2}, ranks({0, 1}), on_one_node(5), ranks_up_to(5));
    EXPECT_EQ(next.world, ranks({0, 1}));
    EXPECT_EQ(next.standbys, ranks({2, 3, 4}));
    EXPECT_TRUE(next.promoted.empty());
}

TEST(Placement, SortedOrderIsSortedRanks) {
    const PlacementSettings sorted{.engines = 4, .order = SlotOrder::sorted};
    const auto next = place(sorted, ranks({3, 0, 5, 1}), on_one_node(7), ranks({0, 2, 3, 5}));
    EXPECT_EQ(next.world, ranks({0, 2, 3, 5}));
    EXPECT_EQ(rank_to_slot(next), (Pairs{{2, 1}})) << "the promoted one is looked up where it was sorted to";
}

TEST(Placement, ThePromotedAreListedBySlotWhereTheyEndUp) {
    const auto next = place({.engines = 6, .group_size = 3}, ranks_up_to(6), on_one_node(8), ranks({1, 6, 7}));
    EXPECT_EQ(next.world, ranks({6, 1, 7}));
    EXPECT_EQ(rank_to_slot(next), (Pairs{{6, 0}, {7, 2}}));
}

/// A world of some earlier round, its deaths, and the standbys there are.
struct Case {
    PlacementSettings settings;
    std::vector<Member> launch;
    std::vector<Rank> previous, available;
};

void shuffle(Dice& dice, std::vector<Rank>& list) {
    for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[dice.below(i)]);
}

Case any_case(Dice& dice) {
    Case one;
    const auto group = dice.between(0, 4);
    const auto engines = std::max(1u, group) * dice.between(1, 5);
    one.settings = {.engines = engines,
                    .engine_ranks = dice.between(1, 3),
                    .group_size = group,
                    .order = dice.one_in(3) ? SlotOrder::sorted : SlotOrder::stable};
    if (group > 0 && dice.one_in(2)) one.settings.layout = testing::strided(group);
    const auto size = engines * one.settings.engine_ranks;
    const auto members = size + dice.below(6);
    one.launch = testing::scattered(dice, members, dice.between(1, 5), 2);
    one.previous = ranks_up_to(members);
    shuffle(dice, one.previous);
    one.previous.resize(dice.between(1, size / unit_of(one.settings)) * unit_of(one.settings));
    const auto deadliness = dice.between(1, 8);
    for (const Rank rank : ranks_up_to(members))
        if (!dice.one_in(deadliness)) one.available.push_back(rank);
    return one;
}

bool holds(const std::vector<Rank>& sorted, Rank rank) {
    return std::binary_search(sorted.begin(), sorted.end(), rank);
}

/// The units of a world by their number, each with its slots in order.
std::map<std::uint32_t, std::vector<std::uint32_t>> units_in(const PlacementSettings& settings, std::size_t size) {
    const auto group = groups_of(settings, static_cast<std::uint32_t>(size));
    std::map<std::uint32_t, std::vector<std::uint32_t>> units;
    for (std::uint32_t s = 0; s < size; ++s)
        units[settings.group_size == 0 ? s / settings.engine_ranks : group[s]].push_back(s);
    return units;
}

std::vector<Rank> at(const std::vector<Rank>& world, const std::vector<std::uint32_t>& slots) {
    std::vector<Rank> members;
    for (const auto slot : slots) members.push_back(world[slot]);
    return members;
}

/// Units that nobody died in go on with the same members in the same order, in their slots where these still exist.
void expect_whole_units_to_stay(const Case& one, const Placement& next) {
    const auto now = units_in(one.settings, next.world.size());
    for (const auto& [unit, slots] : units_in(one.settings, one.previous.size())) {
        const auto members = at(one.previous, slots);
        if (!std::all_of(members.begin(), members.end(), [&](Rank r) { return holds(one.available, r); })) continue;
        const bool together = std::any_of(now.begin(), now.end(),
                                          [&](const auto& other) { return at(next.world, other.second) == members; });
        ASSERT_TRUE(together) << "unit " << unit << " was whole and is not any more";
        const bool layout_moves = one.settings.layout && one.previous.size() != next.world.size();
        if (layout_moves || slots.back() >= next.world.size()) continue;
        ASSERT_EQ(at(next.world, slots), members) << "unit " << unit << " has moved";
    }
}

TEST(Placement, HoldsItsPromisesInAnyCase) {
    for (const auto seed : testing::seeds(20'000)) {
        SCOPED_TRACE(testing::replay(seed));
        Dice dice(seed);
        const Case one = any_case(dice);
        const auto next = place(one.settings, one.previous, one.launch, one.available);

        std::vector<Rank> everybody = next.world;
        everybody.insert(everybody.end(), next.standbys.begin(), next.standbys.end());
        std::sort(everybody.begin(), everybody.end());
        ASSERT_EQ(everybody, one.available) << "each live member has exactly one place";
        ASSERT_TRUE(std::is_sorted(next.standbys.begin(), next.standbys.end()));

        const std::size_t unit = unit_of(one.settings);
        const std::size_t wanted = std::size_t{one.settings.engines} * one.settings.engine_ranks;
        const std::size_t most = std::min(wanted, one.available.size());
        ASSERT_EQ(next.world.size(), most - most % unit) << "as many whole units as there can be";
        for (const auto& [number, slots] : units_in(one.settings, next.world.size()))
            ASSERT_EQ(slots.size(), unit) << "unit " << number;

        std::set<Rank> survivors, promoted;
        std::size_t kept = 0;
        for (const Rank rank : one.previous)
            if (holds(one.available, rank)) survivors.insert(rank);
        for (const Rank rank : next.world)
            if (survivors.contains(rank))
                ++kept;
            else
                promoted.insert(rank);
        ASSERT_EQ(kept, std::min(survivors.size(), next.world.size())) << "no survivor waits while a standby works";

        ASSERT_EQ(next.promoted.size(), promoted.size());
        for (std::size_t i = 0; i < next.promoted.size(); ++i) {
            ASSERT_EQ(next.world[next.promoted[i].slot.value], next.promoted[i].rank);
            if (i > 0) {
                ASSERT_LT(next.promoted[i - 1].slot, next.promoted[i].slot);
            }
        }
        if (one.settings.order == SlotOrder::sorted)
            ASSERT_TRUE(std::is_sorted(next.world.begin(), next.world.end()));
        else
            ASSERT_NO_FATAL_FAILURE(expect_whole_units_to_stay(one, next));
    }
}

TEST(Placement, DependsOnNothingButItsInput) {
    for (const auto seed : testing::seeds(1'000)) {
        SCOPED_TRACE(testing::replay(seed));
        Dice dice(seed), again(seed);
        const Case one = any_case(dice), other = any_case(again);
        const auto a = place(one.settings, one.previous, one.launch, one.available);
        const auto b = place(other.settings, other.previous, other.launch, other.available);
        ASSERT_EQ(a.world, b.world);
        ASSERT_EQ(a.standbys, b.standbys);
        ASSERT_EQ(rank_to_slot(a), rank_to_slot(b));
    }
}

}  // namespace
}  // namespace muster::core
