// SPDX-License-Identifier: Apache-2.0
#include "core/rendezvous_decide.hpp"

#include <gtest/gtest.h>

#include "rendezvous_support.hpp"

namespace muster::core::rendezvous::testing {
namespace {

constexpr double kNow = 100;

/// n0 .. n(participants-1), all heard of just now.
State with(std::int64_t participants, bool complete) {
    State state{.complete = complete};
    for (std::int64_t i = 0; i < participants; ++i) {
        state.participants[n(i)] = Slot{complete ? static_cast<std::uint32_t>(i) : 0};
        state.last_heartbeats[n(i)] = at(kNow);
    }
    return state;
}

State waiting(State state, std::int64_t number, bool redundant = false) {
    (redundant ? state.redundancy_list : state.wait_list).insert(n(number));
    state.last_heartbeats[n(number)] = at(kNow);
    return state;
}

/// One node's question about one state; min 2, max 3, now 100, deadline 200 where nothing else is said.
struct Ask {
    State state;
    std::int64_t who = 0;
    double now = kNow;
    std::optional<double> deadline = 200;
    Settings settings = settings_of(2, 3);
    std::size_t agreed = 0;

    [[nodiscard]] std::string operator()(Operation operation) const {
        const Node node = n(who);
        std::optional<Time> until;
        if (deadline) until = at(*deadline);
        const auto answer = decide(operation, {node, state, settings, at(now), until, agreed});
        if (const auto* failure = std::get_if<Failure>(&answer)) return name_of(failure->kind) + (": " + failure->text);
        return name_of(std::get<Action>(answer));
    }
    [[nodiscard]] std::string join() const { return (*this)(Operation::join); }
};

TEST(RendezvousDecide, T11_ActionsHaveTheSourcesNumbersAndNames) {
    const char* names[] = {"KEEP_ALIVE",
                           "ADD_TO_PARTICIPANTS",
                           "ADD_TO_WAIT_LIST",
                           "ADD_TO_REDUNDANCY_LIST",
                           "REMOVE_FROM_PARTICIPANTS",
                           "REMOVE_FROM_WAIT_LIST",
                           "REMOVE_FROM_REDUNDANCY_LIST",
                           "MARK_RENDEZVOUS_COMPLETE",
                           "MARK_RENDEZVOUS_CLOSED",
                           "SYNC",
                           "ERROR_CLOSED",
                           "ERROR_TIMEOUT",
                           "FINISH"};
    for (std::uint8_t i = 1; i <= kActions; ++i) EXPECT_STREQ(name_of(static_cast<Action>(i)), names[i - 1]);
    EXPECT_EQ(static_cast<int>(Action::keep_alive), 1);
    EXPECT_EQ(static_cast<int>(Action::mark_rendezvous_complete), 8);
    EXPECT_EQ(static_cast<int>(Action::finish), 13);
}

TEST(RendezvousDecide, T17_Exit) {
    EXPECT_EQ((Ask{.state = with(1, false)}(Operation::exit)), "REMOVE_FROM_PARTICIPANTS");
    EXPECT_EQ((Ask{.state = with(1, true)}(Operation::exit)), "REMOVE_FROM_PARTICIPANTS");
    EXPECT_EQ((Ask{.state = with(1, true), .who = 5}(Operation::exit)), "FINISH");
    EXPECT_EQ((Ask{.state = waiting(with(1, true), 5), .who = 5}(Operation::exit)), "FINISH");
    EXPECT_EQ((Ask{.state = with(1, true), .deadline = kNow}(Operation::exit)), "REMOVE_FROM_PARTICIPANTS");
    EXPECT_EQ((Ask{.state = with(1, true), .deadline = 99.9}(Operation::exit)), "ERROR_TIMEOUT");
    EXPECT_EQ((Ask{.state = with(1, true), .who = 5, .deadline = 99.9}(Operation::exit)), "FINISH");
}

TEST(RendezvousDecide, T18_ClosedComesBeforeEverything) {
    auto closed = waiting(waiting(with(3, true), 4), 5, true);
    closed.closed = true;
    for (const double deadline : {200.0, 50.0}) {
        EXPECT_EQ((Ask{.state = closed, .who = 0, .deadline = deadline}.join()), "ERROR_CLOSED");
        EXPECT_EQ((Ask{.state = closed, .who = 4, .deadline = deadline}.join()), "ERROR_CLOSED");
        EXPECT_EQ((Ask{.state = closed, .who = 7, .deadline = deadline}.join()), "ERROR_CLOSED");
        EXPECT_EQ((Ask{.state = closed, .who = 5, .deadline = deadline}.join()),
                  "RendezvousGracefulExitError: The rendezvous 'job' is closed, terminating pending rendezvous.");
    }
}

TEST(RendezvousDecide, T19_ARedundantNodeNeverTimesOut) {
    auto full = waiting(with(3, true), 5, true);
    EXPECT_EQ((Ask{.state = full, .who = 5, .deadline = 0}.join()), "SYNC");
    full.last_heartbeats[n(5)] = at(95);
    EXPECT_EQ((Ask{.state = full, .who = 5, .deadline = 0}.join()), "KEEP_ALIVE");
    for (const bool complete : {false, true})
        EXPECT_EQ((Ask{.state = waiting(with(2, complete), 5, true), .who = 5, .deadline = 0}.join()),
                  "REMOVE_FROM_REDUNDANCY_LIST");
}

TEST(RendezvousDecide, T20_InACompleteRoundItIsDoneAlsoAfterTheDeadline) {
    EXPECT_EQ((Ask{.state = with(2, true)}.join()), "FINISH");
    EXPECT_EQ((Ask{.state = with(2, true), .deadline = 0}.join()), "FINISH");
}

TEST(RendezvousDecide, T21_PastTheDeadline) {
    const auto state = waiting(with(1, false), 4);
    const auto full = waiting(with(3, true), 4);
    EXPECT_EQ((Ask{.state = state, .who = 0, .deadline = kNow}.join()), "SYNC");  // Not past it.
    for (const double deadline : {99.999999, 95.0}) {
        EXPECT_EQ((Ask{.state = state, .who = 0, .deadline = deadline}.join()), "REMOVE_FROM_PARTICIPANTS");
        EXPECT_EQ((Ask{.state = full, .who = 4, .deadline = deadline}.join()), "REMOVE_FROM_WAIT_LIST");
        EXPECT_EQ((Ask{.state = state, .who = 7, .deadline = deadline}.join()), "ERROR_TIMEOUT");
    }
    EXPECT_EQ((Ask{.state = state, .who = 0, .deadline = 94.999999}.join()), "ERROR_TIMEOUT");
    EXPECT_EQ((Ask{.state = full, .who = 4, .deadline = 94.999999}.join()), "ERROR_TIMEOUT");
}

TEST(RendezvousDecide, T22_ACompleteRoundWithoutUs) {
    EXPECT_EQ((Ask{.state = with(2, true), .who = 5}.join()), "ADD_TO_WAIT_LIST");
    EXPECT_EQ((Ask{.state = waiting(with(2, true), 5), .who = 5}.join()), "SYNC");  // Once.
    EXPECT_EQ((Ask{.state = with(3, true), .who = 5}.join()), "ADD_TO_REDUNDANCY_LIST");
    EXPECT_EQ((Ask{.state = waiting(with(3, true), 5), .who = 5}.join()), "SYNC");
    EXPECT_EQ((Ask{.state = waiting(with(3, true), 5, true), .who = 5}.join()), "SYNC");
    EXPECT_EQ((Ask{.state = with(4, true), .who = 5}.join()), "ADD_TO_REDUNDANCY_LIST");
}

TEST(RendezvousDecide, T23_TheLastCallIsOver) {
    auto state = with(2, false);
    EXPECT_EQ((Ask{.state = state}.join()), "SYNC");  // No deadline: no error.
    state.deadline = at(99.999999);
    EXPECT_EQ((Ask{.state = state}.join()), "MARK_RENDEZVOUS_COMPLETE");
    state.deadline = at(kNow);
    EXPECT_EQ((Ask{.state = state}.join()), "SYNC");
    state.deadline = at(101);
    EXPECT_EQ((Ask{.state = state}.join()), "SYNC");
    auto few = with(1, false);
    few.deadline = at(1);
    EXPECT_EQ((Ask{.state = few}.join()), "SYNC");
    auto many = with(4, false);
    many.deadline = at(1);
    EXPECT_EQ((Ask{.state = many}.join()), "SYNC");
}

TEST(RendezvousDecide, T23_WhenAllWhoLiveAreHereNobodyIsWaitedFor) {
    Ask ask{.state = with(2, false), .agreed = 2};
    EXPECT_EQ(ask.join(), "SYNC");  // Only where it is set.
    ask.settings.complete_when_all_present = true;
    EXPECT_EQ(ask.join(), "MARK_RENDEZVOUS_COMPLETE");
    ask.agreed = 3;
    EXPECT_EQ(ask.join(), "SYNC");
    ask.agreed = 0;
    EXPECT_EQ(ask.join(), "SYNC");  // Not known.
    ask.agreed = 1;
    ask.state = with(1, false);
    EXPECT_EQ(ask.join(), "SYNC");  // Fewer than min.
}

TEST(RendezvousDecide, T24_AnIncompleteRoundWithoutUs) {
    EXPECT_EQ((Ask{.state = with(0, false), .who = 5}.join()), "ADD_TO_PARTICIPANTS");
    EXPECT_EQ((Ask{.state = waiting(with(1, false), 5), .who = 5}.join()), "ADD_TO_PARTICIPANTS");
}

TEST(RendezvousDecide, T25_OtherwiseAHeartbeatWhenItIsDue) {
    auto state = waiting(with(1, true), 4);
    for (const std::int64_t who : {0, 4}) {
        auto& heard = state.last_heartbeats[n(who)];
        state.complete = who == 4;
        heard = at(95);
        EXPECT_EQ((Ask{.state = state, .who = who}.join()), "KEEP_ALIVE");
        heard = at(95.000001);
        EXPECT_EQ((Ask{.state = state, .who = who}.join()), "SYNC");
        state.last_heartbeats.erase(n(who));
        EXPECT_EQ((Ask{.state = state, .who = who}.join()), "SYNC");
    }
}

TEST(RendezvousDecide, T26_Close) {
    auto state = with(2, true);
    EXPECT_EQ((Ask{.state = state, .who = 9}(Operation::close)), "MARK_RENDEZVOUS_CLOSED");
    EXPECT_EQ((Ask{.state = state, .deadline = kNow}(Operation::close)), "MARK_RENDEZVOUS_CLOSED");
    EXPECT_EQ((Ask{.state = state, .deadline = 99}(Operation::close)), "ERROR_TIMEOUT");
    state.closed = true;
    EXPECT_EQ((Ask{.state = state, .deadline = 99}(Operation::close)), "FINISH");
}

TEST(RendezvousDecide, T26_KeepAlive) {
    auto state = with(2, true);
    EXPECT_EQ((Ask{.state = state}(Operation::keep_alive)), "FINISH");
    EXPECT_EQ((Ask{.state = state, .who = 9, .deadline = 0}(Operation::keep_alive)), "FINISH");
    state.last_heartbeats[n(0)] = at(95);
    EXPECT_EQ((Ask{.state = state}(Operation::keep_alive)), "KEEP_ALIVE");
    EXPECT_EQ((Ask{.state = state, .deadline = kNow}(Operation::keep_alive)), "KEEP_ALIVE");
    EXPECT_EQ((Ask{.state = state, .deadline = 99}(Operation::keep_alive)), "ERROR_TIMEOUT");
}

TEST(RendezvousDecide, WithoutADeadlineThereIsAllTheTimeThereIs) {
    EXPECT_EQ((Ask{.state = with(1, false), .now = 1e9, .deadline = std::nullopt}.join()), "KEEP_ALIVE");
}

}  // namespace
}  // namespace muster::core::rendezvous::testing
