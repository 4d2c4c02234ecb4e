// SPDX-License-Identifier: Apache-2.0
/// What must outlive the coordinator: who keeps it, when it is safe, who hands it to whom.
#include "core/mirror.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>

#include "support.hpp"

namespace muster::core {
namespace {

using testing::launch_at;
using testing::ranks;

/// A list of bytes; 0xff is no entry.
struct List : Mirrored {
    Bytes bytes;
    bool apply(std::span<const std::byte> entry) override {
        if (entry.size() != 1 || entry[0] == std::byte{0xff}) return false;
        bytes.push_back(entry[0]);
        return true;
    }
    [[nodiscard]] Bytes snapshot() const override { return bytes; }
    bool load(std::span<const std::byte> snapshot) override {
        bytes.assign(snapshot.begin(), snapshot.end());
        return true;
    }
};

struct Holder {
    explicit Holder(Rank self) : mirror(self, list) {}
    List list;
    Mirror mirror;
};

/// Some members whose copies travel in order between each two, when the test says so.
struct MirrorOf : ::testing::Test {
    std::map<Rank, std::unique_ptr<Holder>> holders;
    std::deque<std::pair<Rank, MirrorSend>> in_flight;
    std::map<Rank, int> safe_told;

    Mirror& at(std::uint32_t rank) {
        auto& holder = holders[Rank{rank}];
        if (!holder) holder = std::make_unique<Holder>(Rank{rank});
        return holder->mirror;
    }
    List& list(std::uint32_t rank) { return at(rank), holders[Rank{rank}]->list; }
    void carry(Rank from, MirrorEffects effects) {
        for (auto& effect : effects) {
            if (auto* sent = std::get_if<MirrorSend>(&effect))
                in_flight.emplace_back(from, std::move(*sent));
            else
                ++safe_told[from];
        }
    }
    void deliver_one() {
        auto [from, sent] = std::move(in_flight.front());
        in_flight.pop_front();
        const Rank to = sent.to;
        std::visit([&](auto& one) { carry(to, at(to.value).received(from, std::move(one))); }, sent.message);
    }
    void deliver() {
        while (!in_flight.empty()) deliver_one();
    }
    void round(std::uint32_t number, std::uint32_t coordinator, const std::vector<std::uint32_t>& followers,
               const std::vector<std::uint32_t>& members, std::optional<std::uint32_t> source) {
        in_flight.clear();
        std::vector<Rank> list_of;
        for (const auto follower : followers) list_of.push_back(Rank{follower});
        for (const auto member : members)
            carry(Rank{member}, at(member).complete(Round{number}, Rank{coordinator}, list_of,
                                                    source ? std::optional(Rank{*source}) : std::nullopt));
    }
    void append(std::uint32_t rank, std::uint8_t byte) { carry(Rank{rank}, at(rank).append({std::byte{byte}})); }
};

TEST_F(MirrorOf, NothingIsSafeBeforeAllFollowersHaveIt) {
    round(1, 0, {1, 2}, {0, 1, 2, 3}, std::nullopt);
    EXPECT_FALSE(at(0).serving());
    deliver();
    ASSERT_TRUE(at(0).serving());
    append(0, 7);
    EXPECT_EQ(at(0).safe(), 0u);
    deliver_one();  // To 1,
    deliver_one();  // to 2,
    deliver_one();  // and 1 says that it has it.
    EXPECT_EQ(at(0).safe(), 0u);
    deliver();
    EXPECT_EQ(at(0).safe(), 1u);
    EXPECT_EQ(list(1).bytes, list(0).bytes);
    EXPECT_EQ(list(2).bytes, list(0).bytes);
    EXPECT_TRUE(list(3).bytes.empty());
}

TEST_F(MirrorOf, WithoutFollowersItServesAtOnce) {
    round(1, 0, {}, {0, 1}, std::nullopt);
    EXPECT_TRUE(at(0).serving());
    append(0, 7);
    EXPECT_EQ(at(0).safe(), 1u);
}

TEST_F(MirrorOf, TheSuccessorServesWhenItHasTheFurthestCopyAndItsFollowersHaveIt) {
    round(1, 0, {3}, {0, 1, 2, 3}, std::nullopt);
    deliver();
    append(0, 7);
    deliver();
    ASSERT_EQ(at(3).position(), (MirrorPosition{Round{1}, 1}));
    round(2, 1, {2}, {1, 2, 3}, 3);
    EXPECT_FALSE(at(1).serving());
    deliver_one();  // 3 hands it over.
    EXPECT_EQ(list(1).bytes, Bytes{std::byte{7}});
    EXPECT_FALSE(at(1).serving());  // 2 has no copy yet.
    deliver();
    EXPECT_TRUE(at(1).serving());
    EXPECT_EQ(at(2).position(), (MirrorPosition{Round{2}, 1}));
    EXPECT_GT(at(1).position(), at(3).position());
}

TEST_F(MirrorOf, WhatWasSafeIsThereAsLongAsOneHolderIsLeft) {
    round(1, 0, {1, 2}, {0, 1, 2, 3}, std::nullopt);
    deliver();
    append(0, 7);
    deliver();
    round(2, 3, {}, {2, 3}, 2);  // 0 and 1 are gone.
    deliver();
    EXPECT_EQ(list(3).bytes, Bytes{std::byte{7}});
    EXPECT_TRUE(at(3).serving());
}

TEST_F(MirrorOf, ACoordinatorThatStaysKeepsWhatItHasAndCopiesItToNewFollowers) {
    round(1, 0, {1}, {0, 1, 2}, std::nullopt);
    deliver();
    append(0, 7);  // On its way when the round breaks.
    round(2, 0, {2}, {0, 2}, 0);
    EXPECT_FALSE(at(0).serving());
    deliver();
    EXPECT_TRUE(at(0).serving());
    EXPECT_EQ(at(0).safe(), 1u);
    EXPECT_EQ(list(2).bytes, Bytes{std::byte{7}});
}

TEST_F(MirrorOf, StrangersGapsOldRoundsAndNonsenseAreDropped) {
    round(2, 0, {1}, {0, 1, 2}, std::nullopt);
    deliver();
    const auto nothing = [&](Rank from, const message::Copy& copy) {
        const auto before = at(1).position();
        const bool quiet = at(1).received(from, copy).empty();
        return quiet && at(1).position() == before && list(1).bytes.empty();
    };
    EXPECT_TRUE(nothing(Rank{2}, {Round{2}, 1, false, {std::byte{7}}}));
    EXPECT_TRUE(nothing(Rank{0}, {Round{1}, 1, false, {std::byte{7}}}));
    EXPECT_TRUE(nothing(Rank{0}, {Round{2}, 2, false, {std::byte{7}}}));
    EXPECT_TRUE(nothing(Rank{0}, {Round{2}, 1, false, {std::byte{0xff}}}));
    EXPECT_FALSE(nothing(Rank{0}, {Round{2}, 1, false, {std::byte{7}}}));
    // On the coordinator: of nobody's count but a follower's, and of nothing that it has not sent.
    append(0, 7);
    EXPECT_TRUE(at(0).received(Rank{2}, message::Kept{Round{2}, 1}).empty());
    EXPECT_TRUE(at(0).received(Rank{1}, message::Kept{Round{1}, 1}).empty());
    EXPECT_TRUE(at(0).received(Rank{1}, message::Kept{Round{2}, 2}).empty());
    EXPECT_EQ(at(0).safe(), 0u);
    EXPECT_FALSE(at(0).received(Rank{1}, message::Kept{Round{2}, 1}).empty());
    EXPECT_EQ(at(0).safe(), 1u);
}

TEST(Followers, AreOnOtherNodesFirstAndOfTheWorldFirst) {
    const auto launch = launch_at({"a", "a", "b", "b", "c"});
    const auto world = ranks({0, 1, 2, 3});
    EXPECT_EQ(followers_of(Rank{0}, world, ranks({4}), launch, 2), ranks({2, 4}));
    EXPECT_EQ(followers_of(Rank{0}, world, ranks({4}), launch, 3), ranks({2, 4, 1}));
    EXPECT_EQ(followers_of(Rank{2}, world, {}, launch, 2), ranks({0, 1}));
    EXPECT_EQ(followers_of(Rank{0}, ranks({0}), {}, launch, 2), ranks({}));
    EXPECT_EQ(followers_of(Rank{0}, world, ranks({4}), launch, 0), ranks({}));
}

}  // namespace
}  // namespace muster::core
