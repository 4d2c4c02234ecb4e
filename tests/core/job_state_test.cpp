// SPDX-License-Identifier: Apache-2.0
/// All that outlives a coordinator, as one fold: what its entries are, and that nonsense changes nothing.
#include "core/job_state.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace muster::core {
namespace {

using controller::GoalId;

Bytes created(const std::string& tag, std::uint64_t goal) {
    controller::Backend backend;
    backend.wanted = 0;
    return controller::encode(controller::Event{controller::event::BackendSet{tag, backend, GoalId{goal}}});
}

Bytes called(std::uint32_t rank, std::uint64_t id, std::uint64_t settled, std::uint64_t goal) {
    return JobState::entry({CallBook::Call{Rank{rank}, CallId{id}, CallId{settled}, GoalId{goal}},
                            {created("b" + std::to_string(goal), goal)}});
}

JobState sample() {
    JobState state;
    using Version = Registry::Version;
    const Registry::Change change{Rank{2}, CallId{3}, CallId{3}, "a", Version{RegistryToken{7}, {std::byte{1}}}};
    EXPECT_TRUE(state.apply(JobState::entry(change)));
    EXPECT_TRUE(state.apply(called(5, 1, 1, 1)));
    EXPECT_TRUE(state.apply(called(5, 2, 1, 2)));
    EXPECT_TRUE(state.apply(JobState::entry(Counters{77, 3, State::paused})));
    return state;
}

TEST(JobState, R1_AStepAndTheCallItCameOfAreOneEntry) {
    const JobState state = sample();
    EXPECT_EQ(state.calls().find(Rank{5}, CallId{2})->goal, GoalId{2});
    EXPECT_EQ(state.calls().find(Rank{5}, CallId{3}), std::nullopt);
    EXPECT_EQ(state.calls().find(Rank{6}, CallId{2}), std::nullopt);
    EXPECT_EQ(state.controller().state().backends.size(), 2u);
    EXPECT_NE(state.registry().find("a"), nullptr);
    EXPECT_EQ(state.counters(), (Counters{77, 3, State::paused}));
}

TEST(JobState, WhatIsSettledIsForgotten) {
    JobState state = sample();
    EXPECT_EQ(state.calls().unsettled(Rank{5}, CallId{1}), 2u);
    ASSERT_TRUE(state.apply(called(5, 4, 2, 3)));
    EXPECT_EQ(state.calls().find(Rank{5}, CallId{1}), std::nullopt);
    EXPECT_EQ(state.calls().find(Rank{5}, CallId{2})->goal, GoalId{2});
    EXPECT_EQ(state.calls().settled(Rank{5}), CallId{2});
}

TEST(JobState, AnEntryWithOneEventThatIsNoneChangesNothing) {
    JobState state = sample();
    const auto before = state.snapshot();
    EXPECT_FALSE(state.apply(JobState::entry({std::nullopt, {created("x", 9), Bytes{std::byte{200}}}})));
    EXPECT_EQ(state.snapshot(), before);
}

TEST(JobState, ASnapshotIsTheWholeOfIt) {
    const JobState state = sample();
    JobState copy;
    ASSERT_TRUE(copy.load(state.snapshot()));
    EXPECT_EQ(copy.snapshot(), state.snapshot());
    EXPECT_EQ(copy.controller().state(), state.controller().state());
    EXPECT_EQ(copy.calls().find(Rank{5}, CallId{1}), state.calls().find(Rank{5}, CallId{1}));
    EXPECT_EQ(copy.counters(), state.counters());
}

TEST(JobState, NonsenseIsRefusedAndChangesNothing) {
    JobState state = sample();
    const auto before = state.snapshot();
    testing::Dice dice(5);
    const std::vector<Bytes> whole{called(5, 6, 1, 6), JobState::entry(Counters{1, 1, State::running}), before};
    for (const auto& bytes : whole)
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            const std::span<const std::byte> cut(bytes.data(), size);
            EXPECT_FALSE(state.apply(cut)) << size;
            EXPECT_FALSE(state.load(cut)) << size;
        }
    EXPECT_FALSE(state.apply(before));
    EXPECT_FALSE(state.load(whole[0]));
    auto transient = JobState::entry(Counters{1, 1, State::running});
    transient.back() = static_cast<std::byte>(State::pausing);
    EXPECT_FALSE(state.apply(transient));
    EXPECT_EQ(state.snapshot(), before);
}

TEST(JobState, CallersOfAnEarlierLaunchAreForgottenAndNothingElse) {
    JobState state = sample();
    state.forget_callers();
    EXPECT_EQ(state.calls().find(Rank{5}, CallId{1}), std::nullopt);
    EXPECT_FALSE(state.registry().was_done(Rank{2}, CallId{3}));
    EXPECT_NE(state.registry().find("a"), nullptr);
    EXPECT_EQ(state.controller().state(), sample().controller().state());
    EXPECT_EQ(state.counters(), sample().counters());
}

TEST(JobState, AnEntryCanBeReadByPeople) {
    EXPECT_EQ(describe_entry(JobState::entry(Counters{77, 3, State::paused})),
              "waves below 77, 3 signals, wanted PAUSED");
    EXPECT_EQ(describe_entry(called(5, 2, 1, 1)), "backend b1 set: version 1, wanted 0, goal g1 (call 2 of rank 5)");
    EXPECT_EQ(describe_entry(JobState::entry(Registry::Change{Rank{2}, CallId{3}, CallId{3}, "a", std::nullopt})),
              "'a' erased (call 3 of rank 2)");
    EXPECT_EQ(describe_entry(Bytes{std::byte{9}}), std::nullopt);
}

}  // namespace
}  // namespace muster::core
