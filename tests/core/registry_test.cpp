// SPDX-License-Identifier: Apache-2.0
/// Named versions with fencing tokens (T4), as a fold and as the coordinator serves them.
#include <gtest/gtest.h>

#include "core/registry_server.hpp"
#include "muster/store.hpp"

namespace muster::core {
namespace {

using message::RegistryAsk;

Bytes one(std::uint8_t byte) { return {std::byte{byte}}; }

/// Without followers: what is done is safe.
struct ServedAlone : ::testing::Test {
    JobKeeper keeper{Rank{0}};
    RegistryServer server{keeper, 64};
    std::uint64_t calls = 0;

    void SetUp() override { (void)keeper.complete(Round{1}, Rank{0}, {}, std::nullopt); }

    message::RegistryTold ask(RegistryAsk::What what, const std::string& key, std::optional<RegistryToken> token = {},
                              Bytes bytes = {}) {
        return repeat({CallId{++calls}, what, key, token, std::move(bytes)});
    }
    message::RegistryTold ask_of(std::uint32_t rank, RegistryAsk::What what, const std::string& key,
                                 std::optional<RegistryToken> token, Bytes bytes = {}) {
        (void)server.ask(Rank{rank}, {CallId{++calls}, what, key, token, std::move(bytes)});
        return std::move(server.take_replies().at(0).told);
    }
    message::RegistryTold repeat(const RegistryAsk& ask) {
        (void)server.ask(Rank{5}, ask);
        auto replies = server.take_replies();
        EXPECT_EQ(replies.size(), 1u);
        EXPECT_EQ(replies.at(0).client, Rank{5});
        return std::move(replies.at(0).told);
    }
};

TEST_F(ServedAlone, T4_WithoutATokenASetNeedsThatNothingIsThere) {
    EXPECT_EQ(ask(RegistryAsk::get, "a").token, std::nullopt);
    const auto first = ask(RegistryAsk::set, "a", {}, one(1));
    EXPECT_TRUE(first.accepted);
    EXPECT_EQ(first.bytes, one(1));
    const auto second = ask(RegistryAsk::set, "a", {}, one(2));
    EXPECT_FALSE(second.accepted);
    EXPECT_EQ(second.bytes, one(1));
    EXPECT_EQ(second.token, first.token);
}

TEST_F(ServedAlone, T4_ATokenThatMatchesReplacesAndOneThatDoesNotAnswersWithWhatIsThere) {
    const auto first = ask(RegistryAsk::set, "a", {}, one(1));
    const auto second = ask(RegistryAsk::set, "a", first.token, one(2));
    EXPECT_TRUE(second.accepted);
    EXPECT_NE(second.token, first.token);
    const auto stale = ask(RegistryAsk::set, "a", first.token, one(3));
    EXPECT_FALSE(stale.accepted);
    EXPECT_EQ(stale.bytes, one(2));
    EXPECT_EQ(stale.token, second.token);
    EXPECT_EQ(ask(RegistryAsk::get, "a").bytes, one(2));
}

TEST_F(ServedAlone, T4_ATokenOfSomethingThatIsGoneFindsNothing) {
    const auto first = ask(RegistryAsk::set, "a", {}, one(1));
    EXPECT_TRUE(ask(RegistryAsk::erase, "a", first.token).accepted);
    const auto late = ask(RegistryAsk::set, "a", first.token, one(2));
    EXPECT_FALSE(late.accepted);
    EXPECT_EQ(late.token, std::nullopt);
    const auto anew = ask(RegistryAsk::set, "a", {}, one(3));
    EXPECT_TRUE(anew.accepted);
    EXPECT_NE(anew.token, first.token);  // A token never comes again, also not for the same bytes.
}

TEST_F(ServedAlone, AnEraseNeedsTheVersionToo) {
    const auto first = ask(RegistryAsk::set, "a", {}, one(1));
    EXPECT_FALSE(ask(RegistryAsk::erase, "a").accepted);
    EXPECT_EQ(ask(RegistryAsk::get, "a").token, first.token);
}

TEST_F(ServedAlone, TheSameCallIsNotDoneTwice) {
    const RegistryAsk set{CallId{++calls}, RegistryAsk::set, "a", {}, one(1)};
    const auto first = repeat(set), again = repeat(set);
    EXPECT_TRUE(again.accepted);
    EXPECT_EQ(again.token, first.token);
    EXPECT_EQ(keeper.position().index, 1u);
}

/// Found by the simulator: a coordinator dies between doing and telling, the change is asked for again, and meanwhile
/// the key has gone or is another's. It was said not to be accepted, or was done a second time.
TEST_F(ServedAlone, AChangeThatWasDoneIsRememberedWhateverOthersHaveMadeOfIt) {
    const RegistryAsk set{CallId{100}, RegistryAsk::set, "a", {}, one(1), CallId{100}};
    const auto first = repeat(set);
    EXPECT_TRUE(ask_of(6, RegistryAsk::set, "a", first.token, one(2)).accepted);
    const auto replaced = repeat(set);
    EXPECT_TRUE(replaced.accepted);
    EXPECT_EQ(replaced.bytes, one(2)) << "what is there now";
    EXPECT_TRUE(ask_of(6, RegistryAsk::erase, "a", replaced.token).accepted);
    EXPECT_TRUE(repeat(set).accepted);
    EXPECT_EQ(ask(RegistryAsk::get, "a").token, std::nullopt) << "not set a second time";

    const auto again = ask_of(6, RegistryAsk::set, "a", {}, one(3));
    const RegistryAsk erase{CallId{101}, RegistryAsk::erase, "a", again.token, {}, CallId{100}};
    EXPECT_TRUE(repeat(erase).accepted);
    EXPECT_TRUE(repeat(erase).accepted);
}

TEST_F(ServedAlone, WhatIsSettledIsForgottenAndTooManyUnsettledAreRefused) {
    EXPECT_TRUE(repeat({CallId{1}, RegistryAsk::erase, "none", {}, {}, CallId{1}}).accepted);
    EXPECT_TRUE(repeat({CallId{2}, RegistryAsk::erase, "none", {}, {}, CallId{2}}).accepted);
    (void)server.ask(Rank{5}, {CallId{1}, RegistryAsk::erase, "none", {}, {}, CallId{1}});
    EXPECT_TRUE(server.take_replies().empty()) << "nobody waits for it";
    for (std::uint64_t id = 3; id < 1026; ++id)
        ASSERT_TRUE(repeat({CallId{id}, RegistryAsk::erase, "none", {}, {}, CallId{2}}).accepted) << id;
    const auto refused = repeat({CallId{1026}, RegistryAsk::erase, "none", {}, {}, CallId{2}});
    ASSERT_TRUE(refused.error);
    EXPECT_NE(refused.error->find("'none'"), std::string::npos);
    EXPECT_TRUE(repeat({CallId{1027}, RegistryAsk::erase, "none", {}, {}, CallId{1027}}).accepted);
}

TEST_F(ServedAlone, KeysAndBytesHaveLimits) {
    const auto first = ask(RegistryAsk::set, "a", {}, Bytes(62));
    EXPECT_TRUE(first.accepted);
    ASSERT_TRUE(ask(RegistryAsk::set, "b").accepted) << "64 of 64 bytes";
    EXPECT_TRUE(ask(RegistryAsk::set, "a", first.token, Bytes(63)).error) << "one too many";
    EXPECT_EQ(ask(RegistryAsk::get, "a").token, first.token);
    const auto unnamed = ask(RegistryAsk::set, "", {}, one(1));
    ASSERT_TRUE(unnamed.error);
    EXPECT_NE(unnamed.error->find("64"), std::string::npos);
    EXPECT_TRUE(ask(RegistryAsk::set, std::string(kStoreKeyMax + 1, 'k')).error);
    EXPECT_TRUE(ask(RegistryAsk::set, "a", first.token, Bytes(62)).accepted) << "its own bytes make room";
}

TEST(RegistryServed, AnAnswerWaitsForTheFollowers) {
    JobKeeper keeper{Rank{0}}, follower{Rank{1}};
    RegistryServer server{keeper, 64};
    const auto copies = keeper.complete(Round{1}, Rank{0}, {Rank{1}}, std::nullopt);
    (void)server.ask(Rank{5}, {CallId{1}, RegistryAsk::set, "a", {}, one(1)});
    EXPECT_TRUE(server.take_replies().empty()) << "not even folded: the state is not mirrored yet";
    (void)follower.complete(Round{1}, Rank{0}, {Rank{1}}, std::nullopt);
    const auto kept = [&](const MirrorEffects& effects) {
        MirrorEffects out;
        for (const auto& effect : effects)
            if (const auto* sent = std::get_if<MirrorSend>(&effect))
                for (const auto& back : follower.received(Rank{0}, std::get<message::Copy>(sent->message)))
                    out = keeper.received(Rank{1}, std::get<message::Kept>(std::get<MirrorSend>(back).message));
        return out;
    };
    EXPECT_EQ(kept(copies).size(), 1u);  // Safe: it serves.
    const auto entry = server.serve();
    EXPECT_TRUE(server.take_replies().empty());
    (void)kept(entry);
    const auto replies = server.take_replies();
    ASSERT_EQ(replies.size(), 1u);
    EXPECT_TRUE(replies[0].told.accepted);
    EXPECT_EQ(follower.state().registry().find("a")->bytes, one(1));
}

TEST(RegistryFold, ASnapshotIsTheWholeOfItAndNonsenseIsRefused) {
    Registry registry, copy;
    using Version = Registry::Version;
    ASSERT_TRUE(
        registry.apply(Registry::entry({Rank{2}, CallId{3}, CallId{3}, "a", Version{RegistryToken{7}, one(1)}})));
    ASSERT_TRUE(
        registry.apply(Registry::entry({Rank{2}, CallId{4}, CallId{3}, "b", Version{RegistryToken{8}, one(2)}})));
    ASSERT_TRUE(registry.apply(Registry::entry({Rank{1}, CallId{9}, CallId{9}, "a", std::nullopt})));
    auto snapshot = registry.snapshot();
    ASSERT_TRUE(copy.load(snapshot));
    EXPECT_EQ(copy.snapshot(), snapshot);
    EXPECT_EQ(copy.find("a"), nullptr);
    EXPECT_EQ(copy.find("b")->bytes, one(2));
    EXPECT_TRUE(copy.was_done(Rank{2}, CallId{3}) && copy.was_done(Rank{2}, CallId{4}) &&
                copy.was_done(Rank{1}, CallId{9}));
    EXPECT_EQ(copy.settled(Rank{1}), CallId{9});
    ASSERT_TRUE(copy.apply(Registry::entry({Rank{2}, CallId{6}, CallId{4}, "c", std::nullopt})));
    EXPECT_FALSE(copy.was_done(Rank{2}, CallId{3})) << "its client has the answer";
    EXPECT_TRUE(copy.was_done(Rank{2}, CallId{4}));
    ASSERT_TRUE(copy.load(snapshot));
    EXPECT_EQ(copy.bytes(), 2u);
    snapshot.pop_back();
    EXPECT_FALSE(copy.load(snapshot));
    EXPECT_FALSE(copy.apply(one(9)));
    EXPECT_EQ(copy.find("b")->token, RegistryToken{8});
}

}  // namespace
}  // namespace muster::core
