// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Ways through the lifecycle, and words for what came of a step.

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/lifecycle.hpp"

namespace muster::core::testing {

const inline Situation kAllPausing{.consensus = Consensus::all_pausing};
const inline Situation kWorkThere{.consensus = Consensus::work};
const inline Situation kWorkHere{.work = 3, .consensus = Consensus::work};
const inline Situation kIdle{.consensus = Consensus::idle};

/// Gives the signal and crosses its barrier; a pause has its vote first.
inline void lead_through(EngineLifecycle& engine, Signal signal) {
    ASSERT_TRUE(engine.step(event_of(signal)).accepted) << name_of(signal);
    if (signal == Signal::pause) {
        ASSERT_EQ(engine.step(Event::votes_counted, kAllPausing).act, Act::cross_barrier);
    }
    ASSERT_TRUE(engine.in_barrier());
    ASSERT_TRUE(engine.step(Event::barrier_crossed).accepted);
}

inline EngineLifecycle after_all(std::initializer_list<Signal> signals) {
    EngineLifecycle engine;
    for (const Signal signal : signals) lead_through(engine, signal);
    return engine;
}

inline std::vector<Signal> held_of(EngineLifecycle engine) {
    std::vector<Signal> held;
    while (const auto signal = engine.take_held()) held.push_back(*signal);
    return held;
}

/// "running paused ..." as far as reached.
inline std::string milestones(const EngineLifecycle& engine) {
    std::string text;
    for (std::size_t i = 0; i < kMilestones; ++i)
        if (const auto one = static_cast<Milestone>(i); engine.reached(one))
            text += (text.empty() ? "" : " ") + std::string(name_of(one));
    return text;
}

/// "-" where it was refused, else the act, and the state where it is another.
inline std::string answer(const Outcome& outcome) {
    if (!outcome.accepted) return "-";
    const std::string act = name_of(outcome.act);
    return outcome.to == outcome.from ? act : act + " " + name_of(outcome.to);
}

/// The signals that a sentence names after its colon.
inline std::set<Signal> named_in(std::string reason) {
    std::set<Signal> named;
    std::istringstream words(reason.substr(reason.find(':') + 1));
    for (std::string word; words >> word;) {
        if (word.back() == ',') word.pop_back();
        for (std::size_t i = 0; i < kSignals; ++i)
            if (word == name_of(static_cast<Signal>(i))) named.insert(static_cast<Signal>(i));
    }
    return named;
}

}  // namespace muster::core::testing
