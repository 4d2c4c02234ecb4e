// SPDX-License-Identifier: Apache-2.0
/// Bytes that nobody meant to send: no crash, no read beyond the end, and nothing changes on whoever gets them.
#include <gtest/gtest.h>

#include "core/message.hpp"
#include "fake_members.hpp"
#include "samples.hpp"

namespace muster::core {
namespace {

using testing::Dice;
using testing::FakeMembers;
using testing::sample_packets;
using testing::spoiled;

TEST(MessageFuzz, AMillionSpoiledPacketsAreNoneOrExactlyWhatTheySay) {
    Dice dice(20260101);
    const auto samples = sample_packets();
    std::vector<Bytes> encoded;
    for (const auto& packet : samples) encoded.push_back(encode(packet));
    std::uint32_t sensible = 0;
    for (std::uint32_t i = 0; i < 1'000'000; ++i) {
        const Bytes bytes = spoiled(encoded[dice.below(encoded.size())], dice);
        const auto packet = decode_packet(bytes);
        if (!packet) continue;
        ++sensible;
        ASSERT_EQ(encode(*packet), bytes) << "input " << i;  // There is one way to write a packet.
    }
    EXPECT_GT(sensible, 100'000u);  // Turned bits in numbers still make a packet; that must be tried too.
    EXPECT_LT(sensible, 900'000u);
}

/// A packet that `to` must drop whatever its state is: unreadable, in another's name, or of another round.
bool is_nonsense(const Bytes& bytes, Rank from, Round round) {
    const auto packet = decode_packet(bytes);
    return !packet || packet->sender != from || packet->round != round;
}

/// Some job's life under `seed`, with so many packets of nonsense before each packet that is meant.
FakeMembers life(std::uint64_t seed, std::uint32_t nonsense) {
    FakeMembers job({.engines = 5, .standbys = 1, .clients = 2, .seed = seed});
    const auto dice = std::make_shared<Dice>(seed + 1);
    job.before_delivery = [dice, nonsense, live = &job](Rank from, Rank to, const Bytes& packet) {
        for (std::uint32_t i = 0; i < nonsense; ++i) {
            const Bytes bytes = spoiled(packet, *dice);
            if (!is_nonsense(bytes, from, live->view().round)) continue;
            const auto effects = live->board(to.value).received(from, bytes);
            ASSERT_EQ(effects.size(), 1u);
            ASSERT_TRUE(std::holds_alternative<Note>(effects.front()));
        }
    };
    for (std::uint32_t i = 0; i < 12; ++i) {
        job.ask(job.client(i % 2), static_cast<Wanted>(job.dice().below(kWanted)));
        job.submit(job.client(i % 2), static_cast<std::uint8_t>(i));
        job.run(job.dice().below(60));
        if (i == 4) job.kill(0);
        if (i == 4) job.rebuild();
    }
    job.settle();
    job.before_delivery = nullptr;
    return job;
}

TEST(MessageFuzz, NonsenseChangesNothing) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        SCOPED_TRACE(testing::replay(seed));
        auto quiet = life(seed, 0), noisy = life(seed, 20);
        ASSERT_EQ(quiet.sent, noisy.sent);  // Every later packet, so everything that decides about them.
        for (std::uint32_t rank = 0; rank < 8; ++rank) {
            EXPECT_EQ(quiet.at(rank).history, noisy.at(rank).history);
            EXPECT_EQ(quiet.at(rank).notes, noisy.at(rank).notes);
            EXPECT_EQ(quiet.at(rank).requests.size(), noisy.at(rank).requests.size());
        }
    }
}

/// What can still be read may mean something; whatever it is, it breaks nothing.
TEST(MessageFuzz, SpoiledButReadablePacketsBreakNoMember) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        SCOPED_TRACE(testing::replay(seed));
        FakeMembers job({.engines = 4, .standbys = 1, .clients = 2, .seed = seed});
        Dice dice(seed);
        std::vector<Bytes> heard;
        job.before_delivery = [&](Rank, Rank, const Bytes& packet) { heard.push_back(packet); };
        for (std::uint32_t i = 0; i < 10; ++i) {
            job.ask(job.client(i % 2), static_cast<Wanted>(job.dice().below(kWanted)));
            job.submit(job.client(i % 2), static_cast<std::uint8_t>(i));
            job.run(40);
        }
        const auto samples = sample_packets();
        for (std::uint32_t i = 0; i < 5'000; ++i) {
            const Rank from{dice.below(8)}, to{dice.below(7)};
            auto packet = decode_packet(dice.one_in(2) ? heard[dice.below(heard.size())]
                                                       : encode(samples[dice.below(samples.size())]));
            packet->round = job.view().round;
            packet->sender = from;
            if (packet->sequence > 0) packet->sequence = 1 + dice.below(40);
            packet->acknowledged = dice.below(20);
            job.carry_out(to.value, job.board(to.value).received(from, spoiled(encode(*packet), dice)));
            EXPECT_LE(job.board(to.value).facts().pending.size(), kPendingMax);
        }
    }
}

}  // namespace
}  // namespace muster::core
