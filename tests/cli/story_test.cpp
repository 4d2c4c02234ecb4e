// SPDX-License-Identifier: Apache-2.0
#include "launch/story.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace muster::launch {
namespace {

using nlohmann::json;

const auto kJoined = json::parse(R"({"event":"joined","engines":4,"standbys":2,"nodes":["n0","n1"],"round":1})");

std::string first_line(Story& story, const char* event) { return story.take(0, json::parse(event)).at(0).text; }

TEST(Story, OneLossOnePromotion) {
    Story story;
    EXPECT_EQ(story.take(0, kJoined).at(0).text, "round 1: 4 engines, 2 standbys on n0, n1");
    EXPECT_EQ(first_line(story, R"({"event":"round","from":1,"to":2,"lost":[{"rank":3,"node":"n1","text":"killed"}],
                                    "promoted":[{"rank":5,"slot":3}],"size":4,"stalled_ms":7.94})"),
              "round 1->2: lost rank 3 on n1 (killed), rank 5 promoted to slot 3, stalled 7.9 ms");
    EXPECT_EQ(story.round(), 2);
    EXPECT_TRUE(story.lost().contains(3));
}

TEST(Story, EnginesOfSeveralRanksAndClients) {
    Story story;
    EXPECT_EQ(first_line(story, R"({"event":"joined","engines":4,"engine_ranks":2,"standbys":1,"clients":2,
                                    "nodes":["n0"],"round":1})"),
              "round 1: 4 engines of 2 ranks, 1 standbys, 2 clients on n0");
    EXPECT_EQ(first_line(story, R"({"event":"round","from":1,"to":2,"size":6,"stalled_ms":1})"),
              "round 1->2: world 8 -> 6, stalled 1.0 ms")
        << "a world is counted in members";
}

TEST(Story, SeveralLossesAndASmallerWorld) {
    Story story;
    story.take(0, kJoined);
    EXPECT_EQ(first_line(story, R"({"event":"round","from":1,"to":2,"lost":[{"rank":1,"node":"n0","text":"exited 3"},
                                    {"rank":2}],"promoted":[],"size":3,"stalled_ms":0.1234})"),
              "round 1->2: lost rank 1 on n0 (exited 3) and rank 2, world 4 -> 3, stalled 0.12 ms");
}

TEST(Story, PartsOfTheStallAreADetail) {
    Story story;
    const auto lines = story.take(0, json::parse(R"({"event":"round","from":1,"to":2,"stalled_ms":120,"detect_ms":100,
                                                     "shrink_ms":5.5,"build_ms":10,"resume_ms":0.5})"));
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_TRUE(lines[1].detail);
    EXPECT_EQ(lines[1].text, "  of the stall (ms): detect 100, shrink 5.5, build 10.0, resume 0.50");
}

/// A coordinator may die with the word that a state is reached; its successor tells it, or tells it again.
TEST(Story, AStateIsToldOnce) {
    Story story;
    const char* second = R"({"event":"state","number":2,"state":"SUSPENDED"})";
    EXPECT_EQ(first_line(story, R"({"event":"state","number":1,"state":"PAUSED","by":5})"),
              "PAUSED (barrier 1, asked for by rank 5)");
    EXPECT_EQ(first_line(story, second), "SUSPENDED (barrier 2)");
    EXPECT_TRUE(story.take(0, json::parse(second)).empty());
    EXPECT_TRUE(story.take(0, json::parse(R"({"event":"state","number":1,"state":"PAUSED"})")).empty());
}

TEST(Story, ARoundIsToldOnce) {
    Story story;
    story.take(0, kJoined);
    const auto second = json::parse(R"({"event":"round","from":1,"to":2,"lost":[{"rank":1}],"size":4,"stalled_ms":1})");
    EXPECT_EQ(story.take(0, second).size(), 1U);
    EXPECT_TRUE(story.take(2, second).empty());
    EXPECT_EQ(story.round(), 2);
}

TEST(Story, TheFirstEndingCounts) {
    Story story;
    story.take(0, json::parse(R"({"event":"ended","code":12,"reason":"one left"})"));
    story.take(1, json::parse(R"({"event":"ended","code":0,"reason":""})"));
    EXPECT_EQ(story.ended()->code, 12);
    EXPECT_EQ(story.ended()->reason, "one left");
}

/// A minority that knows the launcher stops itself, and the others' round comes later.
TEST(Story, AnEndingIsVoidWhenItsTellerIsLost) {
    Story story;
    story.take(0, kJoined);
    story.take(1, json::parse(R"({"event":"ended","code":13,"reason":"1 of 4 is here"})"));
    EXPECT_EQ(story.ended()->code, 13);
    story.take(0, json::parse(R"({"event":"round","from":1,"to":2,"lost":[{"rank":3}],"size":4})"));
    EXPECT_EQ(story.ended()->code, 13) << "another one was lost";
    const auto lines = story.take(0, json::parse(R"({"event":"round","from":2,"to":3,"lost":[{"rank":1}],"size":3})"));
    EXPECT_EQ(story.ended(), std::nullopt);
    EXPECT_EQ(lines.back().text, "  what rank 1 has said of the job's end was its own part's");
    story.take(0, json::parse(R"({"event":"ended","code":0,"reason":""})"));
    EXPECT_EQ(story.ended()->code, 0);
}

TEST(Story, WhoeverIsLostHasNoSayInTheEnding) {
    Story story;
    story.take(0, kJoined);
    story.take(0, json::parse(R"({"event":"round","from":1,"to":2,"lost":[{"rank":3}],"size":4})"));
    const auto lines = story.take(3, json::parse(R"({"event":"ended","code":17,"reason":"woken after a minute"})"));
    EXPECT_TRUE(lines.at(0).detail);
    EXPECT_FALSE(story.ended());
    story.take(0, json::parse(R"({"event":"ended","code":0,"reason":""})"));
    EXPECT_EQ(story.ended()->code, 0);
}

TEST(Story, UnknownAndOddEventsHarmNobody) {
    Story story;
    EXPECT_TRUE(story.take(2, json::parse(R"({"event":"weather","text":"fine"})")).at(0).detail);
    EXPECT_TRUE(story.take(2, json::parse("{}")).at(0).detail);
    for (const auto* odd :
         {R"({"event":"round","from":"x","to":null,"lost":7,"promoted":{"a":1},"stalled_ms":"long"})",
          R"({"event":"joined","nodes":[1,2],"engines":"four"})", R"({"event":"round","lost":["x",null]})",
          R"({"event":"exit"})", R"({"event":7})", R"({"event":"note","text":5})"})
        EXPECT_FALSE(story.take(2, json::parse(odd)).empty()) << odd;
}

}  // namespace
}  // namespace muster::launch
