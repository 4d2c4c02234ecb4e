// SPDX-License-Identifier: Apache-2.0
/// The round's store over the control channel: calls reach the coordinator and come back once, whoever dies.
#include <gtest/gtest.h>

#include "fake_members.hpp"

namespace muster::core {
namespace {

using testing::FakeMembers;

/// 4 engines (0 to 3), two standbys (4 and 5), one client (6).
struct StoreOverTheChannel : ::testing::Test {
    FakeMembers job{{.engines = 4, .standbys = 2, .clients = 1}};
    std::map<std::uint32_t, std::uint64_t> calls;

    void SetUp() override { job.tick(1'000); }

    CallId call(std::uint32_t rank, StoreOperation operation, std::uint64_t patience_ms = 60'000) {
        const CallId id{++calls[rank]};
        job.carry_out(rank,
                      job.board(rank).store_call({id, id, job.at(rank).round, patience_ms, std::move(operation)}));
        return id;
    }
    CallId set(std::uint32_t rank, const std::string& key, std::uint8_t byte) {
        return call(rank, store::Set{key, value_of(Bytes{std::byte{byte}})});
    }
    /// "open", "7" (its one byte), "ok", or the error's text; "twice" where it ended more than once.
    std::string outcome(std::uint32_t rank, CallId id) {
        const auto& ended = job.at(rank).stored[id];
        if (ended.empty()) return "open";
        if (ended.size() > 1) return "twice";
        if (ended[0].error) return ended[0].error->text;
        if (!ended[0].value) return "ok";
        return std::to_string(std::to_integer<int>(ended[0].value->at(0)));
    }
};

TEST_F(StoreOverTheChannel, EveryMemberSeesWhatOneHasSet) {
    const auto early = call(2, store::Get{"address"});
    job.settle();
    EXPECT_EQ(outcome(2, early), "open");
    const auto done = set(1, "address", 7);
    job.settle();
    EXPECT_EQ(outcome(1, done), "ok");
    EXPECT_EQ(outcome(2, early), "7");
    for (const std::uint32_t rank : {0u, 3u, 4u, 6u}) {
        const auto late = call(rank, store::Get{"address"});
        job.settle();
        EXPECT_EQ(outcome(rank, late), "7") << "rank " << rank;
    }
}

TEST_F(StoreOverTheChannel, ADeadlineNamesTheKey) {
    const auto never = call(3, store::Get{"never"}, 500);
    job.settle();
    job.tick(1'400);
    job.settle();
    EXPECT_EQ(outcome(3, never), "open");
    job.tick(1'500);
    job.settle();
    EXPECT_NE(outcome(3, never).find("'never'"), std::string::npos) << outcome(3, never);
}

TEST_F(StoreOverTheChannel, T30ACoordinatorThatDiesTakesItsRoundsKeysWithIt) {
    const auto before = set(1, "id", 1);
    job.settle();
    EXPECT_EQ(outcome(1, before), "ok");
    const auto waiting = call(2, store::Get{"not yet"});
    job.settle();
    job.kill(0);
    const auto on_its_way = call(3, store::Get{"id"});
    job.rebuild();
    job.settle();
    EXPECT_NE(outcome(2, waiting).find("is of round 1, the job is in round 2"), std::string::npos)
        << outcome(2, waiting);
    EXPECT_NE(outcome(3, on_its_way).find("is of round 1, the job is in round 2"), std::string::npos)
        << outcome(3, on_its_way);
    const auto fresh = call(3, store::CompareSet{"id", {}, value_of(Bytes{std::byte{9}})});
    job.settle();
    EXPECT_EQ(outcome(3, fresh), "9") << "the new round's store is empty";
}

TEST_F(StoreOverTheChannel, ARebuildUnderTheSameCoordinatorBeginsAnewToo) {
    (void)set(0, "id", 1);
    const auto waiting = call(1, store::Get{"not yet"});
    job.settle();
    job.kill(3);
    job.rebuild();
    job.settle();
    EXPECT_NE(outcome(1, waiting).find("is of round 1"), std::string::npos) << outcome(1, waiting);
    const auto count = call(1, store::NumKeys{});
    job.settle();
    EXPECT_EQ(job.at(1).stored[count].at(0).number, 0);
}

TEST_F(StoreOverTheChannel, TheEndOfTheJobEndsOpenCalls) {
    const auto waiting = call(1, store::Get{"not yet"});
    job.settle();
    job.carry_out(1, job.board(1).ended({}, {Fault::ended, "the job has ended"}));
    EXPECT_EQ(outcome(1, waiting), "the job has ended");
    EXPECT_EQ(outcome(1, call(1, store::NumKeys{})), "the job has ended");
}

/// Deaths at random moments: every call of a survivor ends once, and nobody reads what another round has set.
TEST_F(StoreOverTheChannel, WhateverDiesEachCallEndsOnce) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        job = FakeMembers({.engines = 4, .standbys = 2, .clients = 1, .seed = seed});
        calls.clear();
        job.tick(1'000);
        std::map<std::pair<std::uint32_t, CallId>, std::uint8_t> reads;  // Of which round.
        for (std::uint8_t round = 1; round <= 3; ++round) {
            (void)set(1, "round", round);
            for (const std::uint32_t rank : {1u, 2u, 3u, 6u}) reads[{rank, call(rank, store::Get{"round"})}] = round;
            job.run(job.dice().below(40));
            if (round == 1) job.kill(0);
            if (round < 3) job.rebuild();
        }
        job.settle();
        for (const auto& [who, round] : reads) {
            const auto how = outcome(who.first, who.second);
            EXPECT_TRUE(how == std::to_string(round) || how.find("is of round") != std::string::npos) << how;
        }
    }
}

}  // namespace
}  // namespace muster::core
