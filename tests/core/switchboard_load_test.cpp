// SPDX-License-Identifier: Apache-2.0
/// Loads and waves from engines to the coordinator and on to who watches; requests that are taken back.
#include <gtest/gtest.h>

#include "core/load_tree.hpp"
#include "fake_members.hpp"

namespace muster::core {
namespace {

using testing::FakeMembers;
using testing::ranks;

/// 8 engines in 2 lockstep groups (0 to 3, 4 to 7), a standby (8), two clients (9, 10).
struct LoadsTest : ::testing::Test {
    FakeMembers job{{.engines = 8,
                     .standbys = 1,
                     .clients = 2,
                     .group_size = 4,
                     .router = {.routing = Routing::least_loaded, .queue_max_per_engine = 3}}};
    const std::uint32_t client = job.client(0);
    std::uint64_t now = 1'000'000;

    void says(std::uint32_t rank, std::int64_t waiting, std::int64_t wave = 0, bool awake = false) {
        job.board(rank).engine_says({.load = {waiting, 0}, .at = {wave, 1}, .wave = Wave{wave}, .awake = awake});
    }
    /// Time goes by, in steps of a tick, and everything arrives.
    void pass(std::uint64_t ms) {
        for (const auto until = now + ms; now < until; now += 10) {
            job.tick(now);
            job.settle();
        }
    }
    void watch(std::uint32_t rank) { job.carry_out(rank, job.board(rank).watch_loads()); }
    /// "0:3 w2+ 1:0 w0-": the newest word of each group: the sum of its loads, its wave, running or not.
    std::string seen(std::uint32_t rank) {
        std::map<std::uint32_t, std::string> groups;
        for (const auto& heard : job.at(rank).loads_heard)
            for (const auto& group : heard.groups) {
                std::int64_t sum = 0;
                for (const auto& engine : group.engines) sum += engine.load.waiting + engine.load.running;
                groups[group.group] = std::to_string(group.group) + ":" + std::to_string(sum) + " w" +
                                      std::to_string(group.wave.value) + (group.running ? "+ " : "- ");
            }
        std::string text;
        for (const auto& [group, one] : groups) text += one;
        return text;
    }
    std::uint64_t load(std::uint32_t engine) {
        return job.board(job.coordinator()).router().candidates().at(engine).load;
    }
};

/// The source's three sockets are three ways of messages, each between those two only.
TEST_F(LoadsTest, V2_FromFrontsFromEnginesAndToEngines) {
    watch(client);
    const auto request = job.submit(client, 1);
    says(5, 3);
    pass(1'000);
    EXPECT_EQ(job.outcome(client, request), "reply 2");
    std::map<std::string, std::set<std::string>> ways;
    const auto who = [&](Rank rank) {
        return rank.value == job.coordinator() ? "coordinator" : job.is_engine(rank) ? "engine" : "front";
    };
    for (const auto& one : job.sent) ways[one.kind].insert(std::string(who(one.from)) + " to " + who(one.to));
    using Ways = std::set<std::string>;
    EXPECT_EQ(ways["submit"], Ways{"front to coordinator"});
    EXPECT_EQ(ways["watch_loads"], Ways{"front to coordinator"});
    EXPECT_EQ(ways["loads_told"], Ways{"coordinator to front"});
    EXPECT_TRUE(ways["loads_up"].contains("engine to coordinator"));
    EXPECT_FALSE(ways["loads_up"].contains("engine to front"));
    for (const auto& way : ways["deliver"]) EXPECT_EQ(way, "coordinator to engine");
}

TEST_F(LoadsTest, EveryEnginesWordReachesTheRouter) {
    for (std::uint32_t rank = 0; rank < 8; ++rank) says(rank, 10 + rank);
    pass(1'000);
    for (std::uint32_t rank = 0; rank < 8; ++rank) EXPECT_EQ(load(rank), 10 + rank);
}

TEST_F(LoadsTest, AQuietJobSaysNothing) {
    for (std::uint32_t rank = 0; rank < 8; ++rank) says(rank, 1);
    pass(1'000);
    const auto sent = job.count("loads_up");
    EXPECT_GT(sent, 0u);
    for (std::uint32_t rank = 0; rank < 8; ++rank) says(rank, 1);
    pass(20'000);
    EXPECT_EQ(job.count("loads_up"), sent);
}

TEST_F(LoadsTest, WhoWatchesHearsLoadsAndWaves) {
    watch(client);
    job.settle();
    EXPECT_EQ(seen(client), "0:0 w0- 1:0 w0- ") << "at once, what is known";
    says(4, 0, 0, true);
    says(5, 7);
    pass(1'000);
    EXPECT_EQ(seen(client), "0:0 w0- 1:7 w0+ ");
    says(4, 0, 1, false);
    pass(300);
    EXPECT_EQ(seen(client), "0:0 w0- 1:7 w1- ");
    says(4, 0, 5, true);
    pass(300);
    EXPECT_EQ(seen(client), "0:0 w0- 1:7 w5+ ") << "waves that nobody heard of are over";
    EXPECT_EQ(job.at(job.client(1)).loads_heard.size(), 0u);
}

TEST_F(LoadsTest, V28OnlyTheGroupsLowestSlotSpeaksForIt) {
    watch(client);
    says(1, 0, 9, true);
    says(6, 0, 9, true);
    pass(1'000);
    EXPECT_EQ(seen(client), "0:0 w0- 1:0 w0- ");
    says(0, 0, 9, true);
    pass(300);
    EXPECT_EQ(seen(client), "0:0 w9+ 1:0 w0- ");
}

TEST_F(LoadsTest, WavesNeverGoBackOverADeadCoordinator) {
    watch(client);
    says(4, 2, 41, true);
    pass(1'000);
    EXPECT_EQ(seen(client), "0:0 w0- 1:2 w41+ ");
    job.kill(0);
    job.kill(4);  // The only engine that counted there.
    job.rebuild();
    pass(100);
    EXPECT_EQ(seen(client), "0:0 w42- 1:0 w42- ") << "above every wave that a survivor knows";
    for (std::uint32_t rank : {1u, 2u, 3u, 5u, 6u, 7u}) EXPECT_GE(job.board(rank).facts().wave, 42) << rank;
}

/// What only its engine knows reaches the others with the facts.
TEST_F(LoadsTest, AWaveThatNobodyWasToldOfCountsToo) {
    watch(client);
    job.settle();
    says(6, 0, 17, true);
    job.kill(7);
    job.rebuild();
    pass(100);
    EXPECT_EQ(seen(client), "0:0 w18- 1:0 w18- ");
}

TEST_F(LoadsTest, ARebuildKeepsTheLoadsOfWhoStays) {
    watch(client);
    for (std::uint32_t rank = 0; rank < 8; ++rank) says(rank, 1);
    pass(1'000);
    EXPECT_EQ(seen(client), "0:4 w0- 1:4 w0- ");
    job.kill(5);
    job.rebuild();
    job.settle();
    EXPECT_EQ(seen(client), "0:4 w0- 1:3 w0- ") << "the standby has nothing to do";
}

TEST_F(LoadsTest, ALoadOfAnOldRoundOrOfAStrangerIsVoid) {
    const auto hear = [&](Round round, std::uint32_t from) {
        EngineWord word{.engine = Rank{3}, .load = {50, 0}};
        const message::LoadsUp up{round, {word}};
        const auto sequence =
            1 + static_cast<std::uint64_t>(std::count_if(job.sent.begin(), job.sent.end(), [&](const auto& one) {
                return one.from == Rank{from} && one.to == Rank{0} && one.kind != "resync";
            }));
        job.carry_out(0, job.board(0).received(Rank{from}, encode({job.view().round, Rank{from}, sequence, 0, up})));
    };
    hear(Round{job.view().round.value - 1}, 1);
    EXPECT_EQ(load(3), 0u);
    hear(job.view().round, 7);
    EXPECT_EQ(load(3), 0u) << "7 is not below 0";
    hear(job.view().round, 2);
    EXPECT_EQ(load(3), 50u);
}

TEST_F(LoadsTest, ARequestGoesWhereTheLoadIsLowest) {
    for (std::uint32_t rank = 0; rank < 8; ++rank) says(rank, rank == 6 ? 0 : 9);
    pass(1'000);
    job.engines_reply = false;
    (void)job.submit(client, 1);
    (void)job.submit(client, 1);
    job.settle();
    EXPECT_EQ(job.at(6).in_hand.size(), 2u);
}

TEST_F(LoadsTest, BeyondTheBoundsAClientHearsBusy) {
    job.engines_reply = false;
    for (int i = 0; i < 24; ++i) EXPECT_EQ(job.outcome(client, job.submit(client, 1)), "");
    job.settle();
    const auto refused = job.submit(client, 1);
    job.settle();
    ASSERT_EQ(job.at(client).requests[refused].size(), 1u);
    EXPECT_EQ(job.at(client).requests[refused].front().error->fault, Fault::busy);
}

TEST_F(LoadsTest, ASuccessorRefusesNothingThatWasAccepted) {
    job.engines_reply = false;
    std::vector<RequestId> accepted;
    for (int i = 0; i < 24; ++i) accepted.push_back(job.submit(client, 1));
    job.settle();
    job.kill(0);
    job.kill(1);  // Seven engines with room for three each.
    job.rebuild();
    job.settle();
    for (const auto id : accepted) EXPECT_EQ(job.outcome(client, id), "");
    job.engines_reply = true;
    job.settle();
    for (const auto id : accepted) EXPECT_EQ(job.outcome(client, id), "reply 2");
}

TEST_F(LoadsTest, ANamedSlotGetsTheRequest) {
    job.engines_reply = false;
    job.carry_out(client, job.board(client).submit(RequestId{77}, {std::byte{1}}, {.pin = Slot{5}}));
    job.carry_out(client, job.board(client).submit(RequestId{78}, {std::byte{1}}, {.pin = Slot{8}}));
    job.settle();
    EXPECT_EQ(job.at(5).in_hand.size(), 1u);
    EXPECT_EQ(job.outcome(client, RequestId{78}), "slot 8 is not there: the world has 8 slots");
}

TEST_F(LoadsTest, ARequestIsTakenBackBeforeItsEngineBegins) {
    job.engines_reply = false;
    const auto running = job.submit(client, 1);
    job.settle();
    for (std::uint32_t rank = 1; rank < 8; ++rank) says(rank, 9);  // All to engine 0.
    pass(1'000);
    const auto waiting = job.submit(client, 2);
    job.settle();
    EXPECT_EQ(job.at(0).in_hand.size(), 2u);
    for (const auto id : {running, waiting}) job.carry_out(client, job.board(client).abort(id));
    job.settle();
    EXPECT_EQ(job.outcome(client, waiting), "taken back before an engine began");
    EXPECT_EQ(job.outcome(client, running), "") << "it has begun";
    job.engines_reply = true;
    job.settle();
    EXPECT_EQ(job.outcome(client, running), "reply 2");
    EXPECT_EQ(job.board(0).router().open(), 0u);
    job.carry_out(client, job.board(client).abort(waiting));
    EXPECT_EQ(job.outcome(client, waiting), "taken back before an engine began") << "once";
}

/// Requests are submitted, taken back and answered while engines and coordinators die: each ends once, as its reply or
/// as taken back, and only those that were taken back end so.
TEST(Aborts, EachRequestEndsOnceWhoeverDies) {
    std::size_t taken_back = 0, answered = 0;
    for (const auto seed : testing::seeds(400)) {
        SCOPED_TRACE(testing::replay(seed));
        FakeMembers job{{.engines = 3, .standbys = 2, .clients = 1, .seed = seed}};
        const auto client = job.client();
        std::set<RequestId> all, aborted;
        std::uint32_t killed = 0;
        for (int step = 0; step < 120; ++step) {
            const auto what = job.dice().below(10);
            for (int i = 0; what < 4 && i < 8; ++i) all.insert(job.submit(client, 1));
            if (what == 4 && !all.empty()) {
                auto id = all.begin();
                std::advance(id, job.dice().below(all.size()));
                if (job.outcome(client, *id).empty()) aborted.insert(*id);
                job.carry_out(client, job.board(client).abort(*id));
            }
            if (what == 5 && killed < 3 && job.dice().one_in(4)) {
                const auto& world = job.view().world;
                job.kill(world[job.dice().below(world.size())].value);
                ++killed;
                job.run(job.dice().below(30));
                job.rebuild();
            }
            job.run(job.dice().below(16));
        }
        job.settle();
        for (const auto id : all) {
            const auto outcome = job.outcome(client, id);
            ASSERT_TRUE(outcome == "reply 2" || (outcome == kAborted && aborted.contains(id)))
                << id.value << " ended as '" << outcome << "'";
            ++(outcome == "reply 2" ? answered : taken_back);
        }
    }
    EXPECT_GT(taken_back, 20u);
    EXPECT_GT(answered, 1'000u);
}

}  // namespace
}  // namespace muster::core
