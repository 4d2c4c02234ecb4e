// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Nodes n0, n1 ... of one rendezvous on one backend, and short ways to drive them and to say what came out.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "core/rendezvous_handler.hpp"

namespace muster::core::rendezvous {

inline void PrintTo(const Node& node, std::ostream* out) { *out << text_of(node); }
inline void PrintTo(Time time, std::ostream* out) { *out << time.micros << " us"; }
inline void PrintTo(Action action, std::ostream* out) { *out << name_of(action); }

void PrintTo(const State& state, std::ostream* out);

namespace testing {

inline Node n(std::int64_t number) { return {"n" + std::to_string(number), 100 + number, 0}; }

/// The source's, for `min` to `max` nodes, without a cache, with a last call of 4 s.
inline Settings settings_of(std::int64_t min, std::int64_t max) {
    Settings settings;
    settings.run_id = "job";
    settings.min_nodes = min;
    settings.max_nodes = max;
    settings.cache = Time{0};
    settings.timeouts.last_call = seconds(4);  // Less than a heartbeat holds, so that short stories need none.
    return settings;
}

inline Settings as_the_source(Settings settings) {
    settings.replace_dead_participants = false;
    return settings;
}

inline Time at(double count) { return Time{static_cast<std::int64_t>(count * 1e6)}; }

/// "n0=0 n1=1 | n2 | n3": participants with ranks, wait list, redundancy list.
inline std::string lists(const State& state) {
    std::string text;
    const auto add = [&text](const std::string& word) {
        text += (text.empty() || text.back() == ' ' ? "" : " ") + word;
    };
    for (const auto& [node, rank] : state.participants) add(node.addr + "=" + std::to_string(rank.value));
    add("| ");
    for (const auto& node : state.wait_list) add(node.addr);
    add("| ");
    for (const auto& node : state.redundancy_list) add(node.addr);
    while (text.back() == ' ') text.pop_back();
    return text;
}

/// "round 0", "round 1 complete closed".
inline std::string phase(const State& state) {
    return "round " + std::to_string(state.round.value) + (state.complete ? " complete" : "") +
           (state.closed ? " closed" : "");
}

/// What an iteration came to: an action, or what was raised.
inline std::string word(const Step& step) {
    if (!step.action) return name_of(step.failure->kind);
    return name_of(*step.action);
}

struct Job {
    explicit Job(Settings of) : settings(std::move(of)) {}

    StateHolder& holder(std::int64_t number) {
        auto& one = holders[number];
        if (!one) one = std::make_unique<StateHolder>(backend, settings);
        return *one;
    }
    Step step(std::int64_t number, Operation operation, double now, std::optional<double> deadline = {}) {
        const Node node = n(number);
        Task task{operation};
        if (deadline) task.deadline = at(*deadline);
        return iterate(holder(number), {node, settings, at(now)}, task);
    }
    /// Until there is nothing to do but wait, or it is over; the last word.
    std::string run(std::int64_t number, Operation operation, double now, std::optional<double> deadline = {}) {
        for (int i = 0; i < 100; ++i) {
            const auto one = step(number, operation, now, deadline);
            if (one.is_over() || one.sleep) return word(one);
        }
        return "no end";
    }
    std::string join(std::int64_t number, double now) { return run(number, Operation::join, now); }
    /// The backend's state, as a node without a change of its own reads it.
    State stored() {
        auto read = backend.get();
        const auto& there = std::get<0>(read);
        return there ? decode_state(there->state).value() : State{};
    }

    Settings settings;
    MemoryBackend backend;
    std::map<std::int64_t, std::unique_ptr<StateHolder>> holders;
};

/// Round 0, complete, with n0 .. n(count-1): all join at `now`; where that is not max, n0 also makes the last call.
inline void complete_round(Job& job, std::int64_t count, double now) {
    for (std::int64_t i = 0; i < count; ++i) job.join(i, now);
    if (!job.stored().complete)
        job.join(0, now + static_cast<double>(job.settings.timeouts.last_call.micros) / 1e6 + 0.5);
    for (std::int64_t i = 0; i < count; ++i) job.join(i, now);
    ASSERT_TRUE(job.stored().complete);
}

}  // namespace testing

inline void PrintTo(const State& state, std::ostream* out) {
    *out << testing::phase(state) << ": " << testing::lists(state);
    if (state.deadline) *out << ", until " << state.deadline->micros;
    for (const auto& [node, heard] : state.last_heartbeats) *out << ", " << node.addr << " at " << heard.micros;
    for (const auto& [node, seat] : state.seats) *out << ", " << node.addr << " had " << seat.value;
}

}  // namespace muster::core::rendezvous
