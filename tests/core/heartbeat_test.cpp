// SPDX-License-Identifier: Apache-2.0
/// Who is given up, how soon, and who must not be.
#include <gtest/gtest.h>

#include "heartbeat_support.hpp"

namespace muster::core {
namespace {

using testing::BeatingRing;
constexpr auto kWindow = BeatingRing::kWindow;
constexpr std::uint64_t kHops = 10;  ///< Datagrams that follow one another.

const std::vector<std::uint32_t> kOneNode(6, 0);
const std::vector<std::uint32_t> kThreeNodes{0, 0, 1, 1, 2, 2};

TEST(Heartbeat, AQuietRoundCostsEachMemberOnePacketAPeriod) {
    BeatingRing ring(kThreeNodes);
    ring.run(10 * kWindow);
    EXPECT_TRUE(ring.condemned().empty());
    for (const auto& member : ring.members) {
        EXPECT_GE(member.sent, 40U);
        EXPECT_LE(member.sent, 42U);
        EXPECT_TRUE(member.notes.empty());
    }
}

TEST(Heartbeat, WhoStandsStillIsEndedOnItsNodeAndAllKnowWithinTheWindow) {
    for (const auto& nodes : {kOneNode, kThreeNodes})
        for (std::uint32_t silent = 0; silent < 6; ++silent) {
            SCOPED_TRACE(silent);
            BeatingRing ring(nodes);
            ring.run(1'234);
            ring.stop(silent);
            const auto since = ring.now;
            ring.run(kWindow + kHops);
            EXPECT_EQ(ring.condemned(), std::set<Rank>{Rank{silent}});
            EXPECT_TRUE(ring.members[silent].dead);
            std::vector<std::uint32_t> others;
            for (std::uint32_t r = 0; r < 6; ++r)
                if (r != silent) others.push_back(r);
            const auto known = ring.all_know(others, silent);
            ASSERT_TRUE(known);
            EXPECT_GE(*known - since, kWindow * 3 / 4 - kHops);  // The last beat was up to a quarter before.
            EXPECT_LE(*known - since, kWindow + kHops);
        }
}

TEST(Heartbeat, WhoWakesInTimeGoesOn) {
    BeatingRing ring(kThreeNodes);
    ring.run(1'000);
    ring.stop(3);
    ring.run(kWindow * 7 / 10);
    ring.go_on(3);
    ring.run(3 * kWindow);
    EXPECT_TRUE(ring.condemned().empty());
    EXPECT_FALSE(ring.members[3].excluded);
}

TEST(Heartbeat, WhoWakesInAnOldRoundStopsAtOnce) {
    BeatingRing ring(kThreeNodes);
    ring.kills = false;
    ring.run(1'000);
    ring.stop(3);
    ring.run(kWindow + kHops);
    ring.enter(Round{2}, {Rank{0}, Rank{1}, Rank{2}, Rank{4}, Rank{5}});
    ring.run(5 * kWindow);
    ring.go_on(3);
    ring.members[3].waiting.clear();  // Nobody has told it yet: it has to ask.
    ring.run(kHops);
    EXPECT_TRUE(ring.members[3].excluded);
    ring.run(kWindow);
    EXPECT_EQ(ring.condemned(), std::set<Rank>{Rank{3}});
}

TEST(Heartbeat, WhoIsSentHomeByAPlanIsNotTakenForAZombie) {
    BeatingRing ring(kOneNode);
    ring.run(1'000);
    ring.enter(Round{2}, {Rank{0}, Rank{1}, Rank{2}, Rank{3}, Rank{4}});
    ring.run(kWindow / 2);  // Rank 5 has not taken the plan over yet.
    EXPECT_FALSE(ring.members[5].excluded);
    ring.run(kWindow);
    EXPECT_TRUE(ring.members[5].excluded);  // Nobody takes that long.
    EXPECT_TRUE(ring.members[5].condemned.empty()) << "who says that it is out of the round is alive";
}

TEST(Heartbeat, AnInquiryIsConfirmedOrRefused) {
    BeatingRing ring(kThreeNodes);
    ring.run(1'000);
    ring.inquire(3);
    ring.run(kHops);
    EXPECT_TRUE(ring.members[3].confirmed);
    ring.members[3].confirmed = false;
    ring.enter(Round{2}, {Rank{0}, Rank{1}, Rank{2}, Rank{4}, Rank{5}});
    ring.run(2 * kWindow);
    EXPECT_TRUE(ring.members[3].excluded);
    EXPECT_FALSE(ring.members[3].confirmed);
}

TEST(Heartbeat, WhomOthersHearStays) {
    BeatingRing ring(kThreeNodes);
    ring.cut = [](Rank from, Rank to) { return from == Rank{3} && to == Rank{4}; };
    ring.run(20 * kWindow);
    EXPECT_TRUE(ring.condemned().empty());
    ASSERT_EQ(ring.members[4].notes.size(), 1U);
    EXPECT_NE(ring.members[4].notes[0].find("rank 3 is not heard here"), std::string::npos);
}

/// Also where it hears nothing and is heard by everybody, so that its word would reach them.
TEST(Heartbeat, WhoIsCutOffCondemnsNobodyForTheOthers) {
    for (const bool deaf_only : {true, false}) {
        BeatingRing ring({0, 0, 1, 1, 2});
        ring.run(1'000);
        ring.cut = [&](Rank from, Rank to) { return to == Rank{4} || (!deaf_only && from == Rank{4}); };
        const auto since = ring.now;
        ring.run(2 * kWindow + kHops);
        for (std::uint32_t other = 0; other < 4; ++other)
            for (const auto& [rank, when] : ring.members[other].condemned) EXPECT_EQ(rank, Rank{4});
        EXPECT_EQ(ring.members[0].condemned.size(), deaf_only ? 0U : 1U);
        EXPECT_EQ(ring.members[4].condemned.size(), 4U);  // For itself: the fence will stop it.
        EXPECT_LE(*ring.all_know({4}, 0) - since, 2 * kWindow + kHops);
    }
}

/// Those of its own node are deaf too: what they do not hear proves nothing.
TEST(Heartbeat, ANodeThatOnlyHearsNothingCondemnsNobodyForTheOthers) {
    BeatingRing ring({0, 0, 1, 1});
    ring.run(1'000);
    ring.cut = [](Rank from, Rank to) { return to.value >= 2 && from.value < 2; };
    ring.run(3 * kWindow);
    for (std::uint32_t other = 0; other < 2; ++other) EXPECT_TRUE(ring.members[other].condemned.empty()) << other;
    for (const std::uint32_t deaf : {2U, 3U}) EXPECT_EQ(ring.members[deaf].condemned.size(), 2U) << deaf;
}

TEST(Heartbeat, ADarkNodeIsGivenUpWithinTwoWindowsAndItsMembersGiveUpTheOthers) {
    BeatingRing ring(kThreeNodes);
    ring.run(1'000);
    const auto dark = [](Rank rank) { return rank.value / 2 == 1; };
    ring.cut = [&](Rank from, Rank to) { return dark(from) != dark(to); };
    const auto since = ring.now;
    ring.run(2 * kWindow + kHops);
    for (const std::uint32_t gone : {2U, 3U}) {
        const auto known = ring.all_know({0, 1, 4, 5}, gone);
        ASSERT_TRUE(known) << gone;
        EXPECT_LE(*known - since, kWindow * 7 / 4 + kHops) << gone;
    }
    for (const std::uint32_t one : {0U, 1U, 4U, 5U}) EXPECT_EQ(ring.members[one].condemned.size(), 2U) << one;
    for (const std::uint32_t one : {2U, 3U}) {
        EXPECT_EQ(ring.members[one].condemned.size(), 4U) << one;
        EXPECT_FALSE(ring.members[one].condemned.contains(Rank{5 - one})) << one;
    }
    // Light again: the island tells nobody beyond it that he is gone.
    ring.cut = nullptr;
    ring.run(2 * kWindow);
    for (const std::uint32_t one : {0U, 1U, 4U, 5U}) EXPECT_FALSE(ring.members[one].excluded) << one;
}

TEST(Heartbeat, NeighboursThatFallSilentTogetherAreBothFound) {
    BeatingRing ring({0, 1, 2, 3, 4, 5});
    ring.run(1'000);
    ring.stop(2);
    ring.stop(3);
    const auto since = ring.now;
    ring.run(2 * kWindow);
    EXPECT_EQ(ring.condemned(), (std::set<Rank>{Rank{2}, Rank{3}}));
    EXPECT_LE(*ring.all_know({0, 1, 4, 5}, 2) - since, kWindow * 7 / 4 + kHops);
}

/// During a recovery nobody enters a new round, and the dead stay in the ring: whom they listened to is not forgotten.
TEST(Heartbeat, AListenerThatDiesIsReplacedBeforeTheNextRound) {
    BeatingRing ring(kOneNode);
    ring.run(1'000);
    ring.members[3].dead = true;
    ring.run(kWindow + kHops);
    ring.stop(2);
    const auto since = ring.now;
    ring.run(kWindow + kHops);
    EXPECT_EQ(ring.condemned(), (std::set<Rank>{Rank{2}, Rank{3}}));
    EXPECT_LE(*ring.all_know({0, 1, 4, 5}, 2) - since, kWindow + kHops);
}

TEST(Heartbeat, WhoseNeighbourWasCondemnedByOthersListensToTheNextOne) {
    BeatingRing ring(kOneNode);
    ring.run(1'000);
    const HeartbeatMessage verdict{
        .word = HeartbeatMessage::condemned, .from = Rank{0}, .round = Round{1}, .subject = Rank{3}};
    ASSERT_FALSE(ring.members[4].heart.watches(Rank{2}));
    EXPECT_FALSE(ring.members[4].heart.received(verdict, ring.now).empty());
    EXPECT_TRUE(ring.members[4].heart.watches(Rank{2}));
}

TEST(Heartbeat, WhoWasStoppedItselfHasNoOpinion) {
    BeatingRing ring(kOneNode);
    ring.run(1'000);
    for (std::uint32_t r = 0; r < 6; ++r) ring.stop(r);
    ring.run(10 * kWindow);
    for (auto& member : ring.members) member.waiting.clear();
    for (std::uint32_t r = 0; r < 6; ++r) {  // They come back one after the other.
        ring.go_on(r);
        ring.run(kWindow / 10);
    }
    ring.run(5 * kWindow);
    EXPECT_TRUE(ring.condemned().empty());
    for (const auto& member : ring.members) EXPECT_FALSE(member.excluded);
}

TEST(Heartbeat, TwoMembersOnTwoNodesLeaveItToTheFence) {
    BeatingRing ring({0, 1});
    ring.run(1'000);
    ring.stop(1);
    ring.run(kWindow * 3 / 2);
    EXPECT_TRUE(ring.condemned().empty());
    ring.run(kWindow * 3 / 4);
    EXPECT_EQ(ring.condemned(), std::set<Rank>{Rank{1}});
    EXPECT_EQ(ring.kills_ordered, 0U);
}

TEST(Heartbeat, TheOnlyMemberElsewhereIsCondemnedByThoseWhoAreTogether) {
    BeatingRing ring({0, 0, 0, 1});
    ring.run(1'000);
    ring.stop(3);
    ring.run(kWindow + kHops);
    EXPECT_EQ(ring.condemned(), std::set<Rank>{Rank{3}});
}

TEST(Heartbeat, AnOrderToKillIsObeyedOnlyByWhoFoundSilenceItself) {
    BeatingRing ring(kOneNode);
    ring.run(1'000);
    const HeartbeatMessage order{
        .word = HeartbeatMessage::kill, .from = Rank{0}, .round = Round{1}, .subject = Rank{2}};
    EXPECT_TRUE(ring.members[1].heart.received(order, ring.now).empty());
}

TEST(HeartbeatMessage, StrangersAndNonsenseAreDropped) {
    const HeartbeatMessage message{
        .word = HeartbeatMessage::condemned, .from = Rank{3}, .round = Round{9}, .subject = Rank{1}};
    const auto bytes = encode(message, 42);
    const auto back = decode_heartbeat(bytes, 42);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->word, message.word);
    EXPECT_EQ(back->from, message.from);
    EXPECT_EQ(back->round, message.round);
    EXPECT_EQ(back->subject, message.subject);
    EXPECT_FALSE(decode_heartbeat(bytes, 43));
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(decode_heartbeat(std::span(bytes).first(size), 42));
    auto odd = bytes;
    odd[12] = std::byte{200};  // The word.
    EXPECT_FALSE(decode_heartbeat(odd, 42));
    BeatingRing ring(kOneNode);
    const HeartbeatMessage far{
        .word = HeartbeatMessage::condemned, .from = Rank{1}, .round = Round{1}, .subject = Rank{77}};
    EXPECT_TRUE(ring.members[0].heart.received(far, ring.now).empty());
}

}  // namespace
}  // namespace muster::core
