// SPDX-License-Identifier: Apache-2.0
#include "core/rendezvous_batch.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "rendezvous_support.hpp"
#include "support.hpp"

namespace muster::core::rendezvous::testing {
namespace {

constexpr double kNow = 1000;

std::vector<Node> nodes(std::initializer_list<int> numbers) {
    std::vector<Node> list;
    for (const int number : numbers) list.push_back(n(number));
    return list;
}

std::string standings(const BatchRound& round) {
    constexpr const char* words[] = {"in", "waits", "redundant", "closed", "graceful"};
    std::string text;
    for (const auto& [node, standing] : round.members)
        text += (text.empty() ? "" : " ") + node.addr + ":" + words[static_cast<std::size_t>(standing)];
    return text;
}

TEST(RendezvousBatch, TheFirstRoundAndOneDeathWithAStandby) {
    const auto settings = in_job("job", 2, 3);
    auto round = batch_round(State{}, nodes({3, 1, 0, 2}), settings, at(0));
    EXPECT_EQ(phase(round.state), "round 0 complete");
    EXPECT_EQ(lists(round.state), "n0=0 n1=1 n2=2 | | n3");
    EXPECT_EQ(standings(round), "n0:in n1:in n2:in n3:redundant");
    EXPECT_EQ(round.waits, "");

    round = batch_round(round.state, nodes({0, 2, 3}), settings, at(1));
    EXPECT_EQ(round.dead, nodes({1}));
    EXPECT_EQ(phase(round.state), "round 1 complete");
    EXPECT_EQ(lists(round.state), "n0=0 n2=2 n3=1 | |");  // Stable: the standby in the hole.
    EXPECT_EQ(round.state.last_heartbeats.size(), 3U);

    round = batch_round(round.state, nodes({2, 3}), settings, at(2));
    EXPECT_EQ(phase(round.state), "round 2 complete");
    EXPECT_EQ(lists(round.state), "n2=0 n3=1 | |");
}

TEST(RendezvousBatch, ThoseInsideStayInsideAndTheWaitListComesFirst) {
    auto settings = in_job("job", 1, 2);
    settings.slot_order = SlotOrder::sorted;
    State before{.round = Round{7}, .complete = true, .participants = {{n(8), Slot{0}}, {n(9), Slot{1}}}};
    before.wait_list = {n(5)};
    before.redundancy_list = {n(4)};
    auto round = batch_round(before, nodes({1, 4, 5, 8, 9}), settings, at(kNow));
    EXPECT_EQ(lists(round.state), "n8=0 n9=1 | n5 | n1 n4");
    EXPECT_EQ(phase(round.state), "round 8 complete");
    round = batch_round(before, nodes({1, 4, 5, 9}), settings, at(kNow));
    EXPECT_EQ(lists(round.state), "n5=0 n9=1 | | n1 n4");
    round = batch_round(before, nodes({1, 4, 9}), settings, at(kNow));
    EXPECT_EQ(lists(round.state), "n4=0 n9=1 | | n1");
}

TEST(RendezvousBatch, FewerThanMinWaitAndSayWhy) {
    const auto settings = in_job("job", 3, 4);
    auto round = batch_round(State{}, nodes({0, 1}), settings, at(0));
    EXPECT_EQ(phase(round.state), "round 0");
    EXPECT_EQ(round.waits, "round 0 waits: 2 of at least 3 nodes have joined");
    EXPECT_EQ(standings(round), "n0:in n1:in");
    round = batch_round(round.state, nodes({0, 1, 2}), settings, at(1));
    EXPECT_EQ(phase(round.state), "round 0 complete");  // No round was skipped.
    round = batch_round(round.state, nodes({0}), settings, at(2));
    EXPECT_EQ(phase(round.state), "round 1");
    EXPECT_EQ(round.waits, "round 1 waits: 1 of at least 3 nodes have joined");
    round = batch_round(round.state, {}, settings, at(3));
    EXPECT_EQ(lists(round.state), "| |");
}

TEST(RendezvousBatch, WithALastCallItWaitsForItsEnd) {
    auto settings = in_job("job", 1, 4);
    settings.complete_when_all_present = false;
    const auto round = batch_round(State{}, nodes({0}), settings, at(0));
    EXPECT_EQ(round.waits, "round 0 waits: 1 nodes have joined, the last call is not over");
}

TEST(RendezvousBatch, T18_InAClosedOneNobodyJoins) {
    const auto settings = in_job("job", 1, 2);
    auto before = batch_round(State{}, nodes({0, 1, 2}), settings, at(0)).state;
    before.closed = true;
    const auto round = batch_round(before, nodes({0, 1, 2, 3}), settings, at(1));
    EXPECT_EQ(standings(round), "n0:closed n1:closed n2:graceful n3:closed");
    EXPECT_EQ(round.waits, "the rendezvous 'job' is closed");
}

/// A state in the middle of some job, with members that are alive (just heard of) and dead ones (not heard of).
struct Situation {
    Settings settings;
    State before;
    std::vector<Node> agreed;
};

Situation situation(core::testing::Dice& dice) {
    Situation made;
    const auto min = dice.between(1, 4);
    made.settings = in_job("job", min, min + dice.below(4));
    made.settings.replace_dead_participants = dice.one_in(2);
    made.settings.slot_order = dice.one_in(2) ? SlotOrder::stable : SlotOrder::sorted;
    const auto settings = made.settings;
    for (std::uint32_t round = dice.below(4); round > 0; --round) {  // Some history.
        std::vector<Node> some;
        for (int i = 0; i < 9; ++i)
            if (dice.one_in(2)) some.push_back(n(i));
        made.before = batch_round(made.before, some, settings, at(1)).state;
    }
    if (dice.one_in(3))  // A standby that came while the round went on.
        for (int i = 9; i < 11; ++i)
            (dice.one_in(2) ? made.before.wait_list : made.before.redundancy_list).insert(n(i));
    for (int i = 0; i < 12; ++i) {
        if (!dice.one_in(4)) made.agreed.push_back(n(i));
        const auto& b = made.before;
        if (!b.participants.contains(n(i)) && !b.wait_list.contains(n(i)) && !b.redundancy_list.contains(n(i)))
            continue;
        const bool alive = !made.agreed.empty() && made.agreed.back() == n(i);
        made.before.last_heartbeats[n(i)] = alive ? at(kNow) - millis(dice.below(400)) : at(kNow - 50);
    }
    return made;
}

template <class T>
void shuffle(std::vector<T>& list, core::testing::Dice& dice) {
    for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[dice.below(i)]);
}

/// The source's executors, one per member, on one backend.
struct Serial {
    explicit Serial(const Situation& of) : job(of.settings), agreed(of.agreed.size()) {
        job.backend.replace(encode(of.before));
    }
    /// One iteration, and the sync that writes it.
    Step step(const Node& node, Operation operation) {
        auto& holder = job.holder(node.pid - 100);
        auto one = iterate(holder, {node, job.settings, at(kNow)}, {operation, {}, agreed});
        if (!one.is_over()) (void)holder.sync(at(kNow));
        return one;
    }
    void until_it_rests(const Node& node, Operation operation) {
        for (auto one = step(node, operation); !one.is_over() && !one.sleep; one = step(node, operation)) continue;
    }
    /// What any member reads.
    State seen() {
        StateHolder reader(job.backend, job.settings);
        (void)reader.sync(at(kNow));
        return reader.state();
    }
    Job job;
    std::size_t agreed;
};

TEST(RendezvousBatch, EqualsTheSerialOrderThatItNames) {
    std::size_t complete = 0, standbys = 0, waiting = 0;
    for (const auto seed : core::testing::seeds(3000)) {
        SCOPED_TRACE(core::testing::replay(seed));
        core::testing::Dice dice(seed);
        const auto now = situation(dice);
        const auto round = batch_round(now.before, now.agreed, now.settings, at(kNow));
        Serial serial(now);
        for (const auto& [node, operation, action] : round.steps)
            ASSERT_EQ(word(serial.step(node, operation)), name_of(action))
                << text_of(node) << " " << name_of(operation);
        ASSERT_EQ(serial.seen(), round.state);
        for (const auto& node : now.agreed) {  // Nobody has anything left to do.
            const auto one = serial.step(node, Operation::join);
            ASSERT_TRUE(one.sleep || one.is_over()) << word(one);
        }
        ASSERT_EQ(serial.seen(), round.state);
        ASSERT_EQ(round.state.complete, round.waits.empty());
        complete += round.state.complete;
        standbys += !round.state.redundancy_list.empty();
        waiting += !round.state.wait_list.empty();
    }
    if (core::testing::seeds(2).size() < 2) return;
    EXPECT_GT(complete, 2000U);
    EXPECT_GT(standbys, 1000U);
    EXPECT_GT(waiting, 100U);
}

TEST(RendezvousBatch, ASeatingEqualsASerialOrderTooAndEachSitsWhereItShall) {
    std::size_t complete = 0, closed = 0;
    for (const auto seed : core::testing::seeds(3000)) {
        SCOPED_TRACE(core::testing::replay(seed));
        core::testing::Dice dice(seed);
        auto now = situation(dice);
        now.settings.slot_order = SlotOrder::stable;
        Seating seating{.by_rank = now.agreed, .then_close = dice.one_in(4)};
        shuffle(seating.by_rank, dice);
        seating.by_rank.resize(
            dice.below(1 + std::min<std::size_t>(now.agreed.size(), static_cast<std::size_t>(now.settings.max_nodes))));
        const auto round = batch_round(now.before, now.agreed, now.settings, at(kNow), seating);
        now.before.seats.clear();  // The members' own steps never look at seats before a round is complete.
        for (std::uint32_t rank = 0; rank < seating.by_rank.size(); ++rank)
            now.before.seats.emplace(seating.by_rank[rank], Slot{rank});
        Serial serial(now);
        serial.agreed = seating.by_rank.size();
        for (const auto& [node, operation, action] : round.steps)
            ASSERT_EQ(word(serial.step(node, operation)), name_of(action))
                << text_of(node) << " " << name_of(operation);
        ASSERT_EQ(serial.seen(), round.state);
        ASSERT_EQ(round.state.complete, round.waits.empty());
        if (!round.state.complete) continue;
        ASSERT_EQ(world_of(round.state), seating.by_rank);
        ASSERT_EQ(round.state.closed, seating.then_close);
        ++complete;
        closed += round.state.closed;
    }
    if (core::testing::seeds(2).size() < 2) return;
    EXPECT_GT(complete, 500U);
    EXPECT_GT(closed, 100U);
}

TEST(RendezvousBatch, EqualsAnyOrderInWhichAllLeaveFirstAndThoseInsideComeFirst) {
    for (const auto seed : core::testing::seeds(3000)) {
        SCOPED_TRACE(core::testing::replay(seed));
        core::testing::Dice dice(seed);
        const auto now = situation(dice);
        const auto round = batch_round(now.before, now.agreed, now.settings, at(kNow));
        std::vector<Node> all = now.agreed, inside, outside;
        for (const auto& [node, standing] : round.members)
            (standing == Standing::participant ? inside : outside).push_back(node);
        for (auto* list : {&all, &inside, &outside}) shuffle(*list, dice);
        Serial serial(now);
        for (const auto& node : all) serial.until_it_rests(node, Operation::exit);
        for (const auto& node : inside) serial.until_it_rests(node, Operation::join);
        for (const auto& node : outside) serial.until_it_rests(node, Operation::join);
        for (const auto& node : inside) serial.until_it_rests(node, Operation::join);
        ASSERT_EQ(serial.seen(), round.state);
    }
}

/// Members that run exit and join each at its own pace, with changes that are lost to others.
State at_any_pace(const Situation& now, core::testing::Dice& dice) {
    Serial serial(now);
    // Whoever is in an incomplete round is in the middle of its join.
    std::vector<Operation> doing(now.agreed.size(), now.before.complete ? Operation::exit : Operation::join);
    for (std::size_t i = 0; i < 60 * now.agreed.size(); ++i) {
        const auto who = dice.below(now.agreed.size());
        const auto& node = now.agreed[who];
        const auto one =
            iterate(serial.job.holder(node.pid - 100), {node, now.settings, at(kNow)}, {doing[who], {}, serial.agreed});
        if (one.action == Action::finish) doing[who] = Operation::join;
    }
    return serial.seen();
}

TEST(RendezvousBatch, WhereThereIsAPlaceForAllEveryOrderComesToTheSame) {
    std::size_t tried = 0;
    for (const auto seed : core::testing::seeds(300)) {
        SCOPED_TRACE(core::testing::replay(seed));
        core::testing::Dice dice(seed);
        auto now = situation(dice);
        now.settings.replace_dead_participants = false;  // A death would complete the next round before all have left.
        if (now.agreed.empty()) continue;
        ++tried;
        const auto round = batch_round(now.before, now.agreed, now.settings, at(kNow));
        auto state = at_any_pace(now, dice);
        ASSERT_EQ(phase(state), phase(round.state));
        ASSERT_EQ(state.participants.size(), round.state.participants.size());
        ASSERT_EQ(state.last_heartbeats.size(), now.agreed.size());
        if (std::cmp_greater(now.agreed.size(), now.settings.max_nodes)) continue;
        state.last_heartbeats = round.state.last_heartbeats;  // Whoever was joining already has not said so again.
        ASSERT_EQ(state, round.state);
    }
    EXPECT_GT(tried, 0U);
}

TEST(RendezvousBatch, NoRoundIsSkippedOrRepeatedOverHundredRounds) {
    for (const auto seed : core::testing::seeds(50)) {
        SCOPED_TRACE(core::testing::replay(seed));
        core::testing::Dice dice(seed);
        const auto settings = in_job("job", 2, 8);
        State state;
        for (std::uint32_t round = 0; round < 100;) {
            std::vector<Node> agreed;
            for (int i = 0; i < 12; ++i)
                if (!dice.one_in(3)) agreed.push_back(n(i));
            state = batch_round(state, agreed, settings, at(kNow + round)).state;
            ASSERT_EQ(state.round, Round{round});
            ASSERT_EQ(state.complete, agreed.size() >= 2);
            ASSERT_EQ(state.participants.size(), std::min<std::size_t>(agreed.size(), 8));
            if (state.complete) {
                ASSERT_EQ(world_of(state).size(), state.participants.size());
                ++round;
            }
        }
    }
}

}  // namespace
}  // namespace muster::core::rendezvous::testing
