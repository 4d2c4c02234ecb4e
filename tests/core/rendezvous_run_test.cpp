// SPDX-License-Identifier: Apache-2.0
#include "core/rendezvous_run.hpp"

#include <gtest/gtest.h>

#include "rendezvous_support.hpp"
#include "support.hpp"

namespace muster::core::rendezvous::testing {
namespace {

constexpr auto kJoin = Operation::join;

TEST(RendezvousRun, T12_AChangeIsWrittenByTheNextIteration) {
    Job job(settings_of(2, 3));
    auto step = job.step(0, kJoin, 0);
    EXPECT_EQ(word(step), "ADD_TO_PARTICIPANTS");
    EXPECT_EQ(step.synced, std::nullopt);
    EXPECT_EQ(lists(job.stored()), "| |");
    step = job.step(0, kJoin, 0);
    EXPECT_EQ(word(step), "SYNC");
    EXPECT_EQ(step.synced, true);
    EXPECT_EQ(step.sleep, seconds(1));
    EXPECT_EQ(lists(job.stored()), "n0=0 | |");
    EXPECT_EQ(job.step(0, kJoin, 1).synced, std::nullopt);  // Looking is no change.
}

TEST(RendezvousRun, T12_WhoIsLateAdoptsAndTriesAgain) {
    Job job(settings_of(2, 3));
    EXPECT_EQ(word(job.step(0, kJoin, 0)), "ADD_TO_PARTICIPANTS");
    EXPECT_EQ(word(job.step(1, kJoin, 0)), "ADD_TO_PARTICIPANTS");
    EXPECT_EQ(word(job.step(0, kJoin, 0)), "SYNC");
    const auto step = job.step(1, kJoin, 0);
    EXPECT_EQ(step.synced, false);
    EXPECT_EQ(word(step), "ADD_TO_PARTICIPANTS");
    EXPECT_EQ(lists(job.holder(1).state()), "n0=0 n1=0 | |");
    EXPECT_EQ(job.step(1, kJoin, 0).synced, true);
}

TEST(RendezvousRun, T12_FinishAndErrorsEnd) {
    Job job(settings_of(1, 1));
    EXPECT_EQ(word(job.step(0, kJoin, 0)), "ADD_TO_PARTICIPANTS");
    auto step = job.step(0, kJoin, 0);
    EXPECT_EQ(word(step), "FINISH");
    EXPECT_TRUE(step.is_over());
    EXPECT_FALSE(step.failure);
    job.run(0, Operation::close, 0);
    step = job.step(1, kJoin, 0);
    EXPECT_EQ(word(step), "ERROR_CLOSED");
    EXPECT_EQ(step.failure->kind, Failure::closed);
    EXPECT_EQ(step.failure->text, "");
    step = job.step(0, Operation::exit, 9, 8);
    EXPECT_EQ(word(step), "ERROR_TIMEOUT");
    EXPECT_EQ(step.failure->kind, Failure::timed_out);
    EXPECT_STREQ(name_of(step.failure->kind), "RendezvousTimeoutError");
    EXPECT_EQ(job.step(0, Operation::keep_alive, 9).synced, std::nullopt);  // None of these was a change.
}

TEST(RendezvousRun, T13_TheLastCallBeginsWithMinAndIsNotMoved) {
    Job job(settings_of(2, 4));
    job.join(0, 10);
    EXPECT_EQ(job.stored().deadline, std::nullopt);
    job.join(1, 11);
    EXPECT_EQ(job.stored().deadline, seconds(15));
    job.join(2, 12);
    EXPECT_EQ(job.stored().deadline, seconds(15));
    EXPECT_EQ(job.stored().last_heartbeats.at(n(2)), seconds(12));
    EXPECT_EQ(lists(job.stored()), "n0=0 n1=0 n2=0 | |");
    EXPECT_EQ(job.join(1, 15), "SYNC");
    EXPECT_EQ(job.join(1, 15.000001), "FINISH");
    EXPECT_EQ(lists(job.stored()), "n0=0 n1=1 n2=2 | |");
}

TEST(RendezvousRun, T13_WithMaxItIsCompleteAtOnce) {
    Job job(settings_of(1, 2));
    job.join(1, 0);
    EXPECT_EQ(job.join(0, 0), "FINISH");
    EXPECT_EQ(phase(job.stored()), "round 0 complete");
    EXPECT_EQ(job.stored().deadline, std::nullopt);
    EXPECT_EQ(lists(job.stored()), "n0=0 n1=1 | |");  // T14: by descriptor, not by arrival.
}

TEST(RendezvousRun, T15_TheListsAndTheirHeartbeats) {
    const auto settings = settings_of(1, 2);
    State state{.redundancy_list = {n(0)}};
    const Node me = n(0);
    const auto change = [&](Action action, double now) { apply(action, {me, settings, at(now)}, state, nullptr); };
    change(Action::add_to_wait_list, 1);
    EXPECT_EQ(lists(state), "| n0 |");
    EXPECT_EQ(state.last_heartbeats.at(me), seconds(1));
    change(Action::remove_from_wait_list, 2);
    EXPECT_EQ(state, State{});
    change(Action::add_to_redundancy_list, 3);
    EXPECT_EQ(lists(state), "| | n0");
    EXPECT_EQ(state.last_heartbeats.at(me), seconds(3));
    change(Action::keep_alive, 4);
    EXPECT_EQ(state.last_heartbeats.at(me), seconds(4));
    change(Action::remove_from_redundancy_list, 5);
    EXPECT_EQ(state, State{});
    change(Action::add_to_wait_list, 6);
    change(Action::add_to_participants, 7);
    EXPECT_EQ(lists(state), "n0=0 | |");
    EXPECT_EQ(state.last_heartbeats.at(me), seconds(7));
    change(Action::remove_from_participants, 8);
    EXPECT_EQ(state, State{});  // T10: with min 1 the last call is over, too.
}

TEST(RendezvousRun, T16_WhoLeavesTheRedundancyListHasTheWholeJoinTimeAgain) {
    Job job(settings_of(1, 2));
    complete_round(job, 2, 0);
    EXPECT_EQ(job.join(5, 1), "SYNC");
    EXPECT_EQ(lists(job.stored()), "n0=0 n1=1 | | n5");
    job.run(1, Operation::exit, 2);
    rendezvous::Run run({kJoin, at(1)});
    const Node node = n(5);
    const auto step = run.step(job.holder(5), {node, job.settings, at(3)});
    EXPECT_EQ(word(step), "REMOVE_FROM_REDUNDANCY_LIST");
    EXPECT_EQ(step.new_deadline, seconds(603));
    EXPECT_EQ(run.task().deadline, seconds(603));
    EXPECT_EQ(word(run.step(job.holder(5), {node, job.settings, at(3)})), "ADD_TO_WAIT_LIST");
}

TEST(RendezvousRun, T21_WhoGivesUpTakesItselfOffTheList) {
    Job job(settings_of(2, 3));
    EXPECT_EQ(job.run(0, kJoin, 0, 10), "SYNC");
    EXPECT_EQ(word(job.step(0, kJoin, 10.5, 10)), "REMOVE_FROM_PARTICIPANTS");
    EXPECT_EQ(word(job.step(0, kJoin, 10.5, 10)), "ERROR_TIMEOUT");
    EXPECT_EQ(lists(job.stored()), "| |");
}

TEST(RendezvousRun, T29_ANewRoundComesWhenAllHaveLeft) {
    Job job(as_the_source(settings_of(2, 3)));
    complete_round(job, 3, 0);
    EXPECT_EQ(job.join(5, 1), "SYNC");  // Redundant.
    job.run(0, Operation::exit, 2);
    EXPECT_EQ(job.join(6, 2), "SYNC");  // There is a place: waits for the next round.
    job.run(1, Operation::exit, 2);
    EXPECT_EQ(phase(job.stored()), "round 0 complete");
    job.run(2, Operation::exit, 2);
    EXPECT_EQ(phase(job.stored()), "round 1");
    EXPECT_EQ(lists(job.stored()), "| n6 | n5");
    for (const int who : {5, 0, 6}) job.join(who, 3);
    EXPECT_EQ(phase(job.stored()), "round 1 complete");
    EXPECT_EQ(lists(job.stored()), "n0=0 n5=1 n6=2 | |");
}

TEST(RendezvousRun, T29_OrWhenAllOthersHaveDied) {
    Job job(as_the_source(settings_of(2, 2)));
    complete_round(job, 2, 0);
    EXPECT_EQ(job.run(0, Operation::keep_alive, 10), "FINISH");
    EXPECT_EQ(job.run(0, Operation::keep_alive, 20), "FINISH");
    EXPECT_EQ(lists(job.stored()), "n0=0 | |");
    EXPECT_EQ(phase(job.stored()), "round 0 complete");
    job.run(0, Operation::exit, 21);
    EXPECT_EQ(phase(job.stored()), "round 1");
}

TEST(RendezvousRun, ADeadParticipantIsReplaced) {
    Job job(settings_of(2, 2));
    complete_round(job, 2, 0);
    EXPECT_EQ(job.join(5, 0), "SYNC");  // A standby.
    for (const double now : {8, 16}) job.run(0, Operation::keep_alive, now);
    EXPECT_EQ(lists(job.stored()), "n0=0 | |");  // The first heartbeat after the death writes it down.
    EXPECT_EQ(phase(job.stored()), "round 1");
    EXPECT_EQ(job.join(5, 17), "FINISH");
    EXPECT_EQ(phase(job.stored()), "round 1 complete");
    EXPECT_EQ(lists(job.stored()), "n0=0 n5=1 | |");
}

TEST(RendezvousRun, T35_EachStepIsWrittenDown) {
    Job job(settings_of(1, 2));
    std::vector<std::string> told;
    const auto tell = [&](std::int64_t who, Operation operation, double now) {
        for (const auto& event : job.step(who, operation, now).events) {
            EXPECT_EQ(event.run_id, "job");
            told.push_back(event.name + " " + name_of(event.outlook) + ": " + event.message);
        }
    };
    tell(0, kJoin, 0);
    tell(1, kJoin, 0);
    tell(0, kJoin, 0);
    tell(1, kJoin, 0);
    tell(1, kJoin, 0);
    tell(2, kJoin, 0);
    tell(2, Operation::close, 0);
    const std::vector<std::string> expected = {
        "executor.add_to_participants RUNNING: The node 'n0_100_0' added itself to the participants of round 0 of the "
        "rendezvous 'job'. Pending sync.",
        "executor.keep_alive RUNNING: The node 'n0_100_0' updated its keep-alive heartbeat time for the rendezvous "
        "'job'. Pending sync.",
        "executor.add_to_participants RUNNING: The node 'n1_101_0' added itself to the participants of round 0 of the "
        "rendezvous 'job'. Pending sync.",
        "executor.keep_alive RUNNING: The node 'n1_101_0' updated its keep-alive heartbeat time for the rendezvous "
        "'job'. Pending sync.",
        "executor.run RUNNING: The node 'n0_100_0' has successfully synced its local changes with other nodes in the "
        "rendezvous 'job'.",
        "executor.run RUNNING: The node 'n1_101_0' has a stale state and failed to sync its local changes with other "
        "nodes in the rendezvous 'job'.",
        "executor.add_to_participants RUNNING: The node 'n1_101_0' added itself to the participants of round 0 of the "
        "rendezvous 'job'. Pending sync.",
        "executor.keep_alive RUNNING: The node 'n1_101_0' updated its keep-alive heartbeat time for the rendezvous "
        "'job'. Pending sync.",
        "executor.mark_rendezvous_complete SUCCEEDED: The node 'n1_101_0' marked round 0 of the rendezvous 'job' as "
        "complete. Pending sync.",
        "executor.run RUNNING: The node 'n1_101_0' has successfully synced its local changes with other nodes in the "
        "rendezvous 'job'.",
        "executor.add_to_redundancy_list RUNNING: The node 'n2_102_0' added itself to the redundancy list of round 1 "
        "of "
        "the rendezvous 'job'. Pending sync.",
        "executor.keep_alive RUNNING: The node 'n2_102_0' updated its keep-alive heartbeat time for the rendezvous "
        "'job'. Pending sync.",
        "executor.run RUNNING: The node 'n2_102_0' has successfully synced its local changes with other nodes in the "
        "rendezvous 'job'.",
        "executor.mark_rendezvous_closed SUCCEEDED: The node 'n2_102_0' marked the rendezvous 'job' as closed. Pending "
        "sync."};
    EXPECT_EQ(told, expected);
}

TEST(RendezvousRun, T35_WhoLeavesAndWhoIsRemovedIsWrittenDown) {
    const auto settings = settings_of(1, 2);
    const Node me = n(0);
    State state{.round = Round{2}, .wait_list = {me}, .redundancy_list = {me}};
    Events events;
    for (const auto action : {Action::add_to_wait_list, Action::remove_from_wait_list,
                              Action::remove_from_redundancy_list, Action::remove_from_participants})
        apply(action, {me, settings, at(0)}, state, &events);
    EXPECT_EQ(events.at(0).message,
              "The node 'n0_100_0' added itself to the wait list of round 3 of the rendezvous 'job'. Pending sync.");
    EXPECT_EQ(
        events.at(2).message,
        "The node 'n0_100_0' removed itself from the wait list of round 3 of the rendezvous 'job'. Pending sync.");
    EXPECT_EQ(events.at(3).message,
              "The node 'n0_100_0' removed itself from the redundant list of round 3 of the rendezvous 'job'. Pending "
              "sync.");
    EXPECT_EQ(events.at(4).message,
              "The node 'n0_100_0' removed itself from the participants of round 2 of the rendezvous 'job'. Pending "
              "sync.");

    Job job(settings_of(2, 4));
    for (const int who : {0, 1, 2}) job.join(who, 0);
    EXPECT_EQ(word(job.step(3, kJoin, 16)), "ADD_TO_PARTICIPANTS");
    const auto removed = job.step(3, kJoin, 16).events.at(0);
    EXPECT_EQ(removed.node, std::nullopt);
    EXPECT_EQ(removed.message,
              "As part of the sync operation the node(s) 'n0_100_0', 'n1_101_0', 'n2_102_0' have been removed from the "
              "rendezvous 'job' since they had no heartbeat.");
}

/// Nodes that join, leave, beat, fall silent and come back in any order; what holds for all of them at any time.
TEST(RendezvousRun, AnyOrderOfStepsKeepsTheListsApart) {
    for (const auto seed : core::testing::seeds(400)) {
        SCOPED_TRACE(core::testing::replay(seed));
        core::testing::Dice dice(seed);
        auto settings = settings_of(dice.between(1, 3), dice.between(3, 5));
        settings.replace_dead_participants = dice.one_in(2);
        settings.slot_order = dice.one_in(2) ? SlotOrder::stable : SlotOrder::sorted;
        Job job(settings);
        double now = 0;
        Round last;
        for (int i = 0; i < 300; ++i) {
            now += dice.one_in(4) ? 2.5 : 0;
            const auto operation =
                static_cast<Operation>(dice.one_in(100) ? 2 : std::array{1, 1, 1, 0, 3}[dice.below(5)]);
            job.step(dice.below(8), operation, now, now + 60.0);
            const auto state = job.stored();  // Whatever was written can be read, which says that the lists are apart.
            ASSERT_GE(state.round, last);
            last = state.round;
            std::size_t listed = state.participants.size() + state.wait_list.size() + state.redundancy_list.size();
            ASSERT_EQ(state.last_heartbeats.size(), listed);
            ASSERT_LE(state.participants.size(), static_cast<std::size_t>(settings.max_nodes));
            if (state.complete) {
                ASSERT_EQ(state.deadline, std::nullopt);
            }
        }
    }
}

}  // namespace
}  // namespace muster::core::rendezvous::testing
