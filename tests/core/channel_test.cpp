// SPDX-License-Identifier: Apache-2.0
#include "core/channel.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "support.hpp"

namespace muster::core {
namespace {

using testing::Dice;
using testing::ranks;

std::uint64_t number_in(const Message& message) { return std::get<message::Where>(message).query; }

/// Some channels and what is on the way between them. A message is a number.
struct Net {
    explicit Net(std::uint32_t count) {
        for (std::uint32_t rank = 0; rank < count; ++rank) {
            channels.emplace_back(Rank{rank});
            alive.push_back(true);
            complete.push_back(false);
        }
    }
    std::vector<Rank> survivors() const {
        std::vector<Rank> list;
        for (std::uint32_t rank = 0; rank < channels.size(); ++rank)
            if (alive[rank]) list.push_back(Rank{rank});
        return list;
    }
    void post(std::uint32_t from, std::vector<Transmit> out) {
        for (auto& one : out) {
            kinds.push_back(one.kind);
            on_the_way[{from, one.to.value}].push_back(std::move(one.packet));
        }
    }
    void send(std::uint32_t from, std::uint32_t to) {
        std::vector<Transmit> out;
        channels[from].send(Rank{to}, message::Where{++sent[{from, to}]}, out);
        post(from, std::move(out));
    }
    std::string deliver(std::uint32_t from, std::uint32_t to) {
        auto& queue = on_the_way[{from, to}];
        const Bytes packet = std::move(queue.front());
        queue.pop_front();
        std::vector<Transmit> out;
        std::string note;
        if (const auto message = channels[to].received(Rank{from}, packet, out, note))
            got[{from, to}].push_back(number_in(*message));
        post(to, std::move(out));
        return note;
    }
    /// Somewhere something arrives. False where nothing is on the way to a member of this round.
    bool deliver_any(Dice& dice) {
        std::vector<std::pair<std::uint32_t, std::uint32_t>> can;
        for (const auto& [pair, queue] : on_the_way)
            if (!queue.empty() && alive[pair.second] && complete[pair.second]) can.push_back(pair);
        if (can.empty()) return false;
        const auto [from, to] = can[dice.below(can.size())];
        EXPECT_EQ(deliver(from, to), "");
        return true;
    }
    void tick() {
        for (std::uint32_t rank = 0; rank < channels.size(); ++rank) {
            std::vector<Transmit> out;
            channels[rank].tick(out);
            post(rank, std::move(out));
        }
    }
    void revoke() {
        for (auto& channel : channels) channel.interrupted();
        on_the_way.clear();
        complete.assign(complete.size(), false);
        ++round.value;
    }
    void enter(std::uint32_t rank) {
        std::vector<Transmit> out;
        for (const auto& message : channels[rank].complete(round, survivors(), out))
            returned[rank].push_back(number_in(message));
        complete[rank] = true;
        post(rank, std::move(out));
    }
    void enter_all() {
        for (const Rank rank : survivors()) enter(rank.value);
    }
    void settle(Dice& dice) {
        for (int i = 0; i < 3; ++i, tick())
            while (deliver_any(dice)) {
            }
    }

    std::vector<Channel> channels;
    std::vector<bool> alive, complete;
    Round round{1};
    using Pair = std::pair<std::uint32_t, std::uint32_t>;
    std::map<Pair, std::deque<Bytes>> on_the_way;
    std::map<Pair, std::uint64_t> sent;
    std::map<Pair, std::vector<std::uint64_t>> got;
    std::map<std::uint32_t, std::vector<std::uint64_t>> returned;
    std::vector<std::string> kinds;
};

std::vector<std::uint64_t> up_to(std::uint64_t last) {
    std::vector<std::uint64_t> list;
    for (std::uint64_t n = 1; n <= last; ++n) list.push_back(n);
    return list;
}

/// Three members in round 1.
Net three() {
    Net net(3);
    net.enter_all();
    return net;
}

TEST(Channel, KeepsOrderAndForgetsWhatWasAcknowledged) {
    Net net = three();
    Dice dice(1);
    for (int i = 0; i < 3; ++i) net.send(0, 1);
    EXPECT_EQ(net.channels[0].unacknowledged(), 3u);
    net.settle(dice);
    EXPECT_EQ((net.got[{0, 1}]), up_to(3));
    EXPECT_EQ(net.channels[0].unacknowledged(), 0u);
    EXPECT_EQ(net.kinds.back(), "acknowledgement");
}

TEST(Channel, AcknowledgesWithWhatGoesBackAnyway) {
    Net net = three();
    net.send(0, 1);
    (void)net.deliver(0, 1);
    net.send(1, 0);
    (void)net.deliver(1, 0);
    EXPECT_EQ(net.channels[0].unacknowledged(), 0u);
    net.kinds.clear();
    net.tick();
    EXPECT_EQ(net.kinds, (std::vector<std::string>{"acknowledgement"})) << "only for what went from 1 to 0";
}

TEST(Channel, DoesNotWaitForATickWhereMuchIsOwed) {
    Net net = three();
    Dice dice(1);
    for (int i = 0; i < 32; ++i) net.send(0, 1);
    while (net.deliver_any(dice)) {
    }
    EXPECT_EQ(net.channels[0].unacknowledged(), 0u);
}

TEST(Channel, SendsAgainWhatARevokeHasLostAlsoWhereTheOtherSideKnewNothing) {
    Net net = three();
    Dice dice(1);
    for (int i = 0; i < 3; ++i) net.send(0, 1);
    net.revoke();
    net.send(0, 1);
    EXPECT_TRUE(net.on_the_way.empty()) << "nothing goes out before the round is complete";
    net.enter_all();
    EXPECT_EQ(net.kinds.back(), "resync");
    net.send(0, 1);
    EXPECT_EQ((net.on_the_way[{0, 1}].size()), 1u) << "numbered messages wait for the other side's resync";
    net.settle(dice);
    EXPECT_EQ((net.got[{0, 1}]), up_to(5));
}

TEST(Channel, DoesNotRepeatWhatHasArrived) {
    Net net = three();
    Dice dice(1);
    for (int i = 0; i < 3; ++i) net.send(0, 1);
    (void)net.deliver(0, 1);
    (void)net.deliver(0, 1);
    net.revoke();  // The acknowledgements are lost, and the third message.
    net.enter_all();
    net.kinds.clear();
    net.settle(dice);
    EXPECT_EQ((net.got[{0, 1}]), up_to(3));
    EXPECT_EQ(std::count(net.kinds.begin(), net.kinds.end(), "where"), 1);
}

TEST(Channel, FirstUseThatCrossesAResyncComesOnce) {
    Net net = three();
    Dice dice(1);
    net.send(0, 1);
    net.revoke();
    net.enter_all();   // 0 says its resync; 1 knows of nothing.
    net.send(1, 0);    // So it sends at once.
    net.settle(dice);  // Then it hears that 0 has received nothing, and sends it again.
    EXPECT_EQ((net.got[{0, 1}]), up_to(1));
    EXPECT_EQ((net.got[{1, 0}]), up_to(1));
}

TEST(Channel, ReturnsWhatADeadMemberMayNotHaveSeen) {
    Net net = three();
    for (int i = 0; i < 4; ++i) net.send(0, 2);
    (void)net.deliver(0, 2);
    net.tick();
    (void)net.deliver(2, 0);
    net.alive[2] = false;
    net.revoke();
    net.enter_all();
    EXPECT_EQ(net.returned[0], (std::vector<std::uint64_t>{2, 3, 4}));
    EXPECT_EQ(net.channels[0].unacknowledged(), 0u);
}

TEST(Channel, NothingComesInWhileARoundIsBroken) {
    Net net = three();
    Dice dice(1);
    net.send(0, 1);
    net.channels[1].interrupted();
    EXPECT_NE(net.deliver(0, 1).find("while the round is broken"), std::string::npos);
    EXPECT_TRUE((net.got[{0, 1}].empty()));
    net.revoke();
    net.enter_all();
    net.settle(dice);
    EXPECT_EQ((net.got[{0, 1}]), up_to(1));
}

/// Each of these is dropped with a note and changes nothing: the true packet is accepted afterwards.
TEST(Channel, NonsenseIsDroppedWithANote) {
    Net net = three();
    net.send(0, 1);
    const Bytes good = net.on_the_way[{0, 1}].front();
    const Packet packet = *decode_packet(good);
    const auto note_of = [&](Rank from, const Bytes& bytes) {
        std::vector<Transmit> out;
        std::string note;
        EXPECT_FALSE(net.channels[1].received(from, bytes, out, note));
        EXPECT_TRUE(out.empty());
        return note;
    };
    const auto changed = [&](auto change) {
        Packet other = packet;
        change(other);
        return note_of(Rank{0}, encode(other));
    };
    const auto has = [](const std::string& note, const char* part) { return note.find(part) != std::string::npos; };
    EXPECT_TRUE(has(note_of(Rank{0}, Bytes(good.begin(), good.end() - 1)), "makes no sense"));
    EXPECT_TRUE(has(note_of(Rank{2}, good), "the name of rank 0"));
    EXPECT_TRUE(has(changed([](Packet& p) { p.round = Round{0}; }), "is of round 0"));
    EXPECT_TRUE(has(changed([](Packet& p) { p.round = Round{2}; }), "is of round 2"));
    EXPECT_TRUE(has(changed([](Packet& p) { p.sequence = 2; }), "after a gap"));
    EXPECT_TRUE(has(changed([](Packet& p) { p.acknowledged = 1; }), "never sent"));
    EXPECT_TRUE(has(changed([](Packet& p) { p.sequence = 0, p.message = message::Resync{1}; }), "never sent"));
    EXPECT_EQ(net.deliver(0, 1), "");
    EXPECT_EQ((net.got[{0, 1}]), up_to(1));
}

TEST(Channel, ASecondResyncIsDropped) {
    Net net = three();
    const Bytes resync = encode({Round{1}, Rank{0}, 0, 0, message::Resync{0}});
    std::vector<Transmit> out;
    std::string note;
    EXPECT_FALSE(net.channels[1].received(Rank{0}, resync, out, note));
    EXPECT_EQ(out.size(), 1u);  // Answered with its own.
    EXPECT_FALSE(net.channels[1].received(Rank{0}, resync, out, note));
    EXPECT_EQ(out.size(), 1u);
    EXPECT_NE(note.find("second resync"), std::string::npos);
}

/// One seed's job: sends, deliveries, ticks, revokes that lose everything on the way, deaths.
void live(Net& net, Dice& dice) {
    const auto count = static_cast<std::uint32_t>(net.channels.size());
    net.revoke();
    for (std::uint32_t steps = 60 + dice.below(120); steps > 0; --steps) {
        const std::uint32_t from = dice.below(count), to = dice.below(count);
        if (from != to && net.alive[from] && net.alive[to] && dice.one_in(2)) net.send(from, to);
        if (!dice.one_in(3)) (void)net.deliver_any(dice);
        if (dice.one_in(8)) net.tick();
        const auto late = dice.below(count);
        if (net.alive[late] && !net.complete[late] && dice.one_in(2)) net.enter(late);
        if (!dice.one_in(20)) continue;
        if (dice.one_in(3) && net.survivors().size() > 2) net.alive[dice.below(count)] = false;
        net.revoke();
    }
    net.revoke();
    net.enter_all();
    net.settle(dice);
}

TEST(Channel, WhateverIsLostEachMessageBetweenSurvivorsComesOnceAndInOrder) {
    for (const auto seed : testing::seeds(5'000)) {
        SCOPED_TRACE(testing::replay(seed));
        Dice dice(seed);
        Net net(dice.between(2, 5));
        live(net, dice);
        for (const auto& [pair, count] : net.sent) {
            const auto& got = net.got[pair];
            if (net.alive[pair.first] && net.alive[pair.second]) {
                ASSERT_EQ(got, up_to(count)) << pair.first << " to " << pair.second;
            } else {
                ASSERT_EQ(got, up_to(got.size())) << "a dead member saw a beginning";
            }
        }
        for (const Rank rank : net.survivors()) ASSERT_EQ(net.channels[rank.value].unacknowledged(), 0u);
    }
}

}  // namespace
}  // namespace muster::core
