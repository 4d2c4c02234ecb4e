// SPDX-License-Identifier: Apache-2.0
/// Plans of a job with a controller: seats in them, as many engines as are wanted, rounds after a restart.
#include <gtest/gtest.h>

#include "core/plan.hpp"
#include "core/recovery.hpp"
#include "survivors.hpp"

namespace muster::core {
namespace {

using testing::ranks;
using testing::ranks_up_to;
using testing::Survivors;

std::vector<SeatId> ids(std::initializer_list<std::uint64_t> values) {
    std::vector<SeatId> list;
    for (const auto value : values) list.push_back(SeatId{value});
    return list;
}

/// Two replicas of two engines each, and two standbys.
struct Serving : Survivors {
    explicit Serving(const std::vector<Rank>& dead) : Survivors(dead) {
        settings.controller = true;
        settings.placement = {.engines = 99, .group_size = 2};  // Not looked at.
    }
    [[nodiscard]] Plan decide(const std::vector<SeatId>& seats, Round next = Round{2}) const {
        std::vector<Facts> facts;
        for (const auto& [rank, one] : present) facts.push_back(one);
        return core::decide({settings, launch, next, complete, previous, worlds, facts, false, seats});
    }
};

TEST(PlanSeats, TheCoordinatorsWishesAreInThePlan) {
    Serving job({});
    job.of(0).seats = {.seat = ids({3}), .unseat = ids({1})};
    const Plan plan = job.decide(ids({1, 2}));
    ASSERT_FALSE(plan.ending);
    EXPECT_EQ(plan.seats, ids({3, 2}));
    EXPECT_EQ(plan.world, ranks({4, 5, 2, 3}));
    EXPECT_EQ(plan.standbys, ranks({0, 1}));
    EXPECT_TRUE(plan.waiting.empty()) << "there is no place for them";
    EXPECT_EQ(plan.promoted.size(), 2U);
}

/// Found under mpirun: a replica was unseated before any step had been committed with the newcomers in.
TEST(PlanSeats, NobodyIsUnseatedWhoHoldsTheStateAlone) {
    Serving job({});
    for (const std::uint32_t rank : {2u, 3u}) job.of(rank).committed.reset();
    job.of(0).seats = {.seat = ids({3, 4}), .unseat = ids({1, 4})};
    Plan plan = job.decide(ids({1, 2}));
    ASSERT_FALSE(plan.ending) << plan.ending->reason;
    EXPECT_EQ(plan.seats, ids({1, 2, 3}));
    EXPECT_EQ(plan.source, Slot{0});
    job.of(2).committed = Step{6};
    plan = job.decide(ids({1, 2}));
    EXPECT_EQ(plan.seats, ids({3, 2}));
    EXPECT_EQ(plan.source, Slot{2});
}

TEST(PlanSeats, ALossIsRefilledUnderTheSameName) {
    Serving job(ranks({1}));
    const Plan plan = job.decide(ids({1, 2}));
    EXPECT_EQ(plan.seats, ids({1, 2}));
    EXPECT_EQ(plan.world, ranks({0, 4, 2, 3}));
}

TEST(PlanSeats, WhoIsParkedIsReplacedAndTakenBackForTheMinimumOnly) {
    Serving job({});
    for (const std::uint32_t rank : {0u, 1u, 4u, 5u}) job.of(rank).parked = true;
    Plan plan = job.decide(ids({1, 2}));
    EXPECT_EQ(plan.seats, ids({2}));
    EXPECT_EQ(plan.world, ranks({2, 3}));
    EXPECT_EQ(plan.waiting, ranks({0, 1, 4, 5})) << "the seat of replica 1 was wanted";
    job.settings.engines_min = 3;
    plan = job.decide(ids({1, 2}));
    ASSERT_FALSE(plan.ending);
    EXPECT_EQ(plan.seats, ids({1, 2}));
}

TEST(PlanSeats, FewerEnginesThanTheMinimumIsTheEnd) {
    Serving job(ranks({0, 1, 2}));
    job.settings.engines_min = 3;
    const Plan plan = job.decide(ids({1, 2}));
    ASSERT_TRUE(plan.ending);
    EXPECT_EQ(plan.ending->code, ExitCode::below_min);
}

TEST(PlanSeats, WithoutAControllerNobodysWishesAreHeard) {
    Survivors job({});
    job.of(0).seats = {.seat = ids({3})};
    EXPECT_TRUE(job.decide().seats.empty());
    EXPECT_EQ(job.decide().world, ranks_up_to(4));
}

TEST(PlanSeats, TheMinimumIsCountedInWholeGroups) {
    PlanSettings settings{.placement = {.group_size = 3}, .engines_min = 1, .controller = true, .launcher_node = {}};
    EXPECT_EQ(groups_min(settings), 1U);
    settings.engines_min = 3;
    EXPECT_EQ(groups_min(settings), 1U);
    settings.engines_min = 4;
    EXPECT_EQ(groups_min(settings), 2U);
    settings.engines_min = 4'294'967'295U;
    EXPECT_EQ(groups_min(settings), 1'431'655'765U);
}

TEST(PlanSeats, WishesAndSeatsSurviveTheirBytes) {
    Facts facts;
    for (std::uint64_t id = 1; id <= kSeatsMax; ++id) {
        facts.seats.seat.push_back(SeatId{id << 40});
        facts.seats.unseat.push_back(SeatId{id});
    }
    facts.going = std::string(kGoingMax, 'x');
    facts.wish = Wish{ExitCode::aborted, std::string(kReasonMax, 'y')};
    facts.proven_dead.resize(kProvenMax);
    const auto bytes = encode(facts);
    EXPECT_EQ(bytes.size(), kFactsSize);
    const auto back = decode_facts(bytes);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->seats, facts.seats);
    facts.seats.seat.push_back(SeatId{77});
    EXPECT_EQ(decode_facts(encode(facts))->seats.seat.size(), kSeatsMax) << "the rest takes another round";

    Plan plan;
    plan.seats = ids({5, 0, 1ULL << 50});
    const auto again = decode_plan(encode(plan));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->seats, plan.seats);
}

/// A job that is started again from its state goes on counting above the rounds that somebody remembers.
TEST(PlanSeats, RoundsGoOnWhereSomebodyRemembersHigherOnes) {
    Survivors job({});
    EXPECT_EQ(job.decide().round, Round{2});
    job.of(3).mirror = {.term = Round{1}, .index = 5};
    EXPECT_EQ(job.decide().round, Round{2}) << "this very job's last round";
    job.of(3).mirror = {.term = Round{41}, .index = 5};
    const Plan plan = job.decide();
    ASSERT_FALSE(plan.ending);
    EXPECT_EQ(plan.round, Round{42});
    EXPECT_EQ(plan.keeper, Rank{3});
}

TEST(PlanSeats, RecoveryTakesTheSeatsFromRoundToRound) {
    Serving job({});
    job.settings.engines_min = 1;
    Recovery recovery(Rank{0}, job.settings, job.launch);
    EXPECT_EQ(recovery.world(), ranks({0, 1})) << "no more than must be";
    const auto live_through = [&](const SeatWishes& wishes, MirrorPosition mirror) {
        (void)recovery.step(Shrunk{ranks_up_to(6)});
        std::vector<Facts> facts(6);
        for (std::uint32_t rank = 0; rank < 6; ++rank) facts[rank].rank = Rank{rank};
        facts[0].seats = wishes;
        facts[5].mirror = mirror;
        const auto effects = recovery.step(Gathered{facts});
        const Plan plan = std::get<Broadcast>(effects.front()).plan;
        (void)recovery.step(Planned{plan});
        (void)recovery.step(Built{});
        (void)recovery.step(Agreed{});
        return plan;
    };
    EXPECT_EQ(live_through({}, {.term = Round{6}, .index = 1}).seats, ids({0}));
    EXPECT_EQ(recovery.round(), Round{7}) << "the first round of a job that was started again";
    (void)recovery.step(Noticed{});
    EXPECT_EQ(live_through({.seat = ids({4, 5})}, {}).seats, ids({4, 5}));
    EXPECT_EQ(recovery.seats(), ids({4, 5}));
    EXPECT_EQ(recovery.round(), Round{8});
    (void)recovery.step(Noticed{});
    EXPECT_EQ(live_through({.unseat = ids({4})}, {}).seats, ids({5}));
    EXPECT_EQ(recovery.world(), ranks({2, 3}));
    EXPECT_EQ(recovery.coordinator(), Rank{2});
}

}  // namespace
}  // namespace muster::core
