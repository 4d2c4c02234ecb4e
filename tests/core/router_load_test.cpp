// SPDX-License-Identifier: Apache-2.0
/// What the router thinks an engine has: its last report, and what was given and answered since.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>

#include "router_support.hpp"

namespace muster::core {
namespace {

using testing::ranks;

const Bytes kBytes = {std::byte{5}};

struct LoadTest : ::testing::Test {
    Router router{RouterSettings{.routing = Routing::least_loaded}};
    std::uint64_t last = 0;

    void SetUp() override { (void)router.complete(ranks({0, 1, 2, 3}), testing::ranks_up_to(10)); }
    /// To which engine each of so many requests goes.
    std::map<std::uint32_t, int> burst(int count) {
        std::map<std::uint32_t, int> per_engine;
        for (int i = 0; i < count; ++i)
            for (const auto& one : router.submit(Rank{8}, {RequestId{++last}, kBytes}))
                ++per_engine[std::get<Routed>(one).engine.value];
        return per_engine;
    }
    std::uint64_t load(std::uint32_t engine) const { return router.candidates().at(engine).load; }
};

using PerEngine = std::map<std::uint32_t, int>;
const PerEngine kTwoEach = {{0, 2}, {1, 2}, {2, 2}, {3, 2}};

TEST_F(LoadTest, ABurstBetweenTwoReportsSpreadsEvenly) {
    EXPECT_EQ(burst(8), kTwoEach) << "before any report, vllm#22910";
    for (const Rank engine : ranks({0, 1, 2, 3})) EXPECT_TRUE(router.reported(engine, {.requests = 2, .given = 2}));
    EXPECT_EQ(burst(8), kTwoEach);
}

/// vllm#48027: a snapshot that was taken before the last requests arrived erased the front-end's own count of them.
TEST_F(LoadTest, AReportErasesNothingThatItDoesNotKnow) {
    EXPECT_EQ(burst(8), kTwoEach);
    EXPECT_TRUE(router.reported(Rank{0}, {.requests = 0, .given = 0}));
    EXPECT_EQ(load(0), 2u);
    EXPECT_TRUE(router.reported(Rank{0}, {.requests = 11, .given = 1}));  // Ten of others'.
    EXPECT_EQ(load(0), 12u) << "one it did not know of yet";
    EXPECT_EQ(burst(6), (PerEngine{{1, 2}, {2, 2}, {3, 2}}));
}

TEST_F(LoadTest, WhatWasAnsweredSinceIsTakenOff) {
    EXPECT_EQ(burst(8), kTwoEach);
    EXPECT_TRUE(router.reported(Rank{1}, {.requests = 12, .given = 2, .answered = 0}));
    EXPECT_EQ(load(1), 12u);
    (void)router.reply(Rank{1}, {Rank{8}, RequestId{2}, kBytes, 1});
    EXPECT_EQ(load(1), 11u);
    EXPECT_TRUE(router.reported(Rank{1}, {.requests = 12, .given = 2, .answered = 0}))
        << "it was made before the reply";
    EXPECT_EQ(load(1), 11u);
    EXPECT_TRUE(router.reported(Rank{1}, {.requests = 3, .given = 2, .answered = 1}));
    EXPECT_EQ(load(1), 3u);
}

TEST_F(LoadTest, V22AReportOfAnUnknownEngineChangesNothing) {
    EXPECT_FALSE(router.reported(Rank{9}, {.requests = 5}));
    EXPECT_EQ(burst(8), kTwoEach);
}

/// Megatron #6675: an engine that comes back must not inherit a load that it does not have.
TEST_F(LoadTest, AnEngineThatWentAndCameBackBeginsAtNothing) {
    EXPECT_EQ(burst(4), (PerEngine{{0, 1}, {1, 1}, {2, 1}, {3, 1}}));
    EXPECT_TRUE(router.reported(Rank{3}, {.requests = 40, .given = 1}));
    (void)router.complete(ranks({0, 1, 2}), testing::ranks_up_to(10));
    (void)router.complete(ranks({0, 1, 2, 3}), testing::ranks_up_to(10));
    EXPECT_EQ(load(3), 0u);
    (void)burst(3);
    EXPECT_TRUE(router.reported(Rank{3}, {.requests = 0, .given = 1}));
    EXPECT_EQ(load(3), router.in_flight(Rank{3})) << "Deliver::number goes on where it was";
}

TEST_F(LoadTest, ARebuildKeepsWhatIsKnownOfWhoStays) {
    (void)burst(8);
    EXPECT_TRUE(router.reported(Rank{2}, {.requests = 30, .capacity = 64, .given = 2}));
    router.interrupted();
    (void)router.complete(ranks({2, 1, 0}), testing::ranks_up_to(10));
    EXPECT_EQ(router.candidates().at(0).rank, Rank{2});
    EXPECT_EQ(load(0), 30u);
    EXPECT_EQ(router.candidates().at(0).capacity, 64u);
}

/// An engine with work of its own, whose reports and replies are late, beside a twin that keeps sets where the router
/// counts.
class Story {
public:
    explicit Story(std::uint64_t seed) : dice_(seed) { (void)router_.complete(ranks({0}), testing::ranks_up_to(10)); }
    void step() {
        switch (dice_.below(6)) {
            case 0: submit(); break;
            case 1: arrive(); break;
            case 2: finish(); break;
            case 3: report(); break;
            case 4: hear_reply(); break;
            default: hear_report(); break;
        }
        check();
    }

private:
    struct Made {
        EngineReport report;
        std::set<std::uint64_t> had;
    };
    void submit() {
        (void)router_.submit(Rank{8}, {RequestId{++last_}, kBytes});
        on_the_way_.push_back(last_);
        open_.insert(last_);
        if (told_) ours_.insert(last_);
    }
    void arrive() {
        if (on_the_way_.empty()) return;
        at_engine_.insert(on_the_way_.front());
        given_ = on_the_way_.front();
        on_the_way_.pop_front();
    }
    void finish() {
        foreign_ = dice_.below(5);
        if (at_engine_.empty()) return;
        replies_.push_back({*at_engine_.begin(), ++answered_});
        at_engine_.erase(at_engine_.begin());
    }
    void report() {
        reports_.push_back(
            {{.requests = foreign_ + at_engine_.size(), .given = given_, .answered = answered_}, at_engine_});
    }
    void hear_reply() {
        if (replies_.empty()) return;
        const auto [id, number] = replies_.front();
        replies_.pop_front();
        (void)router_.reply(Rank{0}, {Rank{8}, RequestId{id}, kBytes, number});
        open_.erase(id);
        ours_.erase(id);
    }
    void hear_report() {
        if (reports_.empty()) return;
        const auto made = reports_.front();
        reports_.pop_front();
        EXPECT_TRUE(router_.reported(Rank{0}, made.report));
        told_ = made.report;
        told_foreign_ = made.report.requests - made.had.size();
        // What it had and is not known to be answered, and what it had not got yet.
        ours_.clear();
        for (const auto id : open_)
            if (made.had.contains(id) || id > made.report.given) ours_.insert(id);
    }
    void check() {
        const auto load = router_.candidates().at(0).load;
        ASSERT_EQ(router_.in_flight(Rank{0}), open_.size());
        ASSERT_GE(load, open_.size()) << "nothing of our own is ever forgotten";
        if (!told_) return;
        ASSERT_EQ(load, std::max<std::uint64_t>(open_.size(), told_foreign_ + ours_.size()));
    }

    testing::Dice dice_;
    Router router_{RouterSettings{.routing = Routing::least_loaded}};
    std::uint64_t last_ = 0, given_ = 0, answered_ = 0, foreign_ = 0, told_foreign_ = 0;
    std::deque<std::uint64_t> on_the_way_;  ///< Ids are Deliver::number here.
    std::set<std::uint64_t> at_engine_, open_, ours_;
    std::deque<std::pair<std::uint64_t, std::uint64_t>> replies_;  ///< Id, Reply::number.
    std::deque<Made> reports_;
    std::optional<EngineReport> told_;
};

TEST(RouterLoad, CountsAsATwinThatKeepsSetsWhateverIsLate) {
    for (const auto seed : testing::seeds(400)) {
        SCOPED_TRACE(testing::replay(seed));
        Story story(seed);
        for (int step = 0; step < 200 && !::testing::Test::HasFatalFailure(); ++step) story.step();
        if (::testing::Test::HasFatalFailure()) return;
    }
}

/// Bursts of all sizes over engines that reported the same, in whatever order old reports come.
TEST(RouterLoad, EveryBurstSpreadsEvenly) {
    for (const auto seed : testing::seeds(200)) {
        SCOPED_TRACE(testing::replay(seed));
        testing::Dice dice(seed);
        const auto engines = testing::ranks_up_to(dice.between(1, 9));
        Router router{RouterSettings{.routing = Routing::least_loaded}};
        (void)router.complete(engines, testing::ranks_up_to(20));
        std::map<Rank, std::uint64_t> got;
        std::uint64_t id = 0;
        for (int round = 0; round < 10; ++round) {
            const auto count = dice.below(30);
            for (std::uint32_t i = 0; i < count; ++i) {
                for (const auto& one : router.submit(Rank{19}, {RequestId{++id}, kBytes}))
                    ++got[std::get<Routed>(one).engine];
                // An old report of anybody, that knows of a part of what it was given.
                const Rank engine = engines[dice.below(engines.size())];
                const auto known = dice.below(got[engine] + 1);
                EXPECT_TRUE(router.reported(engine, {.requests = known, .given = known}));
            }
            std::uint64_t least = ~0ULL, most = 0;
            for (const Rank engine : engines) {
                least = std::min(least, got[engine]);
                most = std::max(most, got[engine]);
            }
            ASSERT_LE(most, least + 1);
        }
    }
}

}  // namespace
}  // namespace muster::core
