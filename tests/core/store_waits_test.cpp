// SPDX-License-Identifier: Apache-2.0
/// Ten thousand waits at once: what is looked at is counted, since time on a shared machine says little.
#include <gtest/gtest.h>

#include "store_support.hpp"

namespace muster::core {
namespace {

using namespace testing;

constexpr std::uint32_t kWaits = 10'000;
constexpr std::uint32_t kClients = 1'000;

class StoreWaits : public ::testing::Test {
protected:
    StoreWaits() { at.complete(1, kClients); }
    /// Open calls that were looked at while `action` was carried out.
    template <class Action>
    std::uint64_t examined(Action action) {
        const auto before = at.server.examined();
        action();
        return at.server.examined() - before;
    }
    static std::string key(std::uint32_t number) { return "k" + std::to_string(number); }
    FakeStore at;
};

TEST_F(StoreWaits, OnDifferentKeysAChangeLooksAtItsOwn) {
    std::vector<FakeStore::Call> calls;
    EXPECT_EQ(examined([&] {
                  for (std::uint32_t i = 0; i < kWaits; ++i) calls.push_back(at.call(i % kClients, get(key(i))));
              }),
              0u);
    EXPECT_EQ(at.server.open_calls(), kWaits);
    EXPECT_EQ(examined([&] { at.call(0, set(key(5'000), "here")); }), 1u);
    EXPECT_EQ(examined([&] { at.call(0, set("nobody's", "1")); }), 0u);
    EXPECT_EQ(at.answer(calls[5'000]), "ok here");
    EXPECT_EQ(at.server.open_calls(), kWaits - 1);
}

TEST_F(StoreWaits, OnOneKeyTheyShareOneValue) {
    for (std::uint32_t i = 0; i < kWaits; ++i) at.call(i % kClients, get("nccl"));
    at.answers.clear();
    EXPECT_EQ(examined([&] { at.call(0, set("nccl", std::string(1 << 20, 'i'))); }), kWaits);
    ASSERT_EQ(at.answers.size(), kWaits + 1);
    for (std::size_t i = 1; i <= kWaits; ++i) ASSERT_EQ(at.answers[i].second.value, at.server.state().find("nccl"));
    EXPECT_EQ(at.server.open_calls(), 0u);
    EXPECT_EQ(at.mirrored, 2u) << "Begin and the change: waiting is nothing that followers need";
}

TEST_F(StoreWaits, ATickLooksAtThoseThatAreDue) {
    for (std::uint32_t i = 0; i < kWaits; ++i) at.call(i % kClients, get(key(i)), 1'000 + i);
    EXPECT_EQ(examined([&] { at.tick(999); }), 0u);
    EXPECT_EQ(examined([&] { at.tick(10); }), 10u);
    EXPECT_EQ(at.server.open_calls(), kWaits - 10);
    EXPECT_EQ(examined([&] { at.tick(kWaits); }), kWaits - 10);
    EXPECT_EQ(at.answers.size(), kWaits);
    EXPECT_EQ(at.server.open_bytes(), 0u);
}

TEST_F(StoreWaits, AClientThatGoesIsNotSearchedFor) {
    for (std::uint32_t i = 0; i < kWaits; ++i) at.call(i % kClients, get(key(i)));
    EXPECT_EQ(examined([&] { at.gone(17); }), kWaits / kClients);
    EXPECT_EQ(at.server.open_calls(), kWaits - kWaits / kClients);
}

TEST_F(StoreWaits, OneWaitForTenThousandKeysIsLookedAtOnceForEach) {
    std::vector<std::string> keys;
    for (std::uint32_t i = 0; i < kWaits; ++i) keys.push_back(key(i));
    const auto all = at.call(0, wait(keys));
    EXPECT_EQ(examined([&] {
                  StoreServer& server = at.server;  // Without the comparison of snapshots.
                  for (std::uint32_t i = 0; i < kWaits; ++i) {
                      const StoreCall call{CallId{i + 1}, CallId{i + 1}, Round{1}, 1'000, set(key(i), "1")};
                      const auto effects = server.call(Rank{1}, call, at.now);
                      ASSERT_EQ(effects.size(), i + 1 < kWaits ? 2u : 3u);
                      for (const auto& effect : effects) {
                          const auto* mirror = std::get_if<StoreMirror>(&effect);
                          ASSERT_TRUE(mirror == nullptr || at.follower.apply(mirror->entry));
                      }
                  }
              }),
              kWaits);
    EXPECT_EQ(at.server.open_calls(), 0u);
    EXPECT_EQ(at.answer(all), "") << "the answer was among the effects";
}

TEST_F(StoreWaits, ANewRoundAnswersAllOfThem) {
    for (std::uint32_t i = 0; i < kWaits; ++i) at.call(i % kClients, get(key(i % 100)));
    at.complete(2, kClients);
    EXPECT_EQ(at.answers.size(), kWaits);
    EXPECT_EQ(at.server.open_calls(), 0u);
}

}  // namespace
}  // namespace muster::core
