// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A store on the coordinator, one follower that folds what is mirrored, and short ways to call.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/store.hpp"
#include "support.hpp"

namespace muster::core::testing {

inline Bytes bytes_of(const std::string& text) {
    const auto* begin = reinterpret_cast<const std::byte*>(text.data());
    return {begin, begin + text.size()};
}
inline std::string text_of(const Value& value) {
    if (!value) return "(none)";
    return {reinterpret_cast<const char*>(value->data()), value->size()};
}

inline StoreOperation set(std::string key, const std::string& value) {
    return store::Set{std::move(key), value_of(bytes_of(value))};
}
inline StoreOperation get(std::string key) { return store::Get{std::move(key)}; }
inline StoreOperation wait(std::vector<std::string> keys) { return store::Wait{std::move(keys)}; }
inline StoreOperation add(std::string key, std::int64_t amount) { return store::Add{std::move(key), amount}; }
inline StoreOperation compare_set(std::string key, const std::string& expected, const std::string& desired) {
    return store::CompareSet{std::move(key), bytes_of(expected), value_of(bytes_of(desired))};
}
inline StoreOperation erase(std::string key) { return store::Erase{std::move(key)}; }
inline StoreOperation num_keys() { return store::NumKeys{}; }

/// One answer as a word: its error's text, or what it brought.
inline std::string words(const StoreAnswer& answer) {
    if (answer.error) return std::string(name_of(answer.error->fault)) + ": " + answer.error->text;
    std::string text = answer.done ? "done" : "ok";
    if (answer.value) text += " " + text_of(answer.value);
    if (answer.number != 0) text += " " + std::to_string(answer.number);
    return text;
}

class FakeStore {
public:
    using Call = std::pair<Rank, CallId>;

    explicit FakeStore(StoreSettings given = {}) : settings(std::move(given)), server(settings), follower(settings) {}

    void complete(std::uint32_t round, std::uint32_t members = 4) {
        now_round = Round{round};
        carry_out(server.complete(now_round, ranks_up_to(members)));
    }
    /// A call of this round under a new id.
    Call call(std::uint32_t client, StoreOperation operation, std::uint64_t patience = 1'000) {
        return call_of(now_round, client, std::move(operation), patience);
    }
    Call call_of(Round round, std::uint32_t client, StoreOperation operation, std::uint64_t patience = 1'000) {
        const CallId id{++ids[Rank{client}]};
        again({Rank{client}, id}, round, std::move(operation), patience);
        return {Rank{client}, id};
    }
    /// The same call once more, as to a successor.
    void again(Call call, Round round, StoreOperation operation, std::uint64_t patience = 1'000) {
        const CallId settled = std::min(settled_of[call.first], call.second);
        carry_out(server.call(call.first, {call.second, settled, round, patience, std::move(operation)}, now));
    }
    void tick(std::uint64_t ms) {
        now += ms;
        carry_out(server.tick(now));
    }
    void gone(std::uint32_t client) { carry_out(server.gone(Rank{client})); }

    /// What was answered to a call: "" where nothing, both where it was answered twice.
    [[nodiscard]] std::string answer(Call call) const {
        std::string text;
        for (const auto& [to, what] : answers)
            if (to == call) text += (text.empty() ? "" : " | ") + words(what);
        return text;
    }
    /// Calls, and says what was answered at once.
    std::string now_says(std::uint32_t client, StoreOperation operation, std::uint64_t patience = 1'000) {
        return answer(call(client, std::move(operation), patience));
    }

    void carry_out(const StoreEffects& effects) {
        for (const auto& effect : effects) {
            if (const auto* mirror = std::get_if<StoreMirror>(&effect)) {
                EXPECT_TRUE(follower.apply(mirror->entry));
                ++mirrored;
            } else {
                const auto& reply = std::get<StoreReply>(effect);
                EXPECT_LE(reply.after, follower.entries()) << "an answer before the entries that it depends on";
                answers.emplace_back(Call{reply.client, reply.id}, reply.answer);
            }
        }
        EXPECT_EQ(follower.snapshot(), server.state().snapshot());
    }

    StoreSettings settings;
    StoreServer server;
    StoreState follower;
    std::uint64_t now = 10'000;
    Round now_round;
    std::map<Rank, std::uint64_t> ids;
    std::map<Rank, CallId> settled_of;
    std::vector<std::pair<Call, StoreAnswer>> answers;
    std::size_t mirrored = 0;
};

}  // namespace muster::core::testing
