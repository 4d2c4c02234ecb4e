// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Programs around handlers, for the tests of the handler.

#include "rendezvous_support.hpp"

namespace muster::core::rendezvous::testing {

/// A program around a handler: it steps calls to their ends and keeps what came out.
struct Program {
    Program(std::int64_t number, const Settings& settings, Backend& backend) {
        auto made = Handler::create(n(number), settings, backend);
        handler = std::move(std::get<std::unique_ptr<Handler>>(made));
    }

    void keep(Progress progress) {
        finished = progress.finished;
        waited.reset();
        for (auto& effect : progress.effects) {
            if (const auto* wait = std::get_if<effect::Wait>(&effect)) waited = wait->span;
            if (const auto* record = std::get_if<effect::Record>(&effect))
                records.push_back(record->event);
            else
                effects.push_back(std::move(effect));
        }
    }
    void begin(Call call, double now, double chance = 0) { keep(handler->begin(call, at(now), chance)); }
    void step(Call call, double now) { keep(handler->step(call, at(now))); }
    /// Steps until it is finished or waits.
    void go_on(Call call, double now) {
        do step(call, now);
        while (!finished && !waited);
    }
    void run(Call call, double now) {
        begin(call, now);
        if (!finished) go_on(call, now);
    }
    template <class T>
    [[nodiscard]] const T& last() const {
        return std::get<T>(effects.back());
    }
    [[nodiscard]] std::string last_record() const {
        const auto& event = records.back();
        return event.name + " " + name_of(event.outlook) + ": " + event.message;
    }

    std::unique_ptr<Handler> handler;
    std::vector<Effect> effects;  ///< Records apart.
    Events records;
    bool finished = false;
    std::optional<Time> waited;
};

template <class T>
T value(const Answer<T>& answer) {
    return std::get<T>(answer.value);
}

/// Two programs in round 0.
struct Pair {
    explicit Pair(const Settings& settings) : one(0, settings, backend), two(1, settings, backend) {
        one.run(Call::next_rendezvous, 0);
        two.run(Call::next_rendezvous, 0);
        one.go_on(Call::next_rendezvous, 1);
        EXPECT_TRUE(one.finished && two.finished);
    }
    MemoryBackend backend;
    Program one, two;
};

}  // namespace muster::core::rendezvous::testing
