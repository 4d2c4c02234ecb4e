// SPDX-License-Identifier: Apache-2.0
/// Replicas have seats: who is in which lockstep group after wishes and losses.
#include "core/seat_placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "support.hpp"

namespace muster::core {
namespace {

using testing::Dice;
using testing::ranks;
using testing::ranks_up_to;
using testing::replay;
using testing::seeds;

std::vector<SeatId> ids(std::initializer_list<std::uint64_t> values) {
    std::vector<SeatId> list;
    for (const auto value : values) list.push_back(SeatId{value});
    return list;
}

/// Ten members in groups of two, each on a node of its own, unless a test says otherwise.
struct Job {
    explicit Job(std::initializer_list<std::uint64_t> seated = {0}, std::uint32_t members = 10)
        : seats(ids(seated)),
          world(ranks_up_to(static_cast<std::uint32_t>(2 * seated.size()))),
          live(ranks_up_to(members)) {
        settings.group_size = 2;
    }
    PlacementSettings settings;
    std::uint32_t groups_min = 1;
    std::vector<SeatId> seats;
    std::vector<Rank> world;
    std::vector<Member> launch = testing::launch_at({"n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9"});
    std::vector<Rank> live;

    void dies(std::uint32_t rank) { std::erase(live, Rank{rank}); }
    SeatPlacement next(const SeatWishes& wishes) {
        auto placed = place_seats(settings, groups_min, seats, wishes, world, launch, live);
        seats = placed.seats;
        world = placed.placement.world;
        return placed;
    }
};

TEST(SeatPlacement, TheFirstReplicaTakesTheIdleGroupAndTheNextOnesStandbysAtTheEnd) {
    Job job;
    job.next({.seat = ids({7})});
    EXPECT_EQ(job.seats, ids({7}));
    EXPECT_EQ(job.world, ranks({0, 1}));
    const auto placed = job.next({.seat = ids({8, 9})});
    EXPECT_EQ(job.seats, ids({7, 8, 9}));
    EXPECT_EQ(job.world, ranks({0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(placed.placement.standbys, ranks({6, 7, 8, 9}));
    EXPECT_EQ(placed.placement.promoted.size(), 4U);
    EXPECT_EQ(placed.engines, 6U);
}

TEST(SeatPlacement, AVacatedGroupIsStandbysAndTheHighestGroupMovesIntoItsPlace) {
    Job job({1, 2, 3});
    const auto placed = job.next({.unseat = ids({1})});
    EXPECT_EQ(job.seats, ids({3, 2}));
    EXPECT_EQ(job.world, ranks({4, 5, 2, 3}));
    EXPECT_EQ(placed.placement.standbys, ranks({0, 1, 6, 7, 8, 9}));
}

TEST(SeatPlacement, AVacatedGroupIsIdleWhereTheMinimumNeedsItAndKeepsItsPlace) {
    Job job({1, 2});
    job.groups_min = 2;
    job.next({.unseat = ids({1})});
    EXPECT_EQ(job.seats, ids({0, 2}));
    EXPECT_EQ(job.world, ranks_up_to(4));
    job.next({.seat = ids({3})});
    EXPECT_EQ(job.seats, ids({3, 2}));
    EXPECT_EQ(job.world, ranks_up_to(4));
}

TEST(SeatPlacement, ANewNameTakesThePlaceOfAVacatedGroupButNotItsMembers) {
    Job job({1, 2});
    job.next({.seat = ids({3}), .unseat = ids({1})});
    EXPECT_EQ(job.seats, ids({3, 2}));
    EXPECT_EQ(job.world, ranks({4, 5, 2, 3})) << "standbys were prepared for it";
}

TEST(SeatPlacement, MembersOfAVacatedGroupAreTakenWhereThereIsNobodyElse) {
    Job job({1, 2}, 5);
    job.next({.seat = ids({3}), .unseat = ids({2})});
    EXPECT_EQ(job.seats, ids({1, 3}));
    EXPECT_EQ(job.world, ranks({0, 1, 4, 2}));
}

TEST(SeatPlacement, ARefilledGroupKeepsItsNameAndADissolvedOneLosesIt) {
    Job job({1, 2, 3}, 7);
    job.dies(2);
    job.next({});
    EXPECT_EQ(job.seats, ids({1, 2, 3}));
    EXPECT_EQ(job.world, ranks({0, 1, 6, 3, 4, 5}));
    job.dies(0);
    const auto placed = job.next({});
    EXPECT_EQ(job.seats, ids({3, 2})) << "group 0 could not be refilled, the highest one moves into its place";
    EXPECT_EQ(job.world, ranks({4, 5, 6, 3}));
    EXPECT_EQ(placed.placement.standbys, ranks({1}));
    EXPECT_EQ(placed.engines, 6U) << "so many are wanted";
}

TEST(SeatPlacement, AnIdleGroupIsGivenUpToRefillAReplica) {
    Job job({0, 2}, 4);
    job.groups_min = 2;
    job.dies(3);
    job.next({});
    EXPECT_EQ(job.seats, ids({2}));
    EXPECT_EQ(job.world, ranks({2, 0}));
}

TEST(SeatPlacement, WhoFindsNoRoomIsNotSeatedAndTheFirstComeFirst) {
    Job job({1}, 5);
    const auto placed = job.next({.seat = ids({2, 3})});
    EXPECT_EQ(job.seats, ids({1, 2}));
    EXPECT_EQ(placed.placement.standbys, ranks({4}));
    EXPECT_EQ(placed.engines, 6U);
}

TEST(SeatPlacement, NamesThatAreThereTwiceOrBothAddedAndRemovedOrZeroAreNoneOfThoseToAdd) {
    Job job({1});
    job.next({.seat = ids({1, 2, 2, 0, 3}), .unseat = ids({3, 0, 99})});
    EXPECT_EQ(job.seats, ids({1, 2}));
}

TEST(SeatPlacement, ALayoutHasTheSameSeatsInOtherSlots) {
    Job job({1, 2});
    job.settings.layout = testing::strided(2);
    job.world = ranks({0, 2, 1, 3});
    job.next({.seat = ids({3})});
    EXPECT_EQ(job.seats, ids({1, 2, 3}));
    EXPECT_EQ(job.world, ranks({0, 2, 4, 1, 3, 5})) << "group 0 is slots 0 and 3";
    job.next({.unseat = ids({2})});
    EXPECT_EQ(job.seats, ids({1, 3}));
    EXPECT_EQ(job.world, ranks({0, 4, 1, 5}));
}

/// The rules in words, on many random lives.
TEST(SeatPlacement, ManyLives) {
    for (const std::uint64_t seed : seeds(400)) {
        SCOPED_TRACE(replay(seed));
        Dice dice(seed);
        Job job;
        job.settings.engine_ranks = dice.between(1, 2);
        job.settings.group_size = dice.between(1, 3);
        job.groups_min = dice.between(1, 3);
        const auto unit = unit_of(job.settings);
        const auto members = unit * dice.between(job.groups_min, 8) + dice.below(unit);
        job.launch = testing::scattered(dice, members, 4, 2);
        job.live = ranks_up_to(members);
        job.seats.assign(job.groups_min, SeatId{});
        job.world = ranks_up_to(job.groups_min * unit);
        std::set<SeatId> seen;
        std::uint64_t last = 0;
        for (std::uint32_t round = 0; round < 30; ++round) {
            SeatWishes wishes;
            for (auto more = dice.below(3); more > 0; --more) wishes.seat.push_back(SeatId{++last});
            for (const SeatId id : job.seats)
                if (id != SeatId{} && dice.one_in(4)) wishes.unseat.push_back(id);
            for (auto more = dice.one_in(3) ? dice.below(3) : 0; more > 0 && job.live.size() > unit; --more)
                job.live.erase(job.live.begin() + dice.below(job.live.size()));
            const auto before = job;
            const auto placed = job.next(wishes);
            const auto room = job.live.size() / unit;
            std::size_t kept = 0;
            for (const SeatId id : before.seats)
                if (id != SeatId{} && std::count(wishes.unseat.begin(), wishes.unseat.end(), id) == 0) ++kept;
            const auto seated = std::min(room, kept + wishes.seat.size());
            const auto named = static_cast<std::size_t>(
                std::count_if(job.seats.begin(), job.seats.end(), [](SeatId id) { return id != SeatId{}; }));
            ASSERT_EQ(named, seated);
            ASSERT_EQ(job.seats.size(), std::min<std::size_t>(room, std::max<std::size_t>(job.groups_min, seated)));
            ASSERT_EQ(job.world.size(), job.seats.size() * unit);
            ASSERT_EQ(job.world.size() + placed.placement.standbys.size(), job.live.size());
            for (std::size_t group = 0; group < job.seats.size(); ++group) {
                const SeatId id = job.seats[group];
                if (id == SeatId{}) continue;
                const auto old = std::find(before.seats.begin(), before.seats.end(), id);
                ASSERT_EQ(std::count(job.seats.begin(), job.seats.end(), id), 1);
                ASSERT_EQ(old == before.seats.end(), seen.insert(id).second) << "a name came back";
                if (old == before.seats.end()) continue;
                const auto from = static_cast<std::size_t>(old - before.seats.begin());
                ASSERT_TRUE(from == group || from >= job.seats.size()) << "moved without need";
                for (std::size_t place = 0; place < unit && kept <= room; ++place) {
                    const Rank rank = before.world[from * unit + place];
                    if (!std::binary_search(job.live.begin(), job.live.end(), rank)) continue;
                    ASSERT_EQ(job.world[group * unit + place], rank) << "a survivor moved without need";
                }
            }
        }
    }
}

}  // namespace
}  // namespace muster::core
