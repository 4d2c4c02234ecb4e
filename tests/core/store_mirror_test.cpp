// SPDX-License-Identifier: Apache-2.0
/// Followers hold what the coordinator holds, a call is done once, and a random life agrees with a plain dictionary.
#include <gtest/gtest.h>

#include <set>

#include "store_support.hpp"

namespace muster::core {
namespace {

using namespace testing;

TEST(StoreMirror, AnEntryComesBeforeTheAnswersThatDependOnIt) {
    StoreServer server({});
    (void)server.complete(Round{1}, ranks_up_to(2));
    (void)server.call(Rank{1}, {CallId{1}, CallId{1}, Round{1}, 100, get("x")}, 0);
    const auto effects = server.call(Rank{0}, {CallId{1}, CallId{1}, Round{1}, 100, set("x", "1")}, 0);
    ASSERT_EQ(effects.size(), 3u);
    EXPECT_EQ(std::get<StoreMirror>(effects[0]).entry.number, 2u);
    EXPECT_EQ(std::get<StoreReply>(effects[1]).client, Rank{0});
    EXPECT_EQ(std::get<StoreReply>(effects[2]).client, Rank{1});
    for (const auto place : {1, 2}) EXPECT_EQ(std::get<StoreReply>(effects[place]).after, 2u);
}

TEST(StoreMirror, AFollowerTakesTheNextEntryOnly) {
    StoreState follower({});
    const StoreEntry begin{.round = Round{3}, .number = 1, .change = store::Begin{}};
    StoreEntry one{Round{3}, 2, Rank{0}, CallId{1}, CallId{1}, store::Add{"n", 1}};
    EXPECT_FALSE(follower.apply(one)) << "no round has begun";
    EXPECT_TRUE(follower.apply(begin));
    EXPECT_FALSE(follower.apply(begin));
    EXPECT_TRUE(follower.apply(one));
    EXPECT_FALSE(follower.apply(one)) << "a repeat";
    one.number = 3;
    EXPECT_FALSE(follower.apply(one)) << "the same call under another number";
    one.id = CallId{2}, one.number = 4;
    EXPECT_FALSE(follower.apply(one)) << "a gap";
    one.number = 3, one.round = Round{2};
    EXPECT_FALSE(follower.apply(one)) << "an older round";
    one.round = Round{4};
    EXPECT_FALSE(follower.apply(one)) << "of a later round only its beginning";
    EXPECT_EQ(text_of(follower.find("n")), "1");
    EXPECT_TRUE(follower.apply({.round = Round{5}, .number = 1, .change = store::Begin{}}));
    EXPECT_FALSE(follower.apply({.round = Round{4}, .number = 1, .change = store::Begin{}}));
    EXPECT_EQ(follower.find("n"), nullptr);
}

TEST(StoreMirror, ACallThatWasDoneIsAnsweredAgainAndNotDoneAgain) {
    FakeStore at;
    at.complete(1);
    const auto counted = at.call(0, add("n", 1)), won = at.call(0, compare_set("leader", "", "zero"));
    const auto lost = at.call(1, compare_set("leader", "", "1")), taken = at.call(1, erase("n"));
    const auto wrong = at.call(1, add("leader", 1));
    at.call(2, set("leader", ""));
    FakeStore successor;
    successor.server = StoreServer(successor.settings, *StoreState::from_snapshot({}, at.follower.snapshot()));
    successor.follower = at.follower;
    successor.complete(1);
    for (auto* job : {&at, &successor}) {
        job->answers.clear();
        job->again(counted, Round{1}, add("n", 1));
        job->again(won, Round{1}, compare_set("leader", "", "zero"));
        job->again(lost, Round{1}, compare_set("leader", "", "1"));
        job->again(taken, Round{1}, erase("n"));
        job->again(wrong, Round{1}, add("leader", 1));
        EXPECT_EQ(job->answer(counted), "ok 1");
        EXPECT_EQ(job->answer(won), "done zero");
        EXPECT_EQ(job->answer(lost), "ok zero") << "it would be accepted now";
        EXPECT_EQ(job->answer(taken), "done");
        EXPECT_EQ(job->answer(wrong),
                  "refused: add: the value of key 'leader' (4 bytes) is no decimal number of 64 bits");
        EXPECT_EQ(job->now_says(3, num_keys()), "ok 1");
    }
}

TEST(StoreMirror, AnOpenCallThatIsMadeAgainIsAnsweredOnce) {
    FakeStore at;
    at.complete(1);
    const auto waiting = at.call(0, get("x")), held = at.call_of(Round{2}, 0, add("n", 1));
    at.again(waiting, Round{1}, get("x"));
    at.again(held, Round{2}, add("n", 1));
    EXPECT_EQ(at.server.open_calls(), 2u);
    at.call(1, set("x", "1"));
    EXPECT_EQ(at.answer(waiting), "ok 1");
    at.complete(2);
    EXPECT_EQ(at.answer(held), "ok 1");
    EXPECT_EQ(at.now_says(1, get("n")), "ok 1");
}

TEST(StoreMirror, ARepeatOfWhatTheClientHasIsDropped) {
    FakeStore at;
    at.complete(1);
    const auto first = at.call(0, add("n", 1));
    at.settled_of[Rank{0}] = CallId{2};
    at.call(0, add("n", 1));
    at.again(first, Round{1}, add("n", 1));
    EXPECT_EQ(at.answer(first), "ok 1") << "once, and not done twice";
    EXPECT_EQ(at.now_says(1, get("n")), "ok 2");
}

/// Calls at random, made again at random, with rounds, deaths and successors between them.
class Life {
public:
    explicit Life(std::uint64_t seed) : dice(seed) { begin(); }
    void step() {
        switch (dice.below(20)) {
            case 0: return again();
            case 1: return dice.one_in(4) ? begin() : at.tick(dice.below(400));
            case 2: return dice.one_in(4) ? succeed() : settle();
            case 3: return dice.one_in(4) ? leave() : early();
            default: return act();
        }
    }
    /// Everything ends: nothing is open, and each call of a client that lives has its answer, always the same.
    void end() {
        at.tick(1'000'000);
        EXPECT_EQ(at.server.open_calls(), 0u);
        EXPECT_EQ(at.server.open_bytes(), 0u);
        for (const auto& [call, made] : calls) {
            std::set<std::string> said;
            for (const auto& [to, answer] : at.answers)
                if (to == call && !outdated(answer)) said.insert(words(answer));
            EXPECT_TRUE(!may_change(made.operation) || said.size() <= 1) << at.answer(call);
            EXPECT_NE(at.answer(call), "") << "call " << call.second.value << " of rank " << call.first.value;
        }
    }

private:
    struct Made {
        Round round;
        StoreOperation operation;
    };
    static bool outdated(const StoreAnswer& answer) {
        return answer.error && answer.error->text.find("the job is in round") != std::string::npos;
    }
    std::string key() { return std::string(1, static_cast<char>('a' + dice.below(5))); }
    std::string value() { return dice.one_in(6) ? "" : std::to_string(static_cast<int>(dice.below(4)) - 1); }
    StoreOperation operation() {
        switch (dice.below(7)) {
            case 0: return set(key(), value());
            case 1: return get(key());
            case 2: return wait({key(), key(), key()});
            case 3: return add(key(), 1);
            case 4: return compare_set(key(), value(), value());
            case 5: return erase(key());
            default: return num_keys();
        }
    }
    /// What a plain dictionary would answer; "" where it would have to wait.
    std::string expected(const StoreOperation& what) {
        if (const auto* o = std::get_if<store::Set>(&what)) return model[o->key] = text_of(o->value), "ok";
        if (const auto* o = std::get_if<store::Erase>(&what)) return model.erase(o->key) ? "done" : "ok";
        if (std::holds_alternative<store::NumKeys>(what))
            return model.empty() ? "ok" : "ok " + std::to_string(model.size());
        if (const auto* o = std::get_if<store::Get>(&what)) return model.contains(o->key) ? "ok " + model[o->key] : "";
        if (const auto* o = std::get_if<store::Wait>(&what)) {
            for (const auto& one : o->keys)
                if (!model.contains(one)) return "";
            return "ok";
        }
        if (const auto* o = std::get_if<store::Add>(&what)) {
            const bool there = model.contains(o->key);
            if (there && model[o->key].empty())
                return "refused: add: the value of key '" + o->key + "' (0 bytes) is no decimal number of 64 bits";
            const auto sum = (there ? std::stoll(model[o->key]) : 0) + o->amount;
            model[o->key] = std::to_string(sum);
            return sum == 0 ? "ok" : "ok " + model[o->key];
        }
        const auto& o = std::get<store::CompareSet>(what);
        const std::string wanted(reinterpret_cast<const char*>(o.expected.data()), o.expected.size());
        const bool there = model.contains(o.key);
        if (there ? model[o.key] == wanted : wanted.empty()) return "done " + (model[o.key] = text_of(o.desired));
        return there ? "ok " + model[o.key] : "ok";
    }
    void agrees() {
        ASSERT_EQ(at.server.state().size(), model.size());
        for (const auto& [name, text] : model) ASSERT_EQ(text_of(at.server.state().find(name)), text);
    }
    std::uint32_t someone() {
        std::uint32_t client = dice.below(6);
        while (!alive.contains(Rank{client})) client = (client + 1) % 6;
        return client;
    }
    void act() {
        const auto what = operation();
        const auto call = at.call(someone(), what, 1 + dice.below(2'000));
        calls[call] = {at.now_round, what};
        ASSERT_EQ(at.answer(call), expected(what));
        agrees();
    }
    void early() {  // What it asks for is done when its round begins, in this order.
        const auto what = operation();
        const Round next{at.now_round.value + 1};
        const auto call = at.call_of(next, someone(), what, 1 + dice.below(2'000));
        calls[call] = {next, what};
        ASSERT_EQ(at.answer(call), "");
        held.push_back(call);
    }
    void again() {
        if (calls.empty()) return;
        auto one = std::next(calls.begin(), dice.below(calls.size()));
        if (!alive.contains(one->first.first) || one->second.round > at.now_round) return;
        if (at.answer(one->first).find("timed_out") != std::string::npos) return;
        at.again(one->first, one->second.round, one->second.operation);
        agrees();
    }
    void begin() {
        model.clear();
        std::vector<std::pair<FakeStore::Call, std::string>> says;
        for (const auto& call : held)
            if (at.answer(call).empty()) says.emplace_back(call, expected(calls.at(call).operation));
        held.clear();
        alive.clear();
        for (std::uint32_t rank = 0; rank < 6; ++rank) alive.insert(Rank{rank});
        at.complete(at.now_round.value + 1, 6);
        for (const auto& [call, text] : says) ASSERT_TRUE(text.empty() || at.answer(call) == text);
        agrees();
    }
    void settle() {
        const Rank client{someone()};
        at.settled_of[client] = CallId{at.ids[client] + 1};
    }
    void leave() {
        if (alive.size() < 3) return;
        const std::uint32_t client = someone();
        alive.erase(Rank{client});
        at.gone(client);
        std::erase_if(calls, [&](const auto& call) { return call.first.first == Rank{client}; });
        std::erase_if(held, [&](const auto& call) { return call.first == Rank{client}; });
    }
    void succeed() {
        auto state = StoreState::from_snapshot(at.settings, at.follower.snapshot());
        ASSERT_TRUE(state);
        std::vector<FakeStore::Call> unanswered;
        for (const auto& [call, made] : calls)
            if (at.answer(call).empty()) unanswered.push_back(call);
        at.server = StoreServer(at.settings, std::move(*state));
        at.carry_out(at.server.complete(at.now_round, {alive.begin(), alive.end()}));
        held.clear();
        for (const auto& call : unanswered) {
            at.again(call, calls[call].round, calls[call].operation);
            if (calls[call].round > at.now_round) held.push_back(call);
        }
        agrees();
    }

    Dice dice;
    FakeStore at;
    std::map<std::string, std::string> model;
    std::map<FakeStore::Call, Made> calls;
    std::vector<FakeStore::Call> held;
    std::set<Rank> alive = {Rank{0}};
};

TEST(StoreMirror, RandomLivesAgreeWithADictionaryAndWithTheirFollowers) {
    for (const auto seed : seeds(300)) {
        SCOPED_TRACE(replay(seed));
        Life life(seed);
        for (int i = 0; i < 300; ++i) {
            life.step();
            if (::testing::Test::HasFatalFailure()) return;
        }
        life.end();
        if (::testing::Test::HasFailure()) return;
    }
}

}  // namespace
}  // namespace muster::core
