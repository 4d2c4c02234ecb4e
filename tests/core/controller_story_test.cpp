// SPDX-License-Identifier: Apache-2.0
/// Random lives: two clients call, wait and listen while coordinators die, alone or together with their followers, at
/// any point. At the end every call that returned ok is there, each was done once, each was answered once.
#include <gtest/gtest.h>

#include <algorithm>

#include "controller_job.hpp"

namespace muster::core {
namespace {

using namespace controller;
using testing::ControllerJob;

/// A client with backends of its own, one call at a time, and a listener beside it.
struct Caller {
    std::uint32_t rank = 0;
    std::map<std::string, std::int64_t> expected;  ///< Replicas of each backend, as of the last ok.
    std::optional<CallId> open, listens;
    std::string tag;
    std::optional<std::int64_t> wanted;  ///< Nothing: deleted.
    SnapshotId seen = kNeverSeen;
    std::uint64_t goals = 0, oks = 0, heard = 0;
    std::set<GoalId> mine;
};

struct Story {
    explicit Story(std::uint64_t seed) : job({.engines = 7, .standbys = 3, .clients = 2, .seed = seed}) {
        for (std::uint32_t i = 0; i < 2; ++i) {
            callers.emplace_back();
            callers.back().rank = job.client(i);
        }
        EXPECT_TRUE(job.now<CallDone>(callers[0].rank, made("always", 1)));
        ++goals_before;
    }
    static Call made(const std::string& tag, std::int64_t replicas) {
        BackendConfig config;
        config.num_replicas = replicas;
        return Command{CreateBackend{tag, config, "null"}};
    }
    void ask(Caller& caller) {
        caller.tag = "b" + std::to_string(caller.rank) + "." + std::to_string(job.dice().below(3));
        const std::int64_t replicas = job.dice().below(4);
        const bool there = caller.expected.contains(caller.tag);
        Call call = made(caller.tag, replicas);
        caller.wanted = replicas;
        if (there && job.dice().one_in(2)) {
            BackendConfigUpdate update;
            update.num_replicas = replicas;
            call = Command{UpdateBackendConfig{caller.tag, update}};
        } else if (there && job.dice().one_in(3)) {
            call = Command{DeleteBackend{caller.tag, job.dice().one_in(2)}};
            caller.wanted = std::nullopt;
        }
        caller.open = job.call(caller.rank, call);
    }
    void listen(Caller& caller) {
        caller.listens = job.call(caller.rank, Question{ListenForChange{{{"BACKEND_CONFIGS", caller.seen}}, 2'000}});
    }
    void hear(Caller& caller) {
        if (caller.open && job.answers(caller.rank, *caller.open) > 0) {
            const auto done = job.answer<CallDone>(caller.rank, *caller.open);
            ASSERT_TRUE(done) << job.error;
            ++caller.oks;
            if (done->goal) {
                ++caller.goals;
                EXPECT_TRUE(caller.mine.insert(*done->goal).second);
            }
            caller.expected.erase(caller.tag);
            if (caller.wanted) caller.expected[caller.tag] = *caller.wanted;
            caller.open.reset();
        }
        if (!caller.listens || job.answers(caller.rank, *caller.listens) == 0) return;
        const auto changed = job.answer<Changed>(caller.rank, *caller.listens);
        ASSERT_TRUE(changed) << job.error;
        caller.listens.reset();
        for (const auto& [key, snapshot] : changed->keys) {
            ++caller.heard;
            caller.seen = snapshot.id;
            ASSERT_TRUE(snapshot.value);
            EXPECT_TRUE(decode_view(*snapshot.value)->backends.contains("always")) << "half a map was broadcast";
        }
    }
    /// Who has everything that anybody was told: a round's coordinator and followers, from when it serves.
    void note_keepers() {
        const auto& view = job.view();
        if (!job.at(view.coordinator.value).alive || !job.board(view.coordinator.value).controller().serves()) return;
        if (job.at(view.coordinator.value).round != view.round) return;
        keepers = {view.followers.begin(), view.followers.end()};
        keepers.insert(view.coordinator);
        std::erase_if(keepers, [this](Rank rank) { return !job.at(rank.value).alive; });
    }
    /// The coordinator and up to k - 1 of its followers, or k of them without it.
    void disaster() {
        auto holders = job.view().followers;
        holders.insert(job.dice().one_in(4) ? holders.end() : holders.begin(), job.view().coordinator);
        // Sometimes nobody dies, and another coordinates all the same: what the former one has said may still arrive.
        const auto count = job.dice().one_in(3) ? 0 : 1 + job.dice().below(2);
        if (count == 0) job.next_coordinator = job.view().world[job.dice().below(job.view().world.size())];
        for (std::size_t i = 0; i < count && deaths < 6; ++i) {
            if (keepers == std::set{holders[i]}) continue;  // The last one that has everything for sure.
            job.kill(holders[i].value);
            keepers.erase(holders[i]);
            ++deaths;
        }
        if (job.dice().one_in(3)) job.stir(job.dice().below(20));  // The others have not noticed yet.
        job.rebuild_until_whole();
    }
    void live(std::uint32_t steps) {
        while (steps-- > 0) {
            for (auto& caller : callers) {
                hear(caller);
                if (!caller.open && job.dice().one_in(8)) ask(caller);
                if (!caller.listens) listen(caller);
            }
            job.stir(1 + job.dice().below(6));
            note_keepers();
            if (disasters < 9 && job.dice().one_in(25)) ++disasters, disaster();
        }
        for (int i = 0; i < 4; ++i) {
            job.pass(2'500);
            for (auto& caller : callers) hear(caller);
        }
    }

    ControllerJob job;
    std::vector<Caller> callers;
    std::set<Rank> keepers;
    std::size_t deaths = 0, disasters = 0, goals_before = 0;
};

TEST(ControllerStory, R1_R4_R9_WhateverDiesUpToTwoHoldersAtOnce) {
    std::size_t deaths = 0, oks = 0, heard = 0;
    for (const auto seed : testing::seeds(300)) {
        SCOPED_TRACE(testing::replay(seed));
        Story story(seed);
        story.live(150);
        auto& job = story.job;
        const auto& state = job.state();
        std::uint64_t goals = story.goals_before;
        for (const auto& caller : story.callers) {
            EXPECT_FALSE(caller.open) << "rank " << caller.rank << " was not answered";
            for (const auto& [tag, replicas] : caller.expected) {
                ASSERT_TRUE(state.backends.contains(tag)) << tag << " returned ok and is not there";
                EXPECT_EQ(state.backends.at(tag).config.num_replicas, replicas) << tag;
                EXPECT_EQ(handles_of(state, tag).size(), static_cast<std::size_t>(replicas)) << tag;
            }
            for (const auto goal : caller.mine) EXPECT_TRUE(state.goals.contains(goal)) << "goal lost";
            goals += caller.goals;
            oks += caller.oks;
            heard += caller.heard;
        }
        EXPECT_EQ(state.backends.size(), 1 + story.callers[0].expected.size() + story.callers[1].expected.size());
        EXPECT_EQ(state.last_goal.value, goals) << "a call was done twice";
        EXPECT_TRUE(state.pending.empty());
        EXPECT_TRUE(job.started_twice.empty()) << "a replica was started again instead of attached";
        deaths += story.deaths;
        if (HasFailure()) break;
    }
    EXPECT_GT(deaths, 900u);
    EXPECT_GT(oks, 1'500u);
    EXPECT_GT(heard, 1'500u);
}

}  // namespace
}  // namespace muster::core
