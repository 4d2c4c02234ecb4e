// SPDX-License-Identifier: Apache-2.0
#include "core/recovery.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace muster::core {
namespace {

using testing::launch_at;
using testing::ranks;
using testing::ranks_up_to;

/// Engines 0 .. 3 on n1 n1 n2 n2, standby 4 on n3.
Recovery member(std::uint32_t self, Quorum quorum = Quorum::majority) {
    return {Rank{self},
            {.placement = {.engines = 4}, .quorum = quorum, .launcher_node = {}},
            launch_at({"n1", "n1", "n2", "n2", "n3"})};
}

Gathered facts_of(const std::vector<Rank>& pool) {
    Gathered gathered;
    for (const Rank rank : pool) {
        gathered.facts.emplace_back();
        gathered.facts.back().rank = rank;
    }
    return gathered;
}

std::string names_of(const Effects& effects) {
    constexpr const char* kNames[] = {"revoke", "shrink", "gather", "broadcast", "build", "agree", "hand_over", "end"};
    std::string names;
    for (const auto& effect : effects) names += (names.empty() ? "" : " ") + std::string(kNames[effect.index()]);
    return names;
}

/// From a fresh Recovery of the coordinator to a phase, along the straight way.
Recovery in_phase(Phase phase) {
    Recovery recovery = member(0);
    if (phase == Phase::shrinking) return recovery;
    (void)recovery.step(Shrunk{ranks_up_to(5)});
    if (phase == Phase::gathering) return recovery;
    auto gathered = facts_of(ranks_up_to(5));
    if (phase == Phase::ended) gathered.facts[2].wish = Wish{ExitCode::stopped, "enough"};
    const auto effects = recovery.step(gathered);
    if (phase == Phase::planning) return recovery;
    (void)recovery.step(Planned{std::get<Broadcast>(effects[0]).plan});
    if (phase == Phase::building) return recovery;
    if (phase != Phase::ended) (void)recovery.step(Built{});
    if (phase == Phase::agreeing) return recovery;
    (void)recovery.step(Agreed{});
    return recovery;
}

struct Row {
    Phase from;
    Input input;
    Phase to;
    const char* effects;
};

Plan first_round() {
    Plan plan;
    plan.round = Round{1};
    plan.world = ranks_up_to(4);
    plan.standbys = ranks({4});
    return plan;
}

Plan an_ending() {
    Plan plan;
    plan.ending = Wish{ExitCode::aborted, "because"};
    return plan;
}

// Every pair that is not here is a bug in the driver.
const std::vector<Row>& rows() {
    // clang-format off
    static const std::vector<Row> kRows{
        {Phase::steady,    Noticed{},                   Phase::shrinking, "revoke shrink"},
        {Phase::shrinking, Shrunk{ranks_up_to(5)},      Phase::gathering, "gather"},
        {Phase::shrinking, Failed{},                    Phase::shrinking, "revoke shrink"},
        {Phase::gathering, facts_of(ranks_up_to(5)),    Phase::planning,  "broadcast"},
        {Phase::gathering, Failed{},                    Phase::agreeing,  "revoke agree"},
        {Phase::planning,  Planned{first_round()},      Phase::building,  "build"},
        {Phase::planning,  Planned{an_ending()},        Phase::agreeing,  "agree"},
        {Phase::planning,  Failed{},                    Phase::agreeing,  "revoke agree"},
        {Phase::building,  Built{},                     Phase::agreeing,  "agree"},
        {Phase::building,  Failed{},                    Phase::agreeing,  "revoke agree"},
        {Phase::agreeing,  Agreed{},                    Phase::steady,    "hand_over"},
        {Phase::agreeing,  Failed{},                    Phase::shrinking, "revoke shrink"},
        {Phase::ended,     Noticed{},                   Phase::ended,     ""},
    };
    // clang-format on
    return kRows;
}

constexpr Phase kPhases[] = {Phase::steady,   Phase::shrinking, Phase::gathering, Phase::planning,
                             Phase::building, Phase::agreeing,  Phase::ended};

TEST(Recovery, EveryExpectedInputLeadsWhereTheTableSays) {
    for (const auto& row : rows()) {
        SCOPED_TRACE(std::string(name_of(row.from)) + ", input " + std::to_string(row.input.index()));
        Recovery recovery = in_phase(row.from);
        ASSERT_EQ(recovery.phase(), row.from);
        EXPECT_EQ(names_of(recovery.step(row.input)), row.effects);
        EXPECT_EQ(recovery.phase(), row.to);
    }
}

TEST(RecoveryDeathTest, EveryOtherInputIsABug) {
    const std::vector<Input> inputs{Noticed{}, Shrunk{}, Gathered{}, Planned{}, Built{}, Agreed{}, Failed{}};
    int bugs = 0;
    for (const Phase phase : kPhases)
        for (const auto& input : inputs) {
            bool expected = false;
            for (const auto& row : rows())
                expected = expected || (row.from == phase && row.input.index() == input.index());
            if (expected) continue;
            ++bugs;
            EXPECT_DEATH((void)in_phase(phase).step(input), "internal error: kExpected")
                << name_of(phase) << ", input " << input.index();
        }
    EXPECT_EQ(bugs, 37) << "7 phases x 7 inputs less the 12 pairs that are expected";
}

/// One undisturbed recovery of `self` with this pool, and the plan that the coordinator made of it.
Plan recover(Recovery& recovery, const std::vector<Rank>& pool, const Gathered& gathered) {
    if (recovery.phase() == Phase::steady) (void)recovery.step(Noticed{});
    (void)recovery.step(Shrunk{pool});
    const auto effects = recovery.step(gathered);
    const Plan plan = std::get<Broadcast>(effects.at(0)).plan;
    (void)recovery.step(Planned{plan});
    if (recovery.phase() == Phase::building) (void)recovery.step(Built{});
    (void)recovery.step(Agreed{});
    return plan;
}

TEST(Recovery, RoundsGoUpByOneAndOnlyWhenTheyAreComplete) {
    Recovery recovery = member(0);
    EXPECT_EQ(recovery.round(), Round{0});
    (void)recover(recovery, ranks_up_to(5), facts_of(ranks_up_to(5)));
    EXPECT_EQ(recovery.round(), Round{1});
    (void)recovery.step(Noticed{});
    for (int failures = 0; failures < 5; ++failures) {
        (void)recovery.step(Shrunk{ranks_up_to(4)});
        (void)recovery.step(Failed{});  // Says no in the agreement ...
        (void)recovery.step(Failed{});  // ... and all begin again.
    }
    EXPECT_EQ(recovery.round(), Round{1}) << "an attempt is not a round";
    (void)recovery.step(Shrunk{ranks_up_to(4)});
    const auto effects = recovery.step(facts_of(ranks_up_to(4)));
    EXPECT_EQ(std::get<Broadcast>(effects[0]).plan.round, Round{2});
}

TEST(Recovery, WhoeverCouldNotBuildSaysNoInTheAgreement) {
    for (const Phase phase : {Phase::gathering, Phase::planning, Phase::building}) {
        Recovery recovery = in_phase(phase);
        const auto effects = recovery.step(Failed{});
        EXPECT_FALSE(std::get<Agree>(effects.at(1)).yes) << name_of(phase);
    }
    Recovery recovery = in_phase(Phase::building);
    EXPECT_TRUE(std::get<Agree>(recovery.step(Built{}).at(0)).yes);
}

TEST(RecoveryDeathTest, APlanForARoundThatHasBeenIsABug) {
    Recovery recovery = in_phase(Phase::steady);
    (void)recovery.step(Noticed{});
    (void)recovery.step(Shrunk{ranks_up_to(5)});
    (void)recovery.step(facts_of(ranks_up_to(5)));
    (void)recovery.step(Planned{first_round()});
    (void)recovery.step(Built{});
    EXPECT_DEATH((void)recovery.step(Agreed{}), "plan_.round > round_");
}

TEST(RecoveryDeathTest, FactsOfFewerThanThePoolAreABug) {
    Recovery recovery = in_phase(Phase::gathering);
    EXPECT_DEATH((void)recovery.step(facts_of(ranks_up_to(4))), "internal error");
}

TEST(Recovery, TheCoordinatorIsTheLowestLiveRankOfTheWorldElseOfThePool) {
    Recovery recovery = member(4);
    EXPECT_EQ(recovery.coordinator(), Rank{0});
    (void)recovery.step(Shrunk{ranks({4, 3, 2})});
    EXPECT_EQ(recovery.coordinator(), Rank{2}) << "whatever the order of the pool";
    (void)recovery.step(Failed{});
    (void)recovery.step(Failed{});
    const auto effects = recovery.step(Shrunk{ranks({4})});
    EXPECT_EQ(recovery.coordinator(), Rank{4}) << "no engine is left";
    EXPECT_EQ(std::get<Gather>(effects[0]).root, Rank{4});
}

/// Two engines of two ranks (0 .. 3), standby 4, clients 5 and 6.
Recovery with_clients(std::uint32_t self) {
    auto launch = launch_at({"n1", "n1", "n2", "n2", "n3", "n3", "n3"});
    launch[5].client = launch[6].client = true;
    return {Rank{self}, {.placement = {.engines = 2, .engine_ranks = 2}, .launcher_node = {}}, std::move(launch)};
}

TEST(Recovery, TheFirstWorldHasAllRanksOfItsEnginesAndNoClient) {
    Recovery recovery = with_clients(0);
    EXPECT_EQ(recovery.world(), ranks_up_to(4));
    EXPECT_EQ(recovery.pool(), ranks_up_to(7)) << "clients are members of the pool";
    auto few = launch_at({"n1", "n1"});
    few[1].client = true;
    EXPECT_EQ(Recovery(Rank{0}, {.placement = {.engines = 2}, .launcher_node = {}}, few).world(), ranks({0}));
}

TEST(Recovery, ClientsStayInThePoolAndAreMissedWhenTheyAreGone) {
    Recovery recovery = with_clients(0);
    (void)recover(recovery, ranks_up_to(7), facts_of(ranks_up_to(7)));
    EXPECT_EQ(recovery.pool(), ranks_up_to(7));
    const auto rest = ranks({0, 1, 2, 3, 4, 6});
    const Plan plan = recover(recovery, rest, facts_of(rest));
    EXPECT_EQ(plan.clients, ranks({6}));
    ASSERT_EQ(plan.lost.size(), 1u);
    EXPECT_EQ(plan.lost[0].rank, Rank{5});
    EXPECT_EQ(recovery.pool(), rest);
    const Plan next = recover(recovery, rest, facts_of(rest));
    EXPECT_TRUE(next.lost.empty()) << "but only once";
}

TEST(Recovery, AClientCoordinatesOnlyWhereNobodyElseIsLeft) {
    Recovery recovery = with_clients(6);
    (void)recovery.step(Shrunk{ranks({4, 5, 6})});
    EXPECT_EQ(recovery.coordinator(), Rank{4});
    (void)recovery.step(Failed{});
    (void)recovery.step(Failed{});
    (void)recovery.step(Shrunk{ranks({6})});
    EXPECT_EQ(recovery.coordinator(), Rank{6});
}

TEST(Recovery, OnlyTheCoordinatorDecides) {
    Recovery recovery = member(3);
    (void)recovery.step(Shrunk{ranks_up_to(5)});
    const auto effects = recovery.step(Gathered{});
    EXPECT_EQ(std::get<Broadcast>(effects.at(0)).root, Rank{0});
    EXPECT_TRUE(std::get<Broadcast>(effects.at(0)).plan.world.empty());
}

std::vector<Rank> asked_to_prove(std::uint32_t self, const std::vector<Rank>& pool) {
    Recovery recovery = member(self);
    return std::get<Gather>(recovery.step(Shrunk{pool}).at(0)).prove;
}

TEST(Recovery, OneWitnessANodeLooksForTheMissingOfThatNode) {
    EXPECT_EQ(asked_to_prove(1, ranks({1, 2, 4})), ranks({0}));
    EXPECT_EQ(asked_to_prove(2, ranks({1, 2, 4})), ranks({3}));
    EXPECT_EQ(asked_to_prove(4, ranks({1, 2, 4})), ranks({})) << "nobody of n3 is missing";
}

TEST(Recovery, OnlyTheLowestSurvivorOfANodeIsItsWitness) {
    for (const std::uint32_t self : {1u, 2u}) {
        Recovery recovery(Rank{self}, {.placement = {.engines = 3}, .launcher_node = {}},
                          launch_at({"n1", "n1", "n1"}));
        const auto effects = recovery.step(Shrunk{ranks({1, 2})});
        EXPECT_EQ(std::get<Gather>(effects.at(0)).prove, self == 1 ? ranks({0}) : ranks({})) << "rank " << self;
    }
}

bool insists(Quorum quorum, const std::vector<Rank>& pool) {
    Recovery recovery = member(pool.front().value, quorum);
    return std::get<Gather>(recovery.step(Shrunk{pool}).at(0)).insist;
}

TEST(Recovery, ProofIsWaitedForOnlyWhereTheMajorityHangsOnIt) {
    EXPECT_FALSE(insists(Quorum::majority, ranks({0, 1, 2})));
    EXPECT_TRUE(insists(Quorum::majority, ranks({0, 1})));
    EXPECT_FALSE(insists(Quorum::none, ranks({0, 1})));
}

TEST(Recovery, TheDismissedEndAndTheOthersGoOn) {
    Recovery stays = member(0), goes = member(1);
    auto gathered = facts_of(ranks_up_to(5));
    gathered.facts[1].leaving = true;
    const Plan plan = recover(stays, ranks_up_to(5), gathered);
    EXPECT_EQ(stays.phase(), Phase::steady);
    EXPECT_EQ(stays.world(), ranks({0, 4, 2, 3}));
    EXPECT_EQ(stays.pool(), ranks({0, 2, 3, 4})) << "who left is in no pool of the new round";

    (void)goes.step(Shrunk{ranks_up_to(5)});
    (void)goes.step(Gathered{});
    (void)goes.step(Planned{plan});
    EXPECT_EQ(names_of(goes.step(Built{})), "agree") << "the others must know that it knows";
    const auto effects = goes.step(Agreed{});
    EXPECT_EQ(names_of(effects), "end");
    EXPECT_EQ(std::get<End>(effects[0]).ending.code, ExitCode::finished);
    EXPECT_EQ(goes.phase(), Phase::ended);
}

TEST(Recovery, AnEndingIsAgreedOnBeforeAnybodyEnds) {
    Recovery recovery = in_phase(Phase::planning);
    EXPECT_EQ(names_of(recovery.step(Planned{an_ending()})), "agree");
    EXPECT_EQ(names_of(recovery.step(Failed{})), "revoke shrink") << "somebody died: it is decided again";
}

/// An attempt at the ending that failed is no round: what the last complete one has closed stays closed.
TEST(Recovery, AClosedRendezvousStaysClosedWhereItsEndingFailsOnTheWay) {
    Recovery recovery = member(0);
    const auto decided = [&recovery](const std::vector<Rank>& pool, bool close) {
        (void)recovery.step(Shrunk{pool});
        auto gathered = facts_of(pool);
        gathered.facts.front().close = close;
        return std::get<Broadcast>(recovery.step(gathered).at(0)).plan;
    };
    const auto last = decided(ranks_up_to(5), true);
    ASSERT_TRUE(last.closed);
    (void)recovery.step(Planned{last});
    (void)recovery.step(Built{});
    (void)recovery.step(Agreed{});
    ASSERT_TRUE(recovery.closed());
    (void)recovery.step(Noticed{});
    const auto ending = decided(ranks({0, 1, 2}), false);
    ASSERT_TRUE(ending.ending);
    (void)recovery.step(Planned{ending});
    (void)recovery.step(Failed{});
    const auto again = decided(ranks({0, 1, 2}), false);
    ASSERT_TRUE(again.ending) << "round " << again.round.value << " follows one that was closed";
    EXPECT_EQ(again.ending->code, ExitCode::stopped);
}

}  // namespace
}  // namespace muster::core
