// SPDX-License-Identifier: Apache-2.0
// Every (state, event) pair of the engine's table, in every situation that a guard tells apart, against a matrix that
// was written by hand from acceptance M1 to M24: M3, M8 to M12, M15 and M23 are lines and columns of it.
#include "lifecycle_support.hpp"

namespace muster::core::testing {
namespace {

/// An engine of one or more ranks: all get the same events, and all must answer alike.
struct Engine {
    explicit Engine(std::size_t count) : ranks(count) {}
    Outcome step(Event event, const Situation& situation = {}) {
        const Outcome first = ranks.front().step(event, situation);
        for (std::size_t i = 1; i < ranks.size(); ++i) {
            const Outcome other = ranks[i].step(event, situation);
            EXPECT_EQ(std::tie(other.accepted, other.to, other.act), std::tie(first.accepted, first.to, first.act));
        }
        return first;
    }
    /// Everything that can be seen of it.
    [[nodiscard]] std::string look() const {
        std::ostringstream text;
        for (const auto& rank : ranks) {
            text << name_of(rank.state()) << rank.in_barrier() << rank.held();
            for (std::size_t i = 0; i < kMilestones; ++i) text << rank.reached(static_cast<Milestone>(i));
        }
        return text.str();
    }
    std::vector<EngineLifecycle> ranks;
};

enum Place { running, voting, pausing, paused, unpausing, suspending, suspended, resuming, stopping, stopped };
constexpr std::size_t kPlaces = 10;
constexpr State kStateOf[kPlaces] = {State::running,   State::pausing,    State::pausing,   State::paused,
                                     State::unpausing, State::suspending, State::suspended, State::resuming,
                                     State::stopping,  State::stopped};

/// The shortest way to each place; `voting` and `pausing` are PAUSING before and in the barrier.
Engine engine_at(Place place, std::size_t ranks) {
    Engine engine(ranks);
    const auto cross = [&](Event signal) {
        engine.step(signal);
        engine.step(Event::barrier_crossed);
    };
    if (place >= voting) engine.step(Event::pause);
    if (place >= pausing) engine.step(Event::votes_counted, kAllPausing);
    if (place >= paused) engine.step(Event::barrier_crossed);
    if (place == unpausing) engine.step(Event::unpause);
    if (place == suspending) engine.step(Event::suspend);
    if (place == suspended || place == resuming) cross(Event::suspend);
    if (place == resuming) engine.step(Event::resume);
    if (place == stopping || place == stopped) engine.step(Event::stop);
    if (place == stopped) engine.step(Event::barrier_crossed);
    EXPECT_EQ(engine.ranks.front().state(), kStateOf[place]);
    EXPECT_EQ(engine.ranks.front().held(), 0U);
    return engine;
}

/// What is held in each state that passes, as the first of its kind.
Event held_in(Place place) {
    switch (place) {
        case unpausing: return Event::pause;
        case suspending: return Event::resume;
        case stopping: return Event::start;
        default: return Event::unpause;
    }
}

struct Line {
    Place place;
    const char* answers[kSignals];
};

// clang-format off
const Line kNothingHeld[] = {
    //           pause                 unpause                    suspend                         resume                        stop                      start
    {running,    {"start_vote PAUSING", "-",                       "-",                            "-",                          "-",                      "-"}},
    {voting,     {"none",               "hold",                    "hold",                         "-",                          "hold",                   "-"}},
    {pausing,    {"none",               "hold",                    "hold",                         "-",                          "hold",                   "-"}},
    {paused,     {"none",               "cross_barrier UNPAUSING", "release_and_cross SUSPENDING", "-",                          "cross_barrier STOPPING", "-"}},
    {unpausing,  {"hold",               "none",                    "-",                            "-",                          "-",                      "-"}},
    {suspending, {"none",               "-",                       "none",                         "hold",                       "hold",                   "-"}},
    {suspended,  {"none",               "-",                       "none",                         "restore_and_cross RESUMING", "cross_barrier STOPPING", "-"}},
    {resuming,   {"none",               "hold",                    "hold",                         "none",                       "hold",                   "-"}},
    {stopping,   {"-",                  "-",                       "-",                            "-",                          "none",                   "hold"}},
    {stopped,    {"-",                  "-",                       "-",                            "-",                          "none",                   "cross_barrier UNPAUSING"}},
};

struct VoteLine {
    Place place;
    const char *none, *all_pausing, *work_here, *work_there, *idle;
};
const VoteLine kVotes[] = {
    {running,    "-", "-",             "forward", "dummy_forward", "rest"},
    {voting,     "-", "cross_barrier", "forward", "dummy_forward", "rest"},
    {pausing,    "-", "-", "-", "-", "-"},
    {paused,     "-", "-", "-", "-", "-"},
    {unpausing,  "-", "-", "-", "-", "-"},
    {suspending, "-", "-", "-", "-", "-"},
    {suspended,  "-", "-", "-", "-", "-"},
    {resuming,   "-", "-", "-", "-", "-"},
    {stopping,   "-", "-", "-", "-", "-"},
    {stopped,    "-", "-", "-", "-", "-"},
};

const char* const kBarrierCrossed[kPlaces] = {
    "-", "-", "none PAUSED", "-", "none RUNNING", "none SUSPENDED", "-", "none PAUSED", "finish STOPPED", "-"};
// clang-format on

class LifecycleTable : public ::testing::TestWithParam<std::size_t> {};

/// Applies the event and checks that a refusal says why and leaves everything as it was.
void expect_answer(Engine& engine, Event event, const Situation& situation, const std::string& expected) {
    const auto before = engine.look();
    const auto outcome = engine.step(event, situation);
    EXPECT_EQ(answer(outcome), expected);
    EXPECT_EQ(std::string(outcome.reason).empty(), outcome.accepted) << "a refusal says why, and only that";
    const bool untouched = !outcome.accepted || (outcome.act == Act::none && outcome.to == outcome.from);
    if (untouched) {
        EXPECT_EQ(engine.look(), before) << "neither a refusal nor a repeat changes anything";
    }
}

TEST_P(LifecycleTable, EverySignalInEveryStateWithNothingHeld) {
    for (const auto& line : kNothingHeld)
        for (std::size_t i = 0; i < kSignals; ++i) {
            SCOPED_TRACE(std::string(name_of(kStateOf[line.place])) + " " + name_of(static_cast<Signal>(i)));
            auto engine = engine_at(line.place, GetParam());
            expect_answer(engine, static_cast<Event>(i), {}, line.answers[i]);
        }
}

TEST_P(LifecycleTable, BehindAHeldSignalEveryOtherIsHeldTooM23) {
    for (const auto& line : kNothingHeld) {
        if (is_stable(kStateOf[line.place])) continue;
        for (std::size_t i = 0; i < kSignals; ++i) {
            SCOPED_TRACE(std::string(name_of(kStateOf[line.place])) + " " + name_of(static_cast<Signal>(i)));
            auto engine = engine_at(line.place, GetParam());
            engine.step(held_in(line.place));
            ASSERT_EQ(engine.ranks.front().held(), 1U);
            expect_answer(engine, static_cast<Event>(i), {}, "hold");
            EXPECT_EQ(engine.ranks.front().held(), 2U);
        }
    }
}

TEST_P(LifecycleTable, AHeldSignalChangesNothingAboutVotesAndBarriers) {
    for (const auto& line : kVotes) {
        if (is_stable(kStateOf[line.place])) continue;
        SCOPED_TRACE(name_of(kStateOf[line.place]));
        auto engine = engine_at(line.place, GetParam());
        engine.step(held_in(line.place));
        expect_answer(engine, Event::votes_counted, {.work = 3, .consensus = Consensus::work}, line.work_here);
        expect_answer(engine, Event::barrier_crossed, {}, kBarrierCrossed[line.place]);
        EXPECT_EQ(engine.ranks.front().held(), 1U);
    }
}

/// Held signals that were not taken yet do not change what a stable state says.
TEST_P(LifecycleTable, AStableStateJudgesAtOnceAlsoWithSomethingHeld) {
    for (const Place place : {paused, running, suspended, stopped})
        for (std::size_t i = 0; i < kSignals; ++i) {
            SCOPED_TRACE(std::string(name_of(kStateOf[place])) + " " + name_of(static_cast<Signal>(i)));
            const Place before = place == paused      ? pausing
                                 : place == running   ? unpausing
                                 : place == suspended ? suspending
                                                      : stopping;
            auto engine = engine_at(before, GetParam());
            engine.step(held_in(before));
            engine.step(Event::barrier_crossed);
            ASSERT_EQ(engine.ranks.front().held(), 1U);
            expect_answer(engine, static_cast<Event>(i), {}, kNothingHeld[place].answers[i]);
        }
}

TEST_P(LifecycleTable, EveryOutcomeOfAVoteInEveryState) {
    for (const auto& line : kVotes) {
        SCOPED_TRACE(name_of(kStateOf[line.place]));
        const auto expect = [&](const Situation& situation, const char* expected) {
            SCOPED_TRACE(std::string(name_of(situation.consensus)) + " work=" + std::to_string(situation.work));
            auto engine = engine_at(line.place, GetParam());
            expect_answer(engine, Event::votes_counted, situation, expected);
        };
        for (const std::uint64_t work : {0, 3}) {
            expect({work, Consensus::none}, line.none);
            expect({work, Consensus::all_pausing}, line.all_pausing);
            expect({work, Consensus::idle}, line.idle);
        }
        expect({3, Consensus::work}, line.work_here);
        expect({0, Consensus::work}, line.work_there);
    }
}

TEST_P(LifecycleTable, ABarrierIsCrossedOnlyByWhomIsInIt) {
    for (std::size_t place = 0; place < kPlaces; ++place) {
        SCOPED_TRACE(name_of(kStateOf[place]));
        auto engine = engine_at(static_cast<Place>(place), GetParam());
        expect_answer(engine, Event::barrier_crossed, {}, kBarrierCrossed[place]);
        expect_answer(engine, Event::barrier_crossed, {}, "-");
    }
}

INSTANTIATE_TEST_SUITE_P(RanksPerEngine, LifecycleTable, ::testing::Values(1, 2));

TEST(LifecycleTable, EveryStateCanBeReachedByEvents) {
    std::set<State> seen{State::running};
    std::vector<EngineLifecycle> open(1);
    while (!open.empty()) {
        const auto from = open.back();
        open.pop_back();
        for (std::size_t event = 0; event < kEvents; ++event)
            for (std::size_t consensus = 0; consensus < 4; ++consensus) {
                auto next = from;
                next.step(static_cast<Event>(event), {.consensus = static_cast<Consensus>(consensus)});
                const bool news = next.state() != from.state() && seen.insert(next.state()).second;
                const bool entered = next.in_barrier() && !from.in_barrier() && next.state() == from.state();
                if (news || entered) open.push_back(next);
            }
    }
    EXPECT_EQ(seen.size(), kStates);
}

TEST(LifecycleTable, AReasonNamesExactlyTheSignalsThatLeadOn) {
    for (const auto& line : kNothingHeld) {
        std::set<Signal> legal;
        for (std::size_t i = 0; i < kSignals; ++i)
            if (const std::string one = line.answers[i]; one != "-" && one != "none")
                legal.insert(static_cast<Signal>(i));
        for (std::size_t i = 0; i < kSignals; ++i) {
            if (std::string(line.answers[i]) != "-" || static_cast<Signal>(i) == Signal::start) continue;
            const std::string reason = engine_at(line.place, 1).step(static_cast<Event>(i)).reason;
            EXPECT_EQ(named_in(reason), legal) << reason;
        }
    }
}

}  // namespace
}  // namespace muster::core::testing
