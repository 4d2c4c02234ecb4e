// SPDX-License-Identifier: Apache-2.0
/// What each of the store's operations does and refuses, in one complete round.
#include "core/store.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "store_support.hpp"

namespace muster::core {
namespace {

using namespace testing;

class Store : public ::testing::Test {
protected:
    Store() { at.complete(4); }
    FakeStore at;
};

TEST_F(Store, PrefixIsASetting_T28_T35) {
    EXPECT_EQ(store_prefix({.run_id = "job-7"}, Round{12}), "muster.rendezvous.job-7.12");
    EXPECT_EQ(store_prefix({.prefix = "torch.rendezvous", .run_id = "a"}, Round{0}), "torch.rendezvous.a.0");
}

TEST_F(Store, GivesBackWhatWasSet) {
    EXPECT_EQ(at.now_says(0, set("x", "one")), "ok");
    EXPECT_EQ(at.now_says(1, get("x")), "ok one");
    EXPECT_EQ(at.now_says(2, set("x", "two")), "ok");
    EXPECT_EQ(at.now_says(1, get("x")), "ok two");
    EXPECT_EQ(at.now_says(1, set("empty", "")), "ok");
    EXPECT_EQ(at.now_says(1, get("empty")), "ok ");
    EXPECT_EQ(at.now_says(1, num_keys()), "ok 2");
}

TEST_F(Store, AGetWaitsForItsKey) {
    const auto waiting = at.call(1, get("x"));
    EXPECT_EQ(at.answer(waiting), "");
    at.call(0, set("y", "other"));
    EXPECT_EQ(at.answer(waiting), "");
    at.call(0, set("x", "here"));
    EXPECT_EQ(at.answer(waiting), "ok here");
    EXPECT_EQ(at.server.open_calls(), 0u);
    EXPECT_EQ(at.server.open_bytes(), 0u);
}

TEST_F(Store, AWaitWantsAllItsKeysAtTheSameMoment) {
    const auto waiting = at.call(1, wait({"a", "b", "a", "c"}));
    at.call(0, set("a", "1"));
    at.call(0, set("b", "1"));
    at.call(0, erase("a"));
    at.call(0, set("c", "1"));
    EXPECT_EQ(at.answer(waiting), "") << "a is gone again";
    at.call(0, set("b", "2"));
    EXPECT_EQ(at.answer(waiting), "");
    at.call(0, set("a", "2"));
    EXPECT_EQ(at.answer(waiting), "ok");
    EXPECT_EQ(at.now_says(2, wait({"a", "b"})), "ok");
    EXPECT_EQ(at.now_says(2, wait({})), "ok");
}

TEST_F(Store, AddCountsAndWakes) {
    const auto waiting = at.call(3, get("n"));
    EXPECT_EQ(at.now_says(0, add("n", 5)), "ok 5");
    EXPECT_EQ(at.answer(waiting), "ok 5") << "torch's HashStore forgets to";
    EXPECT_EQ(at.now_says(1, add("n", -7)), "ok -2");
    EXPECT_EQ(at.now_says(2, get("n")), "ok -2");
    at.call(0, set("n", "9223372036854775806"));
    EXPECT_EQ(at.now_says(0, add("n", 1)), "ok 9223372036854775807");
}

TEST_F(Store, AddRefusesWhatIsNoNumberByName) {
    for (const auto* value : {"abc", "12abc", " 12", "+1", "", "1.5", "9223372036854775808", "0x10"}) {
        at.call(0, set("x", value));
        EXPECT_EQ(at.now_says(0, add("x", 1)), "refused: add: the value of key 'x' (" +
                                                   std::to_string(std::string(value).size()) +
                                                   " bytes) is no decimal number of 64 bits");
        EXPECT_EQ(at.now_says(0, get("x")), "ok " + std::string(value)) << "nothing has changed";
    }
}

TEST_F(Store, AddRefusesToOverflow) {
    at.call(0, set("x", "9223372036854775807"));
    EXPECT_EQ(at.now_says(0, add("x", 1)),
              "refused: add: key 'x' holds 9223372036854775807; with 1 it would leave 64 bits");
    at.call(0, set("x", "-1"));
    EXPECT_EQ(at.now_says(0, add("x", std::numeric_limits<std::int64_t>::min())),
              "refused: add: key 'x' holds -1; with -9223372036854775808 it would leave 64 bits");
    EXPECT_EQ(at.now_says(0, get("x")), "ok -1");
}

TEST_F(Store, CompareSetAsTorchDoes) {
    EXPECT_EQ(at.now_says(0, compare_set("k", "was", "new")), "ok") << "not there: nothing is set, nothing to show";
    EXPECT_EQ(at.now_says(0, num_keys()), "ok");
    EXPECT_EQ(at.now_says(0, compare_set("k", "", "first")), "done first");
    EXPECT_EQ(at.now_says(1, compare_set("k", "", "mine")), "ok first");
    EXPECT_EQ(at.now_says(1, compare_set("k", "wrong", "mine")), "ok first");
    EXPECT_EQ(at.now_says(1, compare_set("k", "first", "mine")), "done mine");
    EXPECT_EQ(at.now_says(1, get("k")), "ok mine");
    at.call(0, set("empty", ""));
    EXPECT_EQ(at.now_says(1, compare_set("empty", "", "full")), "done full") << "an empty value equals an empty one";
}

TEST_F(Store, CompareSetWakes) {
    const auto waiting = at.call(3, wait({"k"}));
    at.call(0, compare_set("k", "", "first"));
    EXPECT_EQ(at.answer(waiting), "ok");
}

TEST_F(Store, EraseSaysWhetherTheKeyWasThere) {
    at.call(0, set("x", "1"));
    EXPECT_EQ(at.now_says(0, erase("x")), "done");
    EXPECT_EQ(at.now_says(0, erase("x")), "ok");
    EXPECT_EQ(at.now_says(0, num_keys()), "ok");
    EXPECT_EQ(at.server.state().bytes(), 0u);
}

TEST_F(Store, ValuesTo64MiBAndNoByteMore) {
    const Value largest = value_of(Bytes(kStoreValueMax)), over = value_of(Bytes(kStoreValueMax + 1));
    EXPECT_EQ(at.now_says(0, store::Set{"big", largest}), "ok");
    EXPECT_EQ(at.now_says(0, store::Set{"bigger", over}),
              "refused: the value for key 'bigger' has 67108865 bytes, more than 67108864");
    EXPECT_EQ(at.now_says(0, store::CompareSet{"bigger", {}, over}),
              "refused: the value for key 'bigger' has 67108865 bytes, more than 67108864");
    EXPECT_EQ(at.now_says(0, store::CompareSet{"bigger", *over, largest}),
              "refused: the value for key 'bigger' has 67108865 bytes, more than 67108864");
    EXPECT_EQ(at.now_says(0, num_keys()), "ok 1");
}

TEST_F(Store, KeysHaveAtLeastOneByteAndAtMost4096) {
    EXPECT_EQ(at.now_says(0, set("", "1")), "refused: a key must have at least one byte");
    EXPECT_EQ(at.now_says(0, set(std::string(kStoreKeyMax, 'k'), "1")), "ok");
    EXPECT_EQ(at.now_says(0, get(std::string(kStoreKeyMax + 1, 'k'))),
              "refused: key '" + std::string(64, 'k') + "...' has 4097 bytes, more than 4096");
    std::vector<std::string> keys;
    for (std::size_t i = 0; i <= kStoreWaitKeysMax; ++i) keys.push_back("k" + std::to_string(100'000 + i));
    EXPECT_NE(at.now_says(0, wait(keys)).find("refused: a wait for 65537 keys ('k100000', "), std::string::npos);
    keys.pop_back();
    EXPECT_EQ(at.now_says(0, wait(keys)), "");
}

TEST_F(Store, NamesThatCannotBePrintedAreShownInHex) {
    EXPECT_EQ(in_quotes(std::string("a\n\0\xff", 4)), "'a\\x0a\\x00\\xff'");
}

TEST(StoreBounds, TheStoreIsFullByTheByte) {
    FakeStore at({.bytes_max = 3 * (kStoreKeyCost + 1) + 10});  // Three keys of one letter and ten bytes of values.
    at.complete(1);
    EXPECT_EQ(at.now_says(0, set("a", "1234")), "ok");
    EXPECT_EQ(at.now_says(0, set("b", "1234")), "ok");
    EXPECT_EQ(at.now_says(0, set("c", "123")),
              "refused: the store is full: key 'c' needs 68 bytes more, 138 of 205 are taken");
    EXPECT_EQ(at.now_says(0, add("c", 123)),
              "refused: the store is full: key 'c' needs 68 bytes more, 138 of 205 are taken");
    EXPECT_EQ(at.now_says(0, set("b", "123456")), "ok") << "only what is more counts";
    EXPECT_EQ(at.now_says(0, set("b", "1")), "ok");
    EXPECT_EQ(at.now_says(0, set("c", "123")), "ok");
    EXPECT_EQ(at.server.state().bytes(), 3 * (kStoreKeyCost + 1) + 8u);
    EXPECT_EQ(at.now_says(0, compare_set("a", "1234", "4321")),
              "refused: the store is full: key 'a' needs 4 bytes more, 203 of 205 are taken")
        << "the answer keeps a value";
    EXPECT_EQ(at.now_says(0, compare_set("a", "wrong", "1")),
              "refused: the store is full: key 'a' needs 4 bytes more, 203 of 205 are taken")
        << "and where nothing is set, too";
    EXPECT_EQ(at.now_says(0, compare_set("b", "wrong", "2")), "ok 1");
    EXPECT_EQ(at.now_says(0, get("a")), "ok 1234");
    at.complete(2);
    EXPECT_EQ(at.server.state().bytes(), 0u);
}

TEST(StoreBounds, RememberedValuesCountUntilTheClientHasThem) {
    FakeStore at;
    at.complete(1);
    at.call(0, set("k", std::string(1'000, 'v')));
    const auto before = at.server.state().bytes();
    at.call(1, compare_set("k", "wrong", "new"));
    EXPECT_EQ(at.server.state().bytes(), before + 1'000);
    at.settled_of[Rank{1}] = CallId{2};
    at.call(1, erase("none"));
    EXPECT_EQ(at.server.state().bytes(), before);
    at.call(1, compare_set("k", "wrong", "new"));
    at.gone(1);
    EXPECT_EQ(at.server.state().bytes(), before);
}

TEST(StoreBounds, AClientMustSayWhichAnswersItHas) {
    FakeStore at({.remembered_max = 3});
    at.complete(1);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(at.now_says(0, set("x", "1")), "ok");
    EXPECT_EQ(at.now_says(0, set("x", "2")), "refused: rank 0 has 3 calls under way; 'x' must wait");
    EXPECT_EQ(at.now_says(1, set("x", "3")), "ok") << "another client has its own";
    EXPECT_EQ(at.now_says(0, get("x")), "ok 3");
    at.settled_of[Rank{0}] = CallId{2};
    EXPECT_EQ(at.now_says(0, set("x", "4")), "ok");
    EXPECT_EQ(at.server.state().unsettled(Rank{0}, CallId{}), 3u);
}

TEST(StoreBounds, OpenCallsTakeRoomAndGiveItBack) {
    FakeStore at({.open_bytes_max = 2'000});
    at.complete(1);
    std::vector<FakeStore::Call> open;
    while (at.server.open_calls() == open.size()) open.push_back(at.call(0, get("k" + std::to_string(open.size()))));
    EXPECT_EQ(open.size(), 4u);
    EXPECT_EQ(at.answer(open.back()),
              "refused: too many open calls: 3 hold 1932 of 2000 bytes; no room to wait for 'k3'");
    at.call(1, set("k1", "1"));
    EXPECT_EQ(at.now_says(0, get("k3")), "");
    at.tick(2'000);
    EXPECT_EQ(at.server.open_bytes(), 0u);
}

}  // namespace
}  // namespace muster::core
