// SPDX-License-Identifier: Apache-2.0
#include "core/message.hpp"

#include <gtest/gtest.h>

#include "samples.hpp"
#include "support.hpp"

namespace muster::core {
namespace {

using testing::sample_packets;

TEST(Message, EveryKindComesBackAsItWasWritten) {
    std::vector<bool> seen(std::variant_size_v<Message>);
    for (const Packet& packet : sample_packets()) {
        const Bytes bytes = encode(packet);
        const auto back = decode_packet(bytes);
        const std::string kind = packet.message ? name_of(*packet.message) : "bare";
        ASSERT_TRUE(back) << kind;
        EXPECT_EQ(back->round, packet.round);
        EXPECT_EQ(back->sender, packet.sender);
        EXPECT_EQ(back->sequence, packet.sequence);
        EXPECT_EQ(back->acknowledged, packet.acknowledged);
        ASSERT_EQ(back->message.has_value(), packet.message.has_value());
        if (packet.message) {
            EXPECT_EQ(back->message->index(), packet.message->index());
            seen[packet.message->index()] = true;
        }
        EXPECT_EQ(encode(*back), bytes) << kind;  // All fields, since all are written.
    }
    EXPECT_EQ(seen, std::vector<bool>(std::variant_size_v<Message>, true)) << "a kind has no sample";
}

TEST(Message, FieldsKeepTheirMeaning) {
    Packet packet{Round{3}, Rank{7}, 9, 4, message::Tell{{12, Signal::resume, Rank{5}, OperationId{6}}, 11}};
    const auto tell = std::get<message::Tell>(*decode_packet(encode(packet))->message);
    EXPECT_EQ(tell.entry.number, 12u);
    EXPECT_EQ(tell.entry.signal, Signal::resume);
    EXPECT_EQ(tell.entry.origin, Rank{5});
    EXPECT_EQ(tell.entry.operation, OperationId{6});
    EXPECT_EQ(tell.crossed, 11u);
    packet.message = message::Answer{RequestId{8}, false, "No engines connected", {}};
    const auto answer = std::get<message::Answer>(*decode_packet(encode(packet))->message);
    EXPECT_EQ(answer.id, RequestId{8});
    EXPECT_FALSE(answer.ok);
    EXPECT_EQ(answer.reason, "No engines connected");
    packet.message = message::Here{2, {Round{3}, 4, 5, Position::in_barrier}};
    const auto here = std::get<message::Here>(*decode_packet(encode(packet))->message);
    EXPECT_EQ(here.position.crossed, 4u);
    EXPECT_EQ(here.position.vote, 5u);
    EXPECT_EQ(here.position.doing, Position::in_barrier);
}

TEST(Message, WhatIsCutOrTooLongIsNone) {
    for (const Packet& packet : sample_packets()) {
        Bytes bytes = encode(packet);
        for (std::size_t size = 0; size < bytes.size(); ++size)
            EXPECT_FALSE(decode_packet(std::span(bytes).first(size))) << name_of(*packet.message) << " " << size;
        bytes.push_back(std::byte{0});
        EXPECT_FALSE(decode_packet(bytes));
    }
}

TEST(Message, ValuesThatDoNotExistAreRefused) {
    const auto refused = [](const Packet& packet) { return !decode_packet(encode(packet)); };
    Packet packet{Round{1}, Rank{2}, 1, 0, message::Ask{OperationId{1}, static_cast<Wanted>(kWanted)}};
    EXPECT_TRUE(refused(packet));
    packet.message = message::Tell{{1, static_cast<Signal>(kSignals), Rank{0}, OperationId{1}}, 0};
    EXPECT_TRUE(refused(packet));
    packet.message = message::Tell{{1, Signal::pause, Rank{0}, OperationId{1}}, 1};
    EXPECT_TRUE(refused(packet)) << "crossed before it was told";
    packet.message = message::Wake{Round{1}, static_cast<WakeScope>(2), 0};
    EXPECT_TRUE(refused(packet));
    packet.message = message::Here{1, {Round{1}, 0, 0, static_cast<Position::Doing>(7)}};
    EXPECT_TRUE(refused(packet));
    packet.message = message::Connect{};
    EXPECT_FALSE(refused(packet));
    packet.sequence = 0;
    EXPECT_TRUE(refused(packet)) << "only Resync goes without a number";
    packet.message = message::Resync{};
    EXPECT_FALSE(refused(packet));
    packet.sequence = 1;
    EXPECT_TRUE(refused(packet));
}

TEST(Message, AnAbsurdLengthAllocatesNothing) {
    Bytes bytes = encode({Round{1}, Rank{2}, 1, 0, message::Submit{RequestId{1}, {}}});
    for (std::size_t i = bytes.size() - 4; i < bytes.size(); ++i) bytes[i] = std::byte{0xff};
    EXPECT_FALSE(decode_packet(bytes));  // Says 4 GiB; under asan such an allocation would be seen.
}

TEST(Message, AMegabyteComesBackWhole) {
    Bytes payload(1U << 20);
    for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::byte>(i * 7);
    const Bytes bytes = encode({Round{1}, Rank{2}, 1, 0, message::Submit{RequestId{1}, payload}});
    EXPECT_EQ(std::get<message::Submit>(*decode_packet(bytes)->message).bytes, payload);
}

TEST(Message, NamesAreWords) {
    EXPECT_STREQ(name_of(Message{message::Tell{}}), "tell");
    EXPECT_STREQ(name_of(Message{message::StateExists{}}), "state_exists");
    EXPECT_STREQ(name_of(Message{message::Resync{}}), "resync");
    EXPECT_STREQ(name_of(Position::voting), "waiting for the vote");
}

}  // namespace
}  // namespace muster::core
